import { mapAgain, mapBatch, mapDue } from '../../../agent/mapping/map.ts';
import type { MessageReader, Reading, Statement } from '../../../agent/mapping/mapper.ts';
import type { JournalContent } from '../../../agent/rendering/format.ts';
import { quickRig } from '../store/rig.ts';

/** Reads a message that is the JSON of its statements. */
export const statementReader = (rules: Partial<Omit<MessageReader, 'read'>> = {}): MessageReader => ({
  corrections: 'unknown',
  quietMs: 0,
  parkMs: 0,
  ...rules,
  read: (raw): Reading => ({
    kind: 'statements',
    type: 'ORU^R01',
    statements: JSON.parse(Buffer.from(raw.reveal()).toString()) as Statement[],
    lookups: [],
  }),
});

/**
 * Mapping over a real store, without a wire format: a message is the JSON of its statements, and the clock stands
 * still until it is set.
 */
export async function mappingRig(rules: Partial<Omit<MessageReader, 'read'>> = {}) {
  const rig = await quickRig();
  let nowMs = 1_700_000_000_000;
  const reader = statementReader(rules);
  const stage = {
    store: rig.view,
    readers: new Map([
      ['lis', reader],
      ['his', reader],
    ]),
    timeZone: 'Asia/Shanghai',
    clock: { now: () => nowMs, monotonic: () => 0 },
    setIdOf: (key: string) => Buffer.from(key).toString('hex').padEnd(32, '0').slice(0, 32),
  };
  let seq = 0;
  const receive = async (source: string, statements: Statement[]): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(statements));
    await rig.store.accept({ source, bytes, controlId: Buffer.from(`C${++seq}`), receivedMs: nowMs });
  };
  return {
    ...rig,
    stage,
    reader,
    pass: (minutes: number) => {
      nowMs += minutes * 60_000;
    },
    /** Takes a message in, without mapping it. */
    receive: (...statements: Statement[]) => receive('lis', statements),
    /** Takes a message of the hospital's own system in, maps it, then what is due. */
    async registrationSays(...statements: Statement[]) {
      await receive('his', statements);
      await this.map();
    },
    /** Takes a message in, maps it, then what is due. */
    async say(...statements: Statement[]) {
      await this.receive(...statements);
      await this.map();
    },
    async map() {
      while ((await mapBatch(stage)) > 0);
      return mapDue(stage);
    },
    again: (fingerprint: number) => mapAgain(stage, 'lis', fingerprint),
    /** The journal in short: `publish R1 v1 张三 P1`. */
    journal: () =>
      [...rig.view.journal('province', 1000)].map(({ action, version, content }) => {
        const { record } = JSON.parse(content.reveal()) as JournalContent;
        const number = record.kind === 'lab-report' ? record.reportNumber : record.kind;
        const inHouse = record.patient.identifiers.find(({ kind }) => kind === 'in-house')?.value;
        return `${action} ${number} v${version} ${record.patient.name ?? '-'} ${inHouse}`;
      }),
    records: () =>
      [...rig.view.journal('province', 1000)].map(({ content }) => JSON.parse(content.reveal()) as JournalContent),
    problems: async () => (await rig.store.problems(10)).map(({ code, where }) => `${code} ${where}`),
  };
}
