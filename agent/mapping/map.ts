import { isOver } from '../clinical/reports/assembly.ts';
import type { Arrival } from '../clinical/reports/types.ts';
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
import type { MappingContext, MessageReader, Statement } from './mapper.ts';
import { type Known, openOverlay } from './overlay.ts';
import { mergePart, patientPart } from './patient-part.ts';
import { placed } from './place.ts';
import { placesOf } from './recognise-parts.ts';
import { type Making, quarantined, recordPart } from './record-part.ts';

/** A batch ends at whichever comes first. Records go to the writer compressed, a tenth of this: under its bound of 512 KB. */
const BATCH_MESSAGES = 100;
const BATCH_MS = 50;
const BATCH_OUTPUT_BYTES = 1024 * 1024;

export interface MappingStage {
  store: MappingStore;
  /** Compiled source profiles by source name. */
  readers: Map<string, MessageReader>;
  timeZone: string;
  /** Organisation code of the site. Absent: no profile tells institutions apart. */
  orgCode?: string;
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
  const inbox = () => stage.store.inbox(from, BATCH_MESSAGES);
  let batch = mapMessages(stage, inbox(), undefined, 'stop-at-quiet');
  if (batch.messages.length === 0) {
    if ([...stage.store.inbox(from, 1)].length === 0) return 0;
    // What was collected goes out before the message that came after its quiet period, however late both are mapped.
    while ((await mapDue(stage)) === BATCH_MESSAGES);
    batch = mapMessages(stage, inbox());
  }
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
    await readAgain(stage, first, stage.clock.now());
    done += 1;
  }
  await stage.store.commitMapping({ messages: [], reports: [], mark: { of, fingerprint } });
  return done;
}

/**
 * Reads again the messages with waiting parts whose time has come (a quiet period or the time to park is over), or
 * whose patient somebody has told of. While messages stand in the inbox it is as early as the next of them: what was
 * received before a period ended still belongs to it, however late it is mapped.
 * @returns how many were read again; at most a batch.
 */
export async function mapDue(stage: MappingStage): Promise<number> {
  const { store } = stage;
  let nowMs = stage.clock.now();
  if ([...store.due(nowMs, 1)].length === 0) return 0;
  for (const next of store.inbox(store.mappedThrough(), 1)) nowMs = Math.min(nowMs, next.receivedMs);
  let done = 0;
  // Asked for once a batch: after an outage thousands are due, and each time all of them are put in order.
  for (const message of store.due(nowMs, BATCH_MESSAGES)) {
    await readAgain(stage, message, nowMs);
    done += 1;
  }
  return done;
}

/** Maps one message again, without its parts that stand, and commits what is decided now. */
async function readAgain(
  stage: MappingStage,
  { message, keep }: { message: InboxMessage | DamagedMessage; keep: number[] },
  nowMs: number,
): Promise<void> {
  const again = { keep, nowMs };
  try {
    await stage.store.commitMapping({ ...mapMessages(stage, [message], again), through: undefined });
  } catch (error) {
    if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
    const aside = { ...setAside(message.seq, 'MAP-3013', 'write', again), keep };
    await stage.store.commitMapping({ messages: [aside], reports: [] });
  }
}

/** A message read again: the parts that stood when it was asked for, and the time. */
interface Again {
  keep: number[];
  nowMs: number;
}

/** A place that only keeps the numbering of the parts: decided before. */
const stood: Part = { kind: 'filtered', rule: 'stands' };
/** What stood in this place the message does not say any more, or says in another. */
const nothing: Part = { kind: 'filtered', rule: 'no-report' };

/** A message of one part; read again, it takes the first place that is free. */
function onePart(
  seq: number,
  type: string,
  lookups: MappedMessage['lookups'],
  part: Part,
  again?: Again,
): MappedMessage {
  const parts: Part[] = [];
  while (again?.keep.includes(parts.length)) parts.push(stood);
  return { seq, type, lookups, parts: [...parts, part] };
}

const setAside = (seq: number, code: string, where: string, again?: Again): MappedMessage =>
  onePart(seq, 'other', [], quarantined(code, where), again);

/**
 * Maps messages in order over what the store knows, and says all that changes: nothing is written.
 * @param stops ends the batch before a message whose report was collected and is due: that goes out first.
 */
export function mapMessages(
  stage: MappingStage,
  inbox: Iterable<InboxMessage | DamagedMessage>,
  again?: Again,
  stops?: 'stop-at-quiet',
): MappingBatch {
  const overlay = openOverlay(stage.store);
  const messages: MappedMessage[] = [];
  const started = stage.clock.monotonic();
  let through = 0;
  let bytes = 0;
  for (const message of inbox) {
    const known = overlay.begin();
    let mapped: MappedMessage | undefined;
    try {
      mapped =
        'damaged' in message
          ? setAside(message.seq, message.damaged, 'body', again)
          : mapOne(stage, message, known, again, stops);
      if (!mapped) break;
      known.keep();
    } catch (error) {
      mapped = setAside(message.seq, codeOf(error, 'MAP-3013'), 'mapping', again);
    }
    messages.push(again ? { keep: again.keep, ...mapped } : mapped);
    through = message.seq;
    bytes += outputBytes(mapped);
    if (bytes > BATCH_OUTPUT_BYTES || stage.clock.monotonic() - started > BATCH_MS) break;
  }
  return { messages, reports: overlay.reports(), patients: overlay.patients(), through };
}

function outputBytes({ parts }: MappedMessage): number {
  let bytes = 0;
  for (const part of parts) {
    if (part.kind === 'record') for (const { content } of part.entries) bytes += content.reveal().length;
  }
  return bytes;
}

function mapOne(
  stage: MappingStage,
  message: InboxMessage,
  known: Known,
  again?: Again,
  stops?: 'stop-at-quiet',
): MappedMessage | undefined {
  const { seq, source, receivedMs } = message;
  const reader = stage.readers.get(source);
  // A source that was taken out of the configuration while its messages waited.
  if (!reader) return setAside(seq, 'CFG-5009', 'source', again);
  const context: MappingContext = { receivedMs, source, timeZone: stage.timeZone };
  const reading = reader.read(message.raw, context);
  const { type, lookups } = reading;
  if (reading.kind === 'filtered') {
    return onePart(seq, type, lookups, { kind: 'filtered', rule: reading.rule }, again);
  }
  if (reading.kind === 'held') return onePart(seq, type, lookups, quarantined(reading.code, reading.where), again);
  // A heartbeat, for example: nothing in it to report.
  if (reading.statements.length === 0) {
    return onePart(seq, type, lookups, { kind: 'filtered', rule: 'no-report' }, again);
  }
  const { corrections, quietMs, parkMs, patientNumbers } = reader;
  const statements = reading.statements.map((statement) => placed(statement, patientNumbers, stage.orgCode));
  const isDue = (one: Statement) => 'ok' in one && isOver(known.report(one.ok.reportKey), receivedMs);
  if (stops && quietMs > 0 && statements.some(isDue)) return undefined;
  const rules = { corrections, quietMs, setIdOf: stage.setIdOf, nowMs: again?.nowMs ?? receivedMs };
  const making: Making = { known, context, rules, parkMs };
  const { places, keep } = again
    ? placesOf(statements, { seq, keep: again.keep, partsOf: stage.store.partsOf }, known)
    : { places: statements.map((_, part) => ({ part, stands: false })), keep: [] };
  const parts: Part[] = [];
  // Parts of this message that waited together, and of which one has just ended the waiting of all.
  const absorbed = new Set<string>();
  statements.forEach((statement, i) => {
    const { part, stands } = places[i] ?? { part: i, stands: false };
    if (stands) {
      // Asked once more, for what it could not move is damaged still.
      if ('merge' in statement) known.reportsOf(statement.merge.retired);
      return;
    }
    if (again && absorbed.has(`${seq}:${part}`)) {
      parts[part] = { kind: 'absorbed', reason: 'replaced', by: seq };
      return;
    }
    const made = partOf(statement, { seq, part }, making);
    if (made.kind === 'record' || made.kind === 'absorbed') for (const key of made.absorbs ?? []) absorbed.add(key);
    parts[part] = made;
  });
  // Damaged reports of a patient who was merged stay where they are: the others go, and a person is told.
  if (known.damaged()) parts[Math.max(parts.length, ...keep.map((part) => part + 1))] = damagedReport;
  const all = Array.from(parts, (part, i) => part ?? (keep.includes(i) ? stood : nothing));
  return { seq, type, lookups, parts: all, ...(again && { keep }) };
}

const damagedReport = quarantined('QUE-4003', 'reports');

function partOf(statement: Statement, arrival: Arrival, making: Making): Part {
  if ('held' in statement) return { kind: 'quarantined', ...statement.held };
  if ('filtered' in statement) return { kind: 'filtered', rule: statement.filtered };
  if ('patient' in statement) return patientPart(statement.patient, arrival, making);
  if ('merge' in statement) return mergePart(statement.merge, arrival, making);
  return recordPart(statement.ok, arrival, making);
}
