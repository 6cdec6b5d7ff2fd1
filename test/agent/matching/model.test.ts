import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import t from 'tap';
import { matchingRevision } from '../../../agent/matching/match.ts';
import { contradicting, type MatchPerson } from '../../../agent/matching/person.ts';
import {
  type MatchedEntry,
  type MatchFacts,
  mostContradictions,
  nearDays,
} from '../../../agent/store/match-contract.ts';
import { phi } from '../../../agent/support/phi.ts';
import { chooseSeed } from '../../faults/seed.ts';
import { quickRig } from '../store/rig.ts';

t.setTimeout(600_000);

const people: MatchPerson[] = [
  { name: '张晋', sex: '1', birthDate: '19800101' },
  { name: '李珅', sex: '2', birthDate: '19800101' },
  { name: 'Zhang Jin', birthDate: '19800101' },
  {},
];
const numbers = ['A1', 'A2', 'A3', 'A4'];
const days = [20_000, 20_000 + nearDays, 20_001 + nearDays];

/**
 * One version of one of so many reports (even) and studies (odd) that none has more contradictions than are kept; `who`
 * undefined: withdrawn.
 */
const step = fc.record({
  record: fc.integer({ min: 1, max: 2 * mostContradictions }),
  who: fc.option(fc.nat({ max: people.length - 1 }), { nil: undefined, freq: 4 }),
  numbers: fc.subarray(numbers),
  day: fc.constantFrom(...days),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const kindOf = (record: number) => (record % 2 === 0 ? ('exam-report' as const) : ('imaging-study' as const));
const factsOf = ({ who, numbers, day }: Step): MatchFacts | undefined =>
  who === undefined ? undefined : { numbers, expects: true, person: people[who] ?? {}, day };

/** What is linked in the end, by the rule and not by the way there. */
function expected(steps: Step[]): string[] {
  const standing = new Map<number, MatchFacts>();
  for (const one of steps) {
    const facts = factsOf(one);
    if (facts) standing.set(one.record, facts);
    else standing.delete(one.record);
  }
  const agreeing: Array<[exam: number, study: number]> = [];
  const differing: typeof agreeing = [];
  for (const [exam, a] of standing) {
    for (const [study, b] of standing) {
      if (kindOf(exam) !== 'exam-report' || kindOf(study) !== 'imaging-study') continue;
      if (!a.numbers.some((number) => b.numbers.includes(number))) continue;
      if (Math.abs(a.day - b.day) > nearDays) continue;
      (contradicting(a.person, b.person) === undefined ? agreeing : differing).push([exam, study]);
    }
  }
  const settled = new Set(agreeing.flat());
  return [
    ...agreeing.map(([exam, study]) => `${exam} ${study} linked`),
    ...differing.filter((pair) => !pair.some((one) => settled.has(one))).map(([e, s]) => `${e} ${s} contradicts`),
  ].sort();
}

t.test(
  'whatever the order of versions and batches, linked is what has a number in common, is near and does not contradict',
  async (t) => {
    const rig = await quickRig(undefined, { reportWaitMs: 1 });
    t.teardown(rig.close);
    const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
    t.teardown(() => db.close());
    const links = db.prepare('SELECT exam, imaging, state FROM match_link');
    const waits = db.prepare('SELECT record, waits, links FROM match_record');
    let revision = matchingRevision;
    const seed = chooseSeed();
    t.comment(`seed ${seed}`);
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
      async (steps, batches) => {
        revision += 1;
        const entries = steps.map((one, i): MatchedEntry => {
          const facts = factsOf(one);
          const { record } = one;
          return {
            jseq: i + 1,
            seq: i + 1,
            record,
            kind: kindOf(record),
            lane: record,
            receivedMs: i,
            facts: facts && phi(facts),
          };
        });
        await rig.view.commitMatching(revision, []);
        for (let at = 0, i = 0; at < entries.length; i++) {
          const size = batches[i % batches.length] ?? 1;
          await rig.view.commitMatching(revision, entries.slice(at, at + size));
          at += size;
        }
        const found = (links.all() as unknown as Array<{ exam: number; imaging: number; state: number }>)
          .map((l) => `${l.exam} ${l.imaging} ${l.state === 1 ? 'linked' : 'contradicts'}`)
          .sort();
        const pairs = expected(steps);
        if (JSON.stringify(found) !== JSON.stringify(pairs)) throw new Error(`${found} instead of ${pairs}`);
        for (const row of waits.all() as unknown as Array<{ record: number; waits: number; links: number }>) {
          const own = pairs.map((pair) => pair.split(' ')).filter(([a, b]) => [a, b].includes(String(row.record)));
          const linked = own.filter(([, , state]) => state === 'linked');
          if (row.waits !== (linked.length === 0 ? 1 : 0)) throw new Error(`record ${row.record} waits ${row.waits}`);
          if (row.links !== linked.length) throw new Error(`record ${row.record} has ${row.links} links`);
        }
      },
    );
    const numRuns = process.env.QIANZHI_PROOF === '1' ? 1000 : 100;
    await fc.assert(property, { seed, numRuns });
    t.pass(`${numRuns} histories`);
  },
);
