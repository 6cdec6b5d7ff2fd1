import { decide } from '../clinical/reports/life-cycle.ts';
import type { ReportState } from '../clinical/reports/types.ts';
import type { JournalContent } from '../rendering/format.ts';
import type {
  DamagedMessage,
  InboxMessage,
  MappedMessage,
  MappingBatch,
  MappingStore,
  Part,
} from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
import { phi } from '../support/phi.ts';
import type { MappingContext, MessageReader } from './mapper.ts';

/** A batch ends at whichever comes first. Records go to the writer compressed, a tenth of this: under its bound of 512 KB. */
const BATCH_MESSAGES = 100;
const BATCH_MS = 50;
const BATCH_OUTPUT_BYTES = 1024 * 1024;

export interface MappingStage {
  store: MappingStore;
  /** Compiled source profiles by source name. */
  readers: Map<string, MessageReader>;
  timeZone: string;
  /** Platform-facing identity of a report, stable for ever. */
  setIdOf: (reportKey: string) => string;
  clock: Clock;
}

/**
 * Maps one batch in arrival order over an in-memory overlay of report states and commits all its effects in
 * one transaction. @returns how many messages it mapped; 0 when the inbox is empty.
 * Rejects with the store's code (QUE-4001 while the disk is low): try again later.
 */
export async function mapBatch(stage: MappingStage): Promise<number> {
  const from = stage.store.mappedThrough();
  const batch = mapMessages(stage, stage.store.inbox(from, BATCH_MESSAGES));
  if (batch.messages.length === 0) return 0;
  try {
    await stage.store.commitMapping(batch);
    return batch.messages.length;
  } catch (error) {
    if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
  }
  // Something in the batch cannot be written: tried alone, the culprit is set aside and its neighbours go on.
  let done = 0;
  for (const message of [...stage.store.inbox(from, batch.messages.length)]) {
    const alone = mapMessages(stage, [message]);
    try {
      await stage.store.commitMapping(alone);
    } catch (error) {
      if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
      await stage.store.commitMapping({
        messages: [setAside(message.seq, 'MAP-3013', 'write')],
        reports: [],
        through: message.seq,
      });
    }
    done += 1;
  }
  return done;
}

/**
 * Reads the quarantined messages of a source again, because its profile or the program changed since they
 * were last tried. Only their quarantined parts are decided anew; order is kept by the report's own times
 * and the message's place in the order of arrival. @returns how many were read again.
 */
export async function mapAgain(stage: MappingStage, source: string, fingerprint: number): Promise<number> {
  const of = `profile:${source}`;
  if (stage.store.marked(of) === fingerprint) return 0;
  let done = 0;
  for (let after = 0; ; ) {
    const found = stage.store.quarantined(source, after, 1);
    const first = found[0];
    if (!first) break;
    after = first.message.seq;
    const batch = mapMessages(stage, [first.message], first.keep);
    await stage.store.commitMapping({ ...batch, through: undefined });
    done += 1;
  }
  await stage.store.commitMapping({ messages: [], reports: [], mark: { of, fingerprint } });
  return done;
}

const setAside = (seq: number, code: string, where: string): MappedMessage => ({
  seq,
  type: 'other',
  parts: [{ kind: 'quarantined', code, where }],
  lookups: [],
});

function mapMessages(
  stage: MappingStage,
  inbox: Iterable<InboxMessage | DamagedMessage>,
  keep?: number[],
): MappingBatch {
  const overlay = new Map<string, ReportState>();
  const messages: MappedMessage[] = [];
  const started = stage.clock.monotonic();
  let through = 0;
  let bytes = 0;
  for (const message of inbox) {
    const changed = new Map<string, ReportState>();
    let mapped: MappedMessage;
    try {
      mapped =
        'damaged' in message
          ? setAside(message.seq, message.damaged, 'body')
          : mapOne(
              stage,
              message,
              (key) => changed.get(key) ?? overlay.get(key) ?? stage.store.report(key),
              changed,
              keep,
            );
      for (const [key, state] of changed) overlay.set(key, state);
    } catch (error) {
      mapped = setAside(message.seq, codeOf(error, 'MAP-3013'), 'mapping');
    }
    messages.push(keep ? { ...mapped, keep } : mapped);
    through = message.seq;
    for (const part of mapped.parts) if (part.kind === 'record') bytes += part.content.reveal().length;
    if (bytes > BATCH_OUTPUT_BYTES || stage.clock.monotonic() - started > BATCH_MS) break;
  }
  return { messages, reports: [...overlay.values()], through };
}

function mapOne(
  stage: MappingStage,
  message: InboxMessage,
  stateOf: (reportKey: string) => ReportState | undefined,
  changed: Map<string, ReportState>,
  keep: number[] = [],
): MappedMessage {
  const { seq, source, receivedMs } = message;
  const reader = stage.readers.get(source);
  // A source that was taken out of the configuration while its messages waited.
  if (!reader) return setAside(seq, 'CFG-5009', 'source');
  const context: MappingContext = { receivedMs, source, timeZone: stage.timeZone };
  const reading = reader.read(message.raw, context);
  const { type, lookups } = reading;
  if (reading.kind === 'filtered') return { seq, type, lookups, parts: [{ kind: 'filtered', rule: reading.rule }] };
  if (reading.kind === 'held') {
    return { seq, type, lookups, parts: [{ kind: 'quarantined', code: reading.code, where: reading.where }] };
  }
  const parts = reading.statements.map((statement, part): Part => {
    // Decided long ago; its place only keeps the numbering of the parts.
    if (keep.includes(part)) return { kind: 'filtered', rule: 'stands' };
    if ('held' in statement) return { kind: 'quarantined', ...statement.held };
    const said = statement.ok;
    const decision = decide(
      stateOf(said.reportKey),
      said,
      { seq, part },
      { corrections: reader.corrections, setIdOf: stage.setIdOf },
    );
    if (decision.do === 'hold') return { kind: 'quarantined', code: decision.code, where: decision.where };
    const by = stateOf(said.reportKey)?.appliedSeq;
    changed.set(said.reportKey, decision.next);
    if (decision.do === 'wait') return { kind: 'waiting', code: decision.code, reportKey: said.reportKey };
    if (decision.do === 'absorb') return { kind: 'absorbed', reason: decision.reason, by, absorbs: decision.absorbs };
    const content: JournalContent = {
      record: decision.report,
      context: { receivedMs, source, timeZone: stage.timeZone, messageTime: said.messageTime },
    };
    return {
      kind: 'record',
      action: decision.do,
      recordKind: decision.report.kind,
      reportKey: said.reportKey,
      setId: decision.next.setId,
      version: decision.next.version,
      patientKey: decision.next.patientKey,
      content: phi(JSON.stringify(content)),
      findings: said.findings,
      absorbs: decision.absorbs,
    };
  });
  // A heartbeat, for example: nothing in it to report.
  if (parts.length === 0) parts.push({ kind: 'filtered', rule: 'no-report' });
  return { seq, type, lookups, parts };
}
