import t from 'tap';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import type { Renderer } from '../../../agent/rendering/format.ts';
import { type PlatformFilters, renderBatch } from '../../../agent/rendering/render.ts';
import { phi } from '../../../agent/support/phi.ts';
import { mappingRig, merges, registers, report } from '../mapping/spoken.ts';

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
