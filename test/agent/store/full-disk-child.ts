import { closeSync, existsSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../agent/support/errors.ts';
import { quickRig, record } from './rig.ts';

/** Process of full-disk.debian.test.ts, in a name space of its own: `<folder>`, a small disk. Prints what happened. */
const [folder = ''] = process.argv.slice(2);
const filler = join(folder, 'filler');
/** To the last byte: down to what even a single page does not fit into. */
function fill(): void {
  const file = openSync(filler, 'a');
  for (let size = 1 << 20; size >= 512; size >>= 1) {
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
const until = async (what: () => Promise<boolean>): Promise<void> => {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
};
const said: Record<string, unknown> = {};

/** Five documents of five patients wait. */
async function five(rig: Awaited<ReturnType<typeof quickRig>>, from: number): Promise<void> {
  for (let i = from; i < from + 5; i++) {
    await rig.accept(`m${i}`);
    await rig.map(i, record(`R${i}`, 1, { patient: `P${i}` }));
  }
  await rig.render('1', '2', '3', '4', '5');
}

{
  // Without a ballast the first write fails, and with it what the claim had put in flight.
  const rig = await quickRig(join(folder, 'flight'), { disk: { ballastBytes: 0 } });
  await five(rig, 1);
  fill();
  said.claimOnFullDisk = await codeFrom(rig.claim());
  unlinkSync(filler);
  const claimed = await rig.claim();
  said.claimedAfter = claimed.map((d) => d.attempt);
  fill();
  const verdicts = claimed.map(({ n }) => ({ n, outcome: 'accepted' as const }));
  said.settleOnFullDisk = await codeFrom(rig.store.settle('province', verdicts));
  unlinkSync(filler);
  said.claimedAgain = (await rig.claim()).length;
  said.settledAfter = await codeFrom(rig.store.settle('province', verdicts));
  said.delivered = Object.values(await rig.states()).filter((s) => s === 'delivered').length;
  await rig.close();
}

const options = { disk: { ballastBytes: 1024 * 1024 } };
const rig = await quickRig(join(folder, 'start'), options);
await five(rig, 1);
await rig.close();
fill();
const ballast = join(rig.options.folder, 'ballast');
said.ballastBefore = existsSync(ballast);
said.freeBefore = statfsSync(folder).bavail;
const again = await quickRig(join(folder, 'start'), options);
said.ballastAfter = existsSync(ballast);
said.mode = again.store.state().mode;
said.intake = await codeFrom(again.accept('one more'));
const claimed = await again.claim();
said.claimed = claimed.length;
said.settled = await codeFrom(
  again.store.settle(
    'province',
    claimed.map(({ n }) => ({ n, outcome: 'accepted' as const })),
  ),
);
said.states = await again.states();
unlinkSync(filler);
await until(async () => (await codeFrom(again.accept('one more'))) === 'done');
said.recovered = true;
await until(async () => existsSync(ballast));
await again.close();
process.stdout.write(`${JSON.stringify(said)}\n`);
process.exit(0);
