import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { matchingRevision } from '../../../agent/matching/match.ts';
import {
  type MatchFacts,
  type MatchKind,
  mostContradictions,
  mostCounterparts,
  nearDays,
} from '../../../agent/store/match-contract.ts';
import { phi } from '../../../agent/support/phi.ts';
import { quickRig } from '../store/rig.ts';
import { imageOf, matchingRig, reportOf, zhang } from './rig.ts';

t.setTimeout(600_000);

const today = 20_000;
/** Names that differ, in characters. */
const nameOf = (n: number): string =>
  `张${String.fromCodePoint(0x4e00 + (n % 100))}${String.fromCodePoint(0x5e00 + Math.floor(n / 100))}`;

/** A real store to which is told what the journal would say. */
async function tellingRig(t: Test) {
  const rig = await quickRig(undefined, { reportWaitMs: 3_600_000 });
  t.teardown(rig.close);
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
  t.teardown(() => db.close());
  const links = db.prepare('SELECT exam, imaging, state FROM match_link ORDER BY exam, imaging');
  let jseq = 0;
  const entryOf = (kind: MatchKind, record: number, facts: Partial<MatchFacts>) => ({
    jseq: ++jseq,
    seq: jseq,
    record,
    kind,
    lane: record,
    receivedMs: jseq,
    facts: phi({ numbers: ['37'], expects: true, person: {}, day: today, ...facts }),
  });
  const tell = (...entries: Array<ReturnType<typeof entryOf>>) => rig.view.commitMatching(matchingRevision, entries);
  return {
    db,
    entryOf,
    tell,
    report: (record: number, facts: Partial<MatchFacts>) => tell(entryOf('exam-report', record, facts)),
    study: (record: number, facts: Partial<MatchFacts>) => tell(entryOf('imaging-study', record, facts)),
    links: () =>
      (links.all() as unknown as Array<{ exam: number; imaging: number; state: number }>).map(
        ({ exam, imaging, state }) => `${exam} ${imaging} ${state === 1 ? 'linked' : 'contradicts'}`,
      ),
    contradictions: async () => (await rig.store.contradictions(50)).length,
  };
}

t.test('每日重号 A number that begins anew each day links each day’s own and asks for nothing', async (t) => {
  const rig = await tellingRig(t);
  const expected: string[] = [];
  for (let n = 0; n < 200; n++) {
    const facts = { person: { name: nameOf(n) }, day: today + n };
    await rig.study(2 * n + 1, facts);
    t.equal(await rig.contradictions(), 0, `day ${n}, before its report`);
    await rig.report(2 * n + 2, facts);
    expected.push(`${2 * n + 2} ${2 * n + 1} linked`);
  }
  t.same(
    rig.links(),
    expected.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
  );
  const late = { person: { name: nameOf(500) }, day: today + 150 };
  await rig.report(1002, late);
  await rig.study(1001, late);
  t.ok(rig.links().includes('1002 1001 linked'), 'and so it is for one between');
});

t.test('隔年重号 A number used again after more than 90 days is another one, of the same person too', async (t) => {
  const rig = await tellingRig(t);
  const person = { name: '张晋' };
  await rig.report(2, { person });
  await rig.study(1, { person, day: today + nearDays });
  t.same(rig.links(), ['2 1 linked']);
  await rig.study(1, { person, day: today + nearDays + 1 });
  t.same(rig.links(), [], 'its date was corrected');
  await rig.study(3, { person: { name: '李珅' }, day: today + nearDays + 1 });
  t.same(rig.links(), [], 'and another’s contradicts nothing');
  await rig.study(5, { person, day: today - nearDays });
  t.same(rig.links(), ['2 5 linked'], 'images may also be the older ones');
  await rig.study(7, { person, day: today - nearDays - 1 });
  t.same(rig.links(), ['2 5 linked']);
});

t.test('隔年重号 A study whose number an old report had still waits for its own', async (t) => {
  const rig = await matchingRig();
  t.teardown(rig.close);
  // Examined on 2026-03-05, as OBR-7 says.
  const old = await rig.ris(reportOf('E1', '37'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), studyDate: '20270409', accessionNumber: '37' });
  t.same(await rig.links(study), []);
  t.match(await rig.unmatched(), { studies: [{ study }], reports: [{ seq: old }] });
  const own = await rig.pacs('1.2', { ...imageOf(zhang), studyDate: '20260305', accessionNumber: '37' });
  t.same(await rig.links(own), [{ seq: old, state: 'linked' }]);
});

t.test('同号不同人 Who finds its own contradicts nobody, and does again when that leaves', async (t) => {
  const rig = await tellingRig(t);
  const [zhang, li] = [{ person: { name: '张晋' } }, { person: { name: '李珅' } }];
  await rig.study(1, zhang);
  await rig.report(2, li);
  t.same(rig.links(), ['2 1 contradicts']);
  await rig.report(4, zhang);
  t.same(rig.links(), ['4 1 linked']);
  await rig.report(4, { ...zhang, numbers: ['38'] });
  t.same(rig.links(), ['2 1 contradicts']);
});

t.test('双胞胎 The report on one twin is not linked with the images of the other', async (t) => {
  const rig = await tellingRig(t);
  await rig.report(2, { person: { name: '王丽之子1', sex: '1', birthDate: '20260301' } });
  await rig.study(1, { person: { name: '王丽之子2', sex: '1', birthDate: '20260301' } });
  t.same(rig.links(), ['2 1 contradicts']);
});

t.test('号码泛滥 A number that 10,000 have: the near ones are found, and work and tasks stay few', async (t) => {
  const rig = await tellingRig(t);
  const flood = Array.from({ length: 10_000 }, (_, n) =>
    rig.entryOf('exam-report', 2 * n + 2, { person: { name: nameOf(n) }, day: today - (n % 1000) }),
  );
  for (let at = 0; at < flood.length; at += 500) await rig.tell(...flood.slice(at, at + 500));
  // Of each day there are ten.
  for (const n of [7, 500, 999, 9_500]) {
    await rig.study(2 * n + 1, { person: { name: nameOf(n) }, day: today - (n % 1000) });
    t.same(rig.links().slice(-1), [`${2 * n + 2} ${2 * n + 1} linked`], `report ${n}`);
  }
  t.equal(rig.links().length, 4);

  for (let n = 0; n < 20; n++) await rig.study(100_001 + 2 * n, { person: { name: `李${nameOf(n)}` } });
  t.equal(rig.links().length, 4 + 20 * mostContradictions, 'each contradicts some of 900');
  const most = rig.db.prepare('SELECT max(n) AS n FROM (SELECT count(*) AS n FROM match_link GROUP BY exam)');
  t.ok((most.get() as { n: number }).n <= mostContradictions, 'and each of those few of them');
});

t.test('contradictions take no place from links', async (t) => {
  const rig = await tellingRig(t);
  for (let n = 0; n < 40; n++) await rig.report(2 * n + 2, { person: { name: nameOf(n) } });
  await rig.study(1, { person: { name: '李珅' } });
  t.equal(rig.links().length, mostContradictions);
  for (let n = 0; n < 40; n++) await rig.report(1000 + 2 * n, { person: { name: '李珅' } });
  t.equal(rig.links().length, mostCounterparts);
  t.notOk(rig.links().some((one) => one.endsWith('contradicts')));
});
