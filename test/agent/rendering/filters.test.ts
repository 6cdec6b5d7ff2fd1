import t from 'tap';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import type { Renderer } from '../../../agent/rendering/format.ts';
import { type PlatformFilters, renderBatch } from '../../../agent/rendering/render.ts';
import { phi } from '../../../agent/support/phi.ts';
import { mappingRig } from '../mapping/rig.ts';
import { merges, registers, report } from '../mapping/statements.ts';

const site = { orgCode: 'X', name: 'X' };

const renderer: Renderer = {
  render: ({ content }) => ({
    kind: 'document',
    type: content.record.kind,
    mediaType: 'text/plain',
    bytes: phi(new Uint8Array(1)),
    reportNumber: phi('R1'),
    findings: [],
  }),
  packHash: '',
  unverified: [],
};

/** What a platform with these filters makes of a patient, an inpatient's report and an outpatient's. */
async function documents(filters: PlatformFilters): Promise<string[]> {
  const m = await mappingRig();
  const said: Statement[] = [
    registers('P1', { name: '张三' }),
    report({ name: '张三', class: 'inpatient' }),
    report({ number: 'R2', name: '张三', class: 'outpatient' }),
  ];
  for (const statement of said) await m.say(statement);
  const stage = { platform: 'province', renderer, store: m.view, filters, holdMs: 0, bound: 100, site };
  await renderBatch({ ...stage, clock: m.stage.clock });
  const rows = (await m.store.messages(10)).toReversed();
  const states = rows.map((row) => row.states[0]?.rule ?? 'taken');
  await m.close();
  return states;
}

t.test('a platform without filters takes every record', async (t) => {
  t.same(await documents({}), ['taken', 'taken', 'taken']);
});

t.test('a platform for some patient classes gets no record that tells of no visit', async (t) => {
  t.same(await documents({ patient_classes: ['inpatient'] }), ['patient-class', 'taken', 'patient-class']);
});

t.test('a platform for other sources gets nothing of this one', async (t) => {
  t.same(await documents({ sources: ['his'] }), ['source', 'source', 'source']);
});

t.test('a platform for the laboratory only follows a merge that the registration tells', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ name: '张三', class: 'inpatient', of: 'A' }));
  await m.registrationSays(registers('B', { name: '张三' }));
  await m.registrationSays(merges('A', 'B'));
  const filters = { sources: ['lis'] };
  const stage = { platform: 'province', renderer, store: m.view, filters, holdMs: 0, bound: 100, site };
  await renderBatch({ ...stage, clock: m.stage.clock });
  const rows = (await m.store.messages(10)).toReversed();
  t.same(
    rows.map(({ states }) => states[0]?.rule ?? states[0]?.state),
    ['replaced', 'source', 'waiting'],
  );
});

/** One outpatient's report, then the same corrected as an inpatient's, for a platform that wants outpatients. */
async function changesClass(between: (m: Awaited<ReturnType<typeof mappingRig>>) => Promise<void>) {
  const m = await mappingRig({ corrections: 'snapshot' });
  const filters = { patient_classes: ['outpatient'] };
  const stage = { platform: 'province', renderer, store: m.view, filters, holdMs: 0, bound: 100, site };
  const render = () => renderBatch({ ...stage, clock: m.stage.clock });
  await m.say(report({ name: '张三', class: 'outpatient', items: 'K 6.8', at: '20240520100000' }));
  await render();
  await between(m);
  await m.say(report({ name: '张三', class: 'inpatient', items: 'K 4.1', at: '20240520110000' }));
  await render();
  const claimed = await m.claim();
  const rows = (await m.store.messages(10)).toReversed();
  const states = rows.map(({ states }) => states[0]?.rule ?? states[0]?.state);
  await m.close();
  return { operations: claimed.map(({ operation, version }) => `${operation} v${version}`), states };
}

t.test('what a platform has is corrected there, though it would not want the correction', async (t) => {
  const { operations, states } = await changesClass(async (m) => {
    const [doc] = await m.claim();
    await m.store.settle('province', [{ n: doc!.n, outcome: 'accepted' }]);
  });
  t.same(operations, ['replace v2']);
  t.same(states, ['delivered', 'waiting']);
});

t.test('and what it may have, when an answer was lost', async (t) => {
  const { operations } = await changesClass(async (m) => {
    const [doc] = await m.claim();
    await m.store.settle('province', [{ n: doc!.n, outcome: 'retry', code: 'NET-1006', retryAtMs: 9e15 }]);
  });
  t.same(operations, [], 'its first version has to be answered before');
});

t.test('what never left does not go out when its correction is not wanted', async (t) => {
  const { operations, states } = await changesClass(async () => {});
  t.same(operations, []);
  t.same(states, ['replaced', 'patient-class']);
});
