import fc from 'fast-check';
import t from 'tap';
import { survivorOf } from '../../../agent/clinical/patients/merge.ts';
import { mapAgain, mapBatch, mapDue } from '../../../agent/mapping/map.ts';
import type { MessageReader, Statement } from '../../../agent/mapping/mapper.ts';
import type { JournalContent } from '../../../agent/rendering/format.ts';
import { chooseSeed } from '../../faults/seed.ts';
import { memoryStore } from './memory-store.ts';
import { statementReader } from './rig.ts';
import { merges, registers, report } from './statements.ts';

/**
 * Whatever is said of whom in whatever order: the journal of each record is one line of versions, its last entry is
 * what the state says, and everything lies with the patient it belongs to now.
 */

const number = fc.constantFrom('A', 'B', 'C');
const hour = fc.integer({ min: 10, max: 23 });
const name = fc.constantFrom('张三', '李四');
const birthDate = fc.constantFrom('19900307', '19850515');

const statement: fc.Arbitrary<Statement> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        number: fc.constantFrom('R1', 'R2', 'R3'),
        of: number,
        name: fc.option(name, { nil: undefined }),
        birthDate,
        items: fc.constantFrom('K 4', 'K 5', 'K 4,Na 140', 'Na 141', 'GLU 5,GLU#2 6', 'GLU 5'),
        class: fc.constantFrom('inpatient' as const, undefined),
        visit: fc.constantFrom('V1', undefined),
        action: fc.constantFrom(
          'publish' as const,
          'publish' as const,
          'publish' as const,
          'hold' as const,
          'retract' as const,
        ),
        hour,
      })
      .map(({ hour, ...said }) => report({ ...said, at: `20240520${hour}0000` })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ of: number, name, birthDate, hour }).map(({ of, name, birthDate, hour }) =>
      registers(
        of,
        { name, birthDate },
        {
          messageTime: `20240520${hour}0000`,
          encounter: { diagnoses: [], visitNumber: 'V1', patientClass: 'inpatient' },
        },
      ),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(number, number).map(([a, b]) => merges(a, b)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(number, number)
      .map(([a, b]): Statement => ({ merge: { kind: 'unlink', retired: a, survivor: b } })),
  },
  { weight: 1, arbitrary: fc.constant<Statement>({ held: { code: 'MAP-3008', where: 'report.number' } }) },
);
type Step = Statement[] | 'minute' | 'hour' | 'again';
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.array(statement, { minLength: 1, maxLength: 3 }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>('minute', 'hour', 'again') },
);

async function play(steps: Step[], rules: Pick<MessageReader, 'corrections' | 'quietMs' | 'parkMs'>, batched: boolean) {
  const memory = memoryStore();
  let nowMs = 1_000_000;
  const stage = {
    store: memory.store,
    readers: new Map([['lis', statementReader(rules)]]),
    timeZone: 'Asia/Shanghai',
    clock: { now: () => nowMs, monotonic: () => 0 },
    setIdOf: (key: string) => key,
  };
  const work = async () => {
    while ((await mapBatch(stage)) > 0);
    for (let times = 0; (await mapDue(stage)) > 0; times++) if (times > 50) throw new Error('what is due never ends');
  };
  let fingerprint = 0;
  for (const step of steps) {
    if (step === 'minute') nowMs += 60_000;
    else if (step === 'hour') nowMs += 3_600_000;
    else if (step === 'again') await mapAgain(stage, 'lis', ++fingerprint);
    else memory.receive(JSON.stringify(step), nowMs);
    if (!batched) await work();
  }
  await work();
  // The time to park ends, then the quiet period of what was parked.
  for (let day = 0; day < 2; day++) {
    nowMs += 24 * 3_600_000;
    await work();
  }
  return memory;
}

function check({ journal, parts, states, store }: Awaited<ReturnType<typeof play>>): void {
  for (const [key, part] of parts) {
    if (part.kind === 'quarantined' && part.code === 'MAP-3013') throw new Error(`${key} threw`);
    if (part.kind === 'waiting' && part.code !== 'MAP-3014') throw new Error(`${key} still waits: ${part.code}`);
  }
  const last = new Map<string, (typeof journal)[number]>();
  for (const entry of journal) {
    const before = last.get(entry.reportKey);
    if (entry.version !== (before?.version ?? 0) + 1) throw new Error(`${entry.reportKey} skips a version`);
    if (entry.action === 'retract' && before?.action !== 'publish') throw new Error(`${entry.reportKey} was not there`);
    if (entry.action === 'retract' && before?.patientKey !== entry.patientKey)
      throw new Error('withdrawn in another lane');
    const { record } = JSON.parse(entry.content.reveal()) as JournalContent;
    const inHouse = record.patient.identifiers.filter(({ kind }) => kind === 'in-house').map(({ value }) => value);
    if (inHouse.join() !== entry.patientKey) throw new Error(`${entry.reportKey} names another patient than its lane`);
    last.set(entry.reportKey, entry);
  }
  for (const state of states()) {
    const entry = last.get(state.reportKey);
    if ((entry?.version ?? 0) !== state.version) throw new Error(`${state.reportKey} is another version`);
    if ((state.status === 'published') !== (entry?.action === 'publish'))
      throw new Error(`${state.reportKey} stands otherwise`);
    if (state.assembling) throw new Error(`${state.reportKey} was collected and never issued`);
    if (state.status !== 'published' || entry === undefined) continue;
    if (entry.patientKey !== state.patientKey) throw new Error(`${state.reportKey} lies in another lane`);
    if (survivorOf(state.patientKey, store.patient) !== state.patientKey) throw new Error('under a retired number');
  }
}

const minute = 60_000;
for (const corrections of ['unknown', 'snapshot', 'delta'] as const) {
  for (const [quietMs, parkMs] of [
    [0, 0],
    [10 * minute, 30 * minute],
  ] as const) {
    t.test(`histories: ${corrections}, quiet ${quietMs / minute} min, park ${parkMs / minute} min`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), fc.boolean(), async (steps, batched) => {
          check(await play(steps, { corrections, quietMs, parkMs }, batched));
        }),
        { numRuns: process.env.QIANZHI_PROOF === '1' ? 5000 : 150, seed: chooseSeed() },
      );
    });
  }
}
