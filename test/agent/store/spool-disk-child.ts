import { closeSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../agent/support/errors.ts';
import { imageRig, sha256 } from '../images/rig.ts';

/** Process of spool-disk.debian.test.ts, in a name space of its own: `<folder>`, a small disk. Prints what happened. */
const [folder = ''] = process.argv.slice(2);
const filler = join(folder, 'filler');
/** To the last block. */
function fill(): void {
  const file = openSync(filler, 'a');
  for (let size = 1 << 20; size >= 4096; size >>= 1) {
    const block = Buffer.alloc(size, 1);
    try {
      for (;;) if (writeSync(file, block) < size) break;
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
}
const codeFrom = async (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => 'done',
    (error: unknown) => codeOf(error, 'SYS-6004'),
  );
const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
};
const lying = () =>
  readdirSync(join(rig.options.folder, 'spool'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
    .length;
const said: Record<string, unknown> = {};

const rig = await imageRig(join(folder, 'store'), { disk: { ballastBytes: 1024 * 1024 } });
await rig.take({ uid: '1.1', pixels: 1_000_000 });
await rig.indexAll();
const [before] = await rig.claimImages();

// In the middle of an instance: what was received of it is given back to the disk.
const incoming = await rig.begin({ uid: '1.2' });
await incoming.write(Buffer.alloc(1_000_000));
fill();
said.write = await codeFrom(
  (async () => {
    for (let i = 0; i < 200; i++) await incoming.write(Buffer.alloc(1_000_000));
    await incoming.commit();
  })(),
);
await incoming.discard();
said.filesOnFullDisk = lying();
fill();
await until(() => rig.store.state().mode === 'intake-stopped');
said.begin = await codeFrom(rig.begin({ uid: '1.3' }));
said.readOnFullDisk = before && sha256(await rig.content(before.file)).length === 64;
said.settled = await codeFrom(rig.accepted([1]));
unlinkSync(filler);
await until(() => rig.store.state().mode === 'normal');
said.after = await rig.take({ uid: '1.2', pixels: 2_000_000 });
said.files = lying();
await rig.close();
process.stdout.write(`${JSON.stringify(said)}\n`);
process.exit(0);
