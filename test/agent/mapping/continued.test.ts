import t from 'tap';
import { registry } from '../../../adapters/registry.ts';
import { setIdsOf } from '../../../agent/clinical/reports/set-id.ts';
import { mapAgain, mapBatch } from '../../../agent/mapping/map.ts';
import { compileReaders, type MappedSource } from '../../../agent/mapping/readers.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { builtInText } from '../../../config/built-in.ts';
import { report, utf8, write } from '../../end-to-end/reports.ts';
import { quickRig } from '../store/rig.ts';

const kind = 'hl7-mllp';
const language = registry.profiles.find(({ sourceKinds }) => sourceKinds.includes(kind))!;
const own = (more: string) =>
  language.check(
    `extends: cn-default\nprofile_version: 1\nname: own\ntitle: { zh: 自己的, en: Own }\n${more}\n`,
    'own.yaml',
  );
const good = language.check(builtInText('profile', 'cn-default').text, 'cn-default');
/** Holds every report: their patient class is in no table. */
const holding = own('drop: [tables.patient_class.O, tables.patient_class.I, tables.patient_class.E]');
const filtering = own('intake: { types: { accept: [ADT] } }');

async function rig() {
  const store = await quickRig(undefined, { sources: ['lab', 'bc6800'] });
  const stage = (...sources: MappedSource[]) => ({
    store: store.view,
    readers: compileReaders(registry, sources),
    timeZone: 'Asia/Shanghai',
    clock: systemClock,
    orgCode: '12100000MB0000001P',
    setIdOf: setIdsOf('12100000MB0000001P'),
  });
  const { bytes, controlId } = write(utf8, report('A1'));
  return {
    ...store,
    stage,
    take: (source: string, continues?: string) =>
      store.store.accept({
        source,
        ...(continues !== undefined && { continues }),
        bytes: Buffer.from(bytes),
        controlId: Buffer.from(controlId),
        receivedMs: Date.now(),
      }),
    journal: () =>
      [...store.view.journal('province', 100)].map(({ action, version, setId }) => [action, version, setId]),
  };
}

const lab = (profile: unknown): MappedSource => ({ name: 'lab', kind, profile });
const analyser: MappedSource = { name: 'bc6800', kind, identity: 'lab', profile: good };

t.test('a report that was filtered is reported when it is sent again to a sender that continues', async (t) => {
  const r = await rig();
  t.teardown(r.close);
  await r.take('lab');
  await mapBatch(r.stage(lab(filtering)));
  t.same(await r.states(), { 1: 'filtered' });
  t.match(await r.take('bc6800', 'lab'), { outcome: 'stored' });
  await mapBatch(r.stage(lab(filtering), analyser));
  t.match(r.journal(), [['publish', 1]]);
});

t.test('a held report that is sent again, and mapped under both names in either order, is one report', async (t) => {
  for (const order of ['resent first', 'held first']) {
    const r = await rig();
    await r.take('lab');
    await mapBatch(r.stage(lab(holding)));
    t.same(await r.states(), { 1: 'quarantined' });
    t.match(await r.take('bc6800', 'lab'), { seq: 2, outcome: 'stored' });
    const both = r.stage(lab(good), analyser);
    if (order === 'resent first') await mapBatch(both);
    t.equal(await mapAgain(both, 'lab', 1), 1);
    if (order === 'held first') await mapBatch(both);
    t.match(r.journal(), [['publish', 1]], order);
    const absorbed = order === 'resent first' ? 1 : 2;
    t.same(await r.states(), { [absorbed]: 'absorbed', [3 - absorbed]: 'waiting' }, order);
    await r.close();
  }
});

t.test('what waits under a name that is gone is read by the one that continues it, what is held as well', async (t) => {
  const r = await rig();
  t.teardown(r.close);
  await r.take('old-name');
  await mapBatch(r.stage(lab(good)));
  t.match(await r.store.problems(10), [{ code: 'CFG-5009' }]);
  const renamed = r.stage(lab(good), { name: 'new-name', kind, identity: 'old-name', profile: good });
  t.equal(await mapAgain(renamed, 'old-name', 1), 1);
  t.same(await r.store.problems(10), []);
  const [before] = r.journal();
  t.match(before, ['publish', 1]);
  const of = (source: string) => renamed.readers.get(source)?.read;
  t.type(of('old-name'), 'function');

  const unclear = compileReaders(registry, [
    { name: 'one', kind, identity: 'old-name', profile: good },
    { name: 'two', kind, identity: 'old-name', profile: good },
  ]);
  t.same([...unclear.keys()], ['one', 'two'], 'of two nobody knows whose rules are meant');
  const present = compileReaders(registry, [lab(filtering), analyser]);
  t.same([...present.keys()], ['lab', 'bc6800']);
});
