import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startImages } from '../../../agent/images/running.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { imageRig } from './rig.ts';

const spoolFiles = (folder: string): string[] =>
  readdirSync(join(folder, 'spool'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

t.test('while there is little room what was delivered everywhere goes before its time, the oldest first', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  for (let i = 1; i <= 450; i++) await rig.take({ uid: `1.${i}` });
  await rig.indexAll();
  const numbers = (await rig.claimImages(450)).map(({ n }) => n);
  // The last is not delivered; the first were delivered last.
  await rig.accepted(numbers.slice(300, 449));
  rig.tick(1_000);
  await rig.accepted(numbers.slice(0, 300));
  let looks = 0;
  const start = (low: () => boolean) =>
    startImages({
      dataFolder: rig.options.folder,
      keepMs: 7 * 86_400_000,
      store: rig.store,
      full: () => false,
      low,
      clock: { now: rig.now, monotonic: rig.now },
      log: silentLog,
      accepted: () => {},
    });
  const calm = await start(() => false);
  calm.stop();
  t.equal(spoolFiles(rig.options.folder).length, 450, 'with room enough all are kept for their time');

  const images = await start(() => {
    looks += 1;
    return looks < 3;
  });
  t.teardown(images.stop);
  while (spoolFiles(rig.options.folder).length > 50 || looks < 3) await new Promise((r) => setTimeout(r, 20));
  const rows: Awaited<ReturnType<typeof rig.store.instancesOf>> = [];
  for (let more = 1; more > 0; ) {
    const page = await rig.store.instancesOf(1, 100, rows.at(-1)?.n);
    rows.push(...page);
    more = page.length;
  }
  const kept = rows.filter(({ fileKept }) => fileKept).map(({ n }) => n);
  t.equal(kept.length, 50, 'and no more than is wanted goes');
  t.ok(kept.every((n) => n <= 300 || n === 450));
  t.ok(kept.includes(450), 'what is not delivered stays');
});
