import { buildAck } from '../../../adapters/hl7v2/ack.ts';
import { buildBatchAck } from '../../../adapters/hl7v2/batch.ts';
import { decodeMessage } from '../../../adapters/hl7v2/charset.ts';
import { createFramer, frame } from '../../../adapters/hl7v2/framing.ts';
import { readMsh } from '../../../adapters/hl7v2/msh.ts';
import { fieldText, type Hl7Message, parseMessage, repetitionsOf, valueAt } from '../../../adapters/hl7v2/parser.ts';
import { checkProfile, compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { type TakenApart, takeApart } from '../../../adapters/hl7v2/take-apart.ts';
import { type FrameVerdict, judgeFrame } from '../../../adapters/sources/hl7-mllp/verdict.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { isErrorCode } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';
import { longestInput } from './mutations.ts';

const profile = readAsset('config/dialects/cn-default.yaml');
const rules = checkProfile(profile).profile.intake;
const reader = compileProfile(profile);
const context = { receivedMs: Date.UTC(2024, 4, 20, 2, 30), source: 'lis', timeZone: 'Asia/Shanghai' };
const mostInBatch = 10_000;

/** Runs one step of the way, which nothing else of the thread can come between. */
export type Step = <T>(work: () => T) => T;

const fail = (what: string): never => {
  throw new Error(what);
};

/** How many messages of a frame the listener judges, or answers, in one turn. */
const atOnce = 64;

/**
 * What the listener does with bytes from a socket, but for the store: framed, taken apart, judged, answered. Gives the
 * messages, however many the payload turned out to hold.
 */
export function takeIn(payload: Uint8Array, chunks: readonly number[], step: Step): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (const { bytes, apart } of framesOf(payload, chunks, step)) {
    // A frame of too many is refused as one.
    const parts = apart === undefined ? [bytes] : apart.overfull ? [] : apart.parts;
    const verdicts: FrameVerdict[] = [];
    for (let at = 0; at < parts.length; at += atOnce) {
      step(() => {
        for (const part of parts.slice(at, at + atOnce)) verdicts.push(judgeFrame(part, rules));
      });
    }
    const acks: Uint8Array[] = [];
    for (let at = 0; at < verdicts.length; at += atOnce) {
      step(() => {
        for (const verdict of verdicts.slice(at, at + atOnce)) acks.push(...(answerTo(verdict) ?? []));
      });
    }
    const envelope = apart?.envelope;
    if (envelope !== undefined) step(() => buildBatchAck(envelope, acks, 'Q1', 0));
    messages.push(...parts);
  }
  return messages;
}

/** The listener takes a few frames in one turn; here one is a step. */
function framesOf(payload: Uint8Array, chunks: readonly number[], step: Step) {
  const framer = createFramer({ maxMessageBytes: 2 * longestInput, requireEnd: false });
  const framed = frame(payload);
  let at = 0;
  for (const size of chunks) {
    framer.push(framed.subarray(at, at + size));
    at += size;
  }
  framer.push(framed.subarray(at));
  const frames: Array<{ bytes: Uint8Array; apart: TakenApart | undefined }> = [];
  const next = () => step(() => framer.next());
  for (let event = next(); event !== undefined; event = next()) {
    if (event.kind === 'oversize') fail('more than was sent');
    if (event.kind !== 'frame') continue;
    const { bytes } = event;
    frames.push({ bytes, apart: step(() => takeApart(bytes, mostInBatch, rules.charset)) });
  }
  return frames;
}

function answerTo(verdict: FrameVerdict): [Uint8Array] | undefined {
  if (verdict.kind === 'ignore' || (verdict.kind === 'store' && !verdict.answered)) return undefined;
  const answer = verdict.kind === 'refuse' ? verdict.answer : ({ code: 'AA' } as const);
  if (answer === undefined) return undefined;
  const ack = buildAck(verdict.msh, answer, 'Q1', 0);
  // A header of nearly 64 KB is echoed in one that is longer, which no reader of ours takes whole.
  const isReadable = ack.length > longestInput - 1024 || readMsh(ack)?.hasMsa === true;
  return isReadable ? [ack] : fail('our answer cannot be read');
}

/** Every field of one message read. */
export function readFields(part: Uint8Array): void {
  const decoded = decodeMessage(part, rules.charset);
  const message = decoded.ok ? parseMessage(decoded.text) : undefined;
  if (message !== undefined) everyField(message);
}

/** What the mapping does with one stored message. */
export function readMessage(part: Uint8Array): void {
  const reading = reader.read(phi(part), context);
  if (reading.kind === 'held' && !isErrorCode(reading.code)) fail(`unknown code ${reading.code}`);
  if (reading.kind === 'statements') {
    if (reading.statements.length === 0) fail('nothing said');
    for (const statement of reading.statements) checkStatement(statement);
  }
  if (reading.lookups.some(({ value }) => value.reveal() === '')) fail('an empty search key');
}

function checkStatement(statement: Statement): void {
  if ('held' in statement && !isErrorCode(statement.held.code)) fail(`unknown code ${statement.held.code}`);
  if ('ok' in statement && statement.ok.findings.length > 300) fail('findings without bound');
}

/** Each field whole, in its repetitions, and as the value that a path to it gives. */
export function everyField(message: Hl7Message): number {
  let said = 0;
  for (const segment of message.segments) {
    fieldText(message, segment, 3);
    const count = (segment.bounds?.length ?? 0) + 1;
    for (let field = 1; field <= count; field++) {
      const whole = fieldText(message, segment, field);
      if (whole === '') continue;
      said += repetitionsOf(message, whole).length;
      said += valueAt(message, segment, field).length + valueAt(message, segment, field, 2, 2, 2).length;
    }
  }
  return said;
}
