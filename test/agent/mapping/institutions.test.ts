import t, { type Test } from 'tap';
import { institutionOf, keyAt, keyWithin } from '../../../agent/clinical/institutions.ts';
import { setIdsOf } from '../../../agent/clinical/reports/set-id.ts';
import type { MessageReader, Statement } from '../../../agent/mapping/mapper.ts';
import { replay } from '../../../agent/mapping/replay.ts';
import { compareDocuments } from '../../../agent/mapping/replay-documents.ts';
import type { Renderer, RenderInput } from '../../../agent/rendering/format.ts';
import { renderAgain, renderBatch } from '../../../agent/rendering/render.ts';
import type { Site } from '../../../agent/rendering/site.ts';
import { openScratch } from '../../../agent/store/sqlite/replay/replay-scratch.ts';
import { type MadeEntry, openReplayView } from '../../../agent/store/sqlite/replay/replay-view.ts';
import { phi } from '../../../agent/support/phi.ts';
import { mappingRig, statementReader } from './rig.ts';
import { merges, registers, report } from './statements.ts';

const [own, other] = ['OWN', 'OTHER'];
const site: Site = { orgCode: own, name: 'own hospital', institutions: [{ orgCode: other, name: 'other hospital' }] };

async function rigOf(t: Test, patientNumbers?: 'own' | 'shared') {
  const rules: Partial<Omit<MessageReader, 'read'>> = patientNumbers ? { patientNumbers } : {};
  const rig = await mappingRig(rules);
  t.teardown(rig.close);
  Object.assign(rig.stage, { orgCode: own, setIdOf: setIdsOf(own) });
  return rig;
}
const at = (institution: string, ...said: Statement[]): Statement[] =>
  said.map((statement) => ({ ...statement, institution }));

t.test('a key of another institution is no key of the site’s own, and is told apart again', async (t) => {
  t.equal(keyAt(undefined, '1001'), '1001');
  t.equal(institutionOf('1001'), undefined);
  t.equal(keyWithin('1001'), '1001');
  t.equal(keyWithin('lis|a\0b'), 'lis|a\0b');
  const there = keyAt(other, '1001');
  t.not(there, '1001');
  t.same([institutionOf(there), keyWithin(there)], [other, '1001']);
  t.not(keyAt('A', 'B1'), keyAt('AB', '1'));
  t.equal(setIdsOf(own)(keyAt(other, 'lis|R1')), setIdsOf(other)('lis|R1'), 'as if it had an agent of its own');
  t.not(setIdsOf(own)(keyAt(other, 'lis|R1')), setIdsOf(own)('lis|R1'));
});

t.test('a document has the number its institution gave, also after a merge there', async (t) => {
  const m = await rigOf(t, 'own');
  await m.say(...at(own, report({ of: '1001', name: '张晋', class: 'inpatient' })));
  await m.say(...at(other, report({ of: '1001', name: '李珅', class: 'inpatient' })));
  await m.registrationSays(...at(other, registers('2002', { name: '李珅', birthDate: '19900307' })));
  await m.registrationSays(...at(other, merges('1001', '2002')));
  t.same(m.journal(), [
    'publish R1 v1 张晋 1001',
    'publish R1 v1 李珅 1001',
    'publish patient v1 李珅 2002',
    'publish R1 v2 李珅 2002',
  ]);
  t.same(
    m.records().map(({ context }) => context.institution),
    [undefined, other, other, other],
  );
});

t.test(
  'a record of the site’s own is the same to the byte, whether its profile tells institutions apart or not',
  async (t) => {
    const [with_, without] = [await rigOf(t, 'own'), await rigOf(t)];
    const said = [report({ of: '1001', name: '张晋', class: 'inpatient' }), registers('1001', { name: '张晋' })];
    await with_.say(...at(own, ...said));
    await without.say(...said);
    const entries = (m: typeof with_) =>
      [...m.view.journal('province', 10)].map(({ setId, content }) => [setId, content.reveal()]);
    t.same(entries(with_), entries(without));
  },
);

t.test('where institutions are told apart nothing is taken that says none', async (t) => {
  const m = await rigOf(t, 'own');
  await m.say(report({ name: '张晋', class: 'inpatient' }));
  await m.say(report({ name: '张晋', class: 'inpatient', action: 'retract' }));
  await m.registrationSays(registers('P1', { name: '张晋' }), merges('P1', 'P2'));
  t.same(m.journal(), []);
  t.same(await m.problems(), ['MAP-3040 organisation']);
  t.equal((await m.store.problems(10))[0]?.count, 4);
});

t.test('where numbers are shared registrations and merges need no institution, reports do', async (t) => {
  const m = await rigOf(t, 'shared');
  await m.registrationSays(registers('P2', { name: '张晋', birthDate: '19900307' }), merges('P1', 'P2'));
  await m.say(...at(other, report({ of: 'P1', name: '张晋', class: 'inpatient' })));
  await m.say(report({ of: 'P1', number: 'R2', name: '张晋', class: 'inpatient' }));
  t.same(m.journal(), ['publish patient v1 张晋 P2', 'publish R1 v1 张晋 P2']);
  t.same(
    m.records().map(({ context }) => context.institution),
    [undefined, other],
  );
  t.same(await m.problems(), ['MAP-3040 organisation']);
});

t.test('a number that looks like another institution’s key reaches nobody there', async (t) => {
  for (const numbers of [undefined, 'own', 'shared'] as const) {
    const m = await rigOf(t, numbers);
    const forged = keyAt(other, '1001');
    await m.say(...at(other, report({ of: '1001', name: '李珅', class: 'inpatient' })));
    await m.say(...at(own, report({ number: 'R2', of: forged, name: '张晋', class: 'inpatient' })));
    await m.registrationSays(...at(own, registers(forged, { name: '张晋' }), merges(forged, '1002')));
    await m.registrationSays(...at(own, merges('1002', forged)));
    t.equal(m.journal().length, 1, `numbers ${numbers ?? 'of the site'}`);
    t.same(await m.problems(), ['MAP-3003 patient.in_house']);
  }
});

const renderer: Renderer = {
  render: ({ content, action, site, setId, version }: RenderInput) => ({
    kind: 'document',
    type: content.record.kind,
    mediaType: 'text/plain',
    bytes: phi(Buffer.from(`${action} ${setId} v${version} ${site.orgCode} ${site.name}`)),
    reportNumber: phi('R1'),
    findings: [],
  }),
  packHash: '',
  unverified: [],
};

t.test('a document names the institution it is of; of one no longer configured only withdrawals go', async (t) => {
  const m = await rigOf(t, 'own');
  const stage = {
    platform: 'province',
    renderer,
    store: m.view,
    filters: {},
    holdMs: 0,
    bound: 100,
    clock: m.stage.clock,
  };
  const states = async () =>
    (await m.store.messages(10)).toReversed().map(({ states: [one] }) => one?.code ?? one?.state);
  const sent = async () => {
    const claimed = await m.claim();
    for (const one of claimed) await m.settle(one, 'accepted');
    return claimed.map(({ bytes }) =>
      Buffer.from(bytes.reveal())
        .toString()
        .replace(/ [0-9a-f]{32}/, ''),
    );
  };
  const say = (institution: string, o: Parameters<typeof report>[0]) =>
    m.say(...at(institution, report({ of: '1001', name: '张晋', class: 'inpatient', ...o })));
  await say(own, {});
  await say(other, {});
  await renderBatch({ ...stage, site });
  t.same(await sent(), ['publish v1 OWN own hospital', 'publish v1 OTHER other hospital']);
  await say(other, { number: 'R2' });
  await say(other, { action: 'retract' });
  const alone: Site = { orgCode: own, name: 'own hospital' };
  await renderBatch({ ...stage, site: alone });
  t.same(await sent(), ['retract v2 OTHER ']);
  t.same(await states(), ['delivered', 'delivered', 'MAP-3041', 'delivered']);
  await renderAgain({ ...stage, site }, 2);
  t.same(await sent(), ['publish v1 OTHER other hospital']);
});

t.test('what was mapped of several institutions comes out the same again, to the byte', async (t) => {
  const m = await rigOf(t, 'own');
  const result = (o: Parameters<typeof report>[0]) => report({ of: '1001', name: '张晋', class: 'inpatient', ...o });
  await m.say(...at(own, result({})), ...at(other, result({ name: '李珅' })));
  await m.registrationSays(...at(other, registers('2002', { name: '李珅' }), merges('1001', '2002')));
  await m.say(...at(other, result({ name: '李珅', items: 'K 5', at: '20240520110000' })), result({ number: 'R3' }));
  await m.say(...at(own, result({ action: 'retract', at: '20240520120000' })));
  const filters = {};
  const stage = { platform: 'province', renderer, store: m.view, filters, holdMs: 0, bound: 100, site };
  await renderBatch({ ...stage, clock: m.stage.clock });

  const view = openReplayView(m.options.folder, m.options.keyReference);
  const again = async (orgCode: string) => {
    const scratch = openScratch(m.options.folder, view.record);
    const reader = statementReader({ patientNumbers: 'own' });
    const readers = new Map(['lis', 'his'].map((source) => [source, reader]));
    const compare = (entries: MadeEntry[]) =>
      compareDocuments({ view, platforms: [{ name: 'province', renderer }], site }, entries);
    try {
      return await replay({
        view,
        scratch,
        readers,
        compare,
        timeZone: 'Asia/Shanghai',
        orgCode,
        setIdOf: setIdsOf(orgCode),
      });
    } finally {
      scratch.close();
    }
  };
  // The first report was withdrawn before it was sent: its document is no more.
  t.match(await again(own), { messages: 4, same: 4, different: 0, documents: { same: 5, different: 0 } });
  t.match(await again(other), { different: 4 }, 'under another code of the site it would not');
  view.close();
});
