import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { quickRig, record } from '../rig.ts';
import { codeFrom, smallDisk, tell, until } from './small-disk.ts';

/** Process of full-disk.debian.test.ts, in a name space of its own: `<folder>`, a small disk. Prints what happened. */
const { folder, fill, empty } = smallDisk();
/** Even a single page does not fit. */
const smallest = 512;
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
  fill(smallest);
  said.claimOnFullDisk = await codeFrom(rig.claim());
  empty();
  const claimed = await rig.claim();
  said.claimedAfter = claimed.map((d) => d.attempt);
  fill(smallest);
  const verdicts = claimed.map(({ n }) => ({ n, outcome: 'accepted' as const }));
  said.settleOnFullDisk = await codeFrom(rig.store.settle('province', verdicts));
  empty();
  said.claimedAgain = (await rig.claim()).length;
  said.settledAfter = await codeFrom(rig.store.settle('province', verdicts));
  said.delivered = Object.values(await rig.states()).filter((s) => s === 'delivered').length;
  await rig.close();
}

const options = { disk: { ballastBytes: 1024 * 1024 } };
const rig = await quickRig(join(folder, 'start'), options);
await five(rig, 1);
await rig.close();
fill(smallest);
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
empty();
await until(async () => (await codeFrom(again.accept('one more'))) === 'done');
said.recovered = true;
await until(async () => existsSync(ballast));
await again.close();
tell(said);
