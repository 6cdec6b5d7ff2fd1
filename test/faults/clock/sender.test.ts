import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { oru } from '../damage/history.ts';
import { openWorkedStore } from '../damage/worked-store.ts';

/** `yyyyMMddHHmmss` in Asia/Shanghai. */
const local = (ms: number) => new Date(ms + 8 * 3_600_000).toISOString().replace(/[-:T]/g, '').slice(0, 14);
const day = 86_400_000;

/** A report whose message and report times are what a wrong clock says. */
const report = (version: number, messageMs: number, reportMs: number): string =>
  oru({ report: 1, version, status: version === 1 ? 'F' : 'C' })
    .replace(/(EDGE\|P\|)\d{14}/, `$1${local(messageMs)}`)
    .replace(/\|LR1\|\|\d{14}/, `|LR1||${local(reportMs)}`);

for (const [what, first, second] of [
  ['the message time is a day ahead', [day, 0], [0, 0]],
  ['message and report time are a day ahead', [day, day], [1_000, 1_000]],
  ['both are a year ahead, and the correction comes from a clock that is right', [365 * day, 365 * day], [0, 0]],
  ['the correction too, and even further', [day, day], [2 * day, 2 * day]],
  ['the correction is ahead and less so', [3 * day, 3 * day], [day, day]],
] as const) {
  t.test(`a sender whose clock is ahead, ${what}: versions come in order of arrival`, async (t) => {
    const root = t.testdir();
    mkdirSync(join(root, 'data'));
    const store = openWorkedStore(root);
    t.teardown(store.close);
    const now = Date.now();
    const base = now - 10_000;
    await store.accept(report(1, base + first[0], base + first[1]), 'A');
    await store.work();
    await store.accept(report(2, base + second[0], base + second[1]), 'B');
    await store.work();
    const versions: number[] = [];
    for (;;) {
      const [document] = await store.claim();
      if (!document || 'damaged' in document) break;
      versions.push(document.version);
      await store.settle([{ n: document.n, outcome: 'accepted' }]);
    }
    t.same(versions, [1, 2], 'the correction is never taken for an older version');
    const states = store.states();
    t.ok(states instanceof Map && [...states.values()].every((s) => s.state === 'delivered'));
  });
}
