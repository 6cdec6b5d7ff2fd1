import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { imageRig, sha256 } from '../../images/rig.ts';
import { codeFrom, smallDisk, tell, until } from './small-disk.ts';

/** Process of spool-disk.debian.test.ts, in a name space of its own: `<folder>`, a small disk. Prints what happened. */
const { folder, fill, empty } = smallDisk();
/** Less than a block does not matter to a file of the spool. */
const block = 4096;
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
fill(block);
said.write = await codeFrom(
  (async () => {
    for (let i = 0; i < 200; i++) await incoming.write(Buffer.alloc(1_000_000));
    await incoming.commit();
  })(),
);
await incoming.discard();
said.filesOnFullDisk = lying();
fill(block);
await until(() => rig.store.state().mode === 'intake-stopped');
said.begin = await codeFrom(rig.begin({ uid: '1.3' }));
said.readOnFullDisk = before && sha256(await rig.content(before.file)).length === 64;
said.settled = await codeFrom(rig.accepted([1]));
empty();
await until(() => rig.store.state().mode === 'normal');
said.after = await rig.take({ uid: '1.2', pixels: 2_000_000 });
said.files = lying();
await rig.close();
tell(said);
