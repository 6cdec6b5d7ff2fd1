import type { Accepted, Incoming } from '../../../agent/store/contract.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode } from '../../../agent/support/errors.ts';
import { buildAck, isAcknowledgement } from '../../hl7v2/ack.ts';
import { ackProfiles, answersTo, hasUnknownCondition } from '../../hl7v2/ack-profiles.ts';
import { isTaken, type Outcome } from '../../hl7v2/answer.ts';
import { buildBatchAck } from '../../hl7v2/batch.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import { type TakenApart, takeApart } from '../../hl7v2/take-apart.ts';
import { type FrameVerdict, judgeFrame, wordsOf } from './verdict.ts';

/** Messages of one connection taken and not yet answered, beyond which it is not read. */
const mostUnanswered = 64;
/** Messages of one frame: its answer is held until the last of them is durable. */
const mostInBatch = 10_000;

/** What a connection's messages tell its listener. */
export interface MessageNotes {
  problem(code: ErrorCode, count?: number): void;
  /** A message was taken for storing. */
  message(): void;
  /** The store took a message, or (with its code) could not. Every waiting connection may try again. */
  stored(failure?: ErrorCode): void;
}

export interface AnsweringParts {
  rules: IntakeRules;
  maxMessageBytes: number;
  clock: Clock;
  accept(message: Omit<Incoming, 'source'>): Promise<Accepted>;
  ackId(): string;
  notes: MessageNotes;
  /** Sends one answer; its turn has come. */
  send(code: string, bytes: Uint8Array): void;
  /** A payload has been dealt with: another may be taken. */
  settled(): void;
}

/**
 * What becomes of the payloads of one connection. They go to the store in the order received, several at a time if the sender
 * pipelines; answers leave in the same order, each only after its message is durable (invariant 1).
 */
export interface Answering {
  take(payload: Uint8Array): void;
  /** Of a payload over the size limit only the beginning is known. */
  refuseOversize(head: Uint8Array): void;
  /** Room for another payload. */
  hasRoom(): boolean;
  /** Every payload taken is dealt with. */
  isIdle(): boolean;
}

type StoreVerdict = Extract<FrameVerdict, { kind: 'store' }>;

interface Written {
  code: string;
  bytes: Uint8Array;
}
interface Slot {
  settled: boolean;
  /** One a frame. */
  answers: Written[];
}
/** What became of one message. */
interface Said {
  msh: Msh | undefined;
  outcome: Outcome;
}

export function createAnswering(parts: AnsweringParts): Answering {
  const { rules, clock, notes } = parts;
  const profile = ackProfiles[rules.ack];
  const slots: Slot[] = [];
  let unansweredBytes = 0;
  /** Nothing after a batch goes to the store before the last of it. */
  let inBatch = false;
  let unknownConditionTold = false;

  const written = ({ msh, outcome }: Said): Written[] =>
    answersTo(profile, msh, outcome).map((answer) => ({
      code: answer.code,
      bytes: buildAck(msh, answer, parts.ackId(), clock.now(), profile),
    }));
  const openSlot = (): Slot => {
    const slot: Slot = { settled: false, answers: [] };
    slots.push(slot);
    return slot;
  };
  const settle = (slot: Slot, answers: Written[]) => {
    slot.answers = answers;
    slot.settled = true;
    while (slots[0]?.settled === true)
      for (const { code, bytes } of slots.shift()?.answers ?? []) parts.send(code, bytes);
    parts.settled();
  };
  const refuse = (msh: Msh | undefined, outcome: Outcome, code: ErrorCode) => {
    notes.problem(code);
    settle(openSlot(), written({ msh, outcome }));
  };

  /** Makes a message durable; gives what is to be said about it, if anything. */
  const keep = async (bytes: Uint8Array, { msh, answered }: StoreVerdict): Promise<Said | undefined> => {
    unansweredBytes += bytes.length;
    notes.message();
    if (!unknownConditionTold && hasUnknownCondition(profile, msh)) {
      unknownConditionTold = true;
      notes.problem('HL7-2112');
    }
    let failure: ErrorCode | undefined;
    try {
      const accepted = await parts.accept({ bytes, controlId: msh.controlId, receivedMs: clock.now() });
      if (accepted.controlIdReused) notes.problem('HL7-2103');
    } catch (error) {
      failure = codeOf(error, 'QUE-4007');
    }
    unansweredBytes -= bytes.length;
    notes.stored(failure);
    if (!answered) return undefined;
    const outcome: Outcome =
      failure === undefined ? { code: 'AA' } : { code: 'AE', condition: 207, text: wordsOf(failure) };
    return { msh, outcome };
  };
  const storeOne = async (bytes: Uint8Array, verdict: StoreVerdict) => {
    const slot = openSlot();
    const said = await keep(bytes, verdict);
    settle(slot, said === undefined ? [] : written(said));
  };
  const judgeAndKeep = async (part: Uint8Array): Promise<Said | undefined> => {
    const verdict = judgeFrame(part, rules);
    if (verdict.kind === 'ignore') return undefined;
    // What goes to the store is in a buffer of its own.
    if (verdict.kind === 'store') return keep(new Uint8Array(part), verdict);
    notes.problem(verdict.problem);
    return { msh: verdict.msh, outcome: verdict.answer };
  };
  /** Each message of a frame is judged and stored by itself. */
  const storeEach = async ({ envelope, parts: messages, miscounted }: TakenApart) => {
    const slot = openSlot();
    inBatch = true;
    if (miscounted) notes.problem('HL7-2107');
    const said: Said[] = [];
    for (let at = 0; at < messages.length; at += mostUnanswered) {
      const some = await Promise.all(messages.slice(at, at + mostUnanswered).map(judgeAndKeep));
      for (const one of some) if (one !== undefined) said.push(one);
    }
    inBatch = false;
    settle(slot, envelope === undefined ? ofSeveral(said) : ofBatch(said, envelope));
  };
  /** Without an envelope each message has its answers, or by rule the first has them for all. */
  const ofSeveral = (said: Said[]): Written[] => {
    // What stands outside of the messages nobody waits to hear of, where a message is there to be answered.
    const messages = said.filter(({ msh }) => msh !== undefined);
    const told = messages.length > 0 ? messages : said;
    const [first] = told;
    if (rules.several_messages === 'each' || first === undefined) return told.flatMap(written);
    const { outcome } = told.find((one) => !isTaken(one.outcome)) ?? first;
    return written({ msh: first.msh, outcome });
  };
  /** One frame back for a batch. */
  const ofBatch = (said: Said[], envelope: NonNullable<TakenApart['envelope']>): Written[] => {
    const answers = said.flatMap(written);
    const first = answers.find(({ code }) => code !== 'AA' && code !== 'CA') ?? answers[0];
    if (first === undefined) return [];
    const acks = answers.map(({ bytes }) => bytes);
    return [{ code: first.code, bytes: buildBatchAck(envelope, acks, parts.ackId(), clock.now()) }];
  };

  return {
    take(payload) {
      const apart = takeApart(payload, mostInBatch, rules.charset);
      if (apart?.overfull === true) {
        const { envelope } = apart;
        const header = envelope?.header && { ...envelope.header, controlId: envelope.controlId };
        const outcome: Outcome = { code: 'AR', condition: 207, text: 'Too many messages in one batch' };
        return refuse(header, outcome, 'MLLP-2004');
      }
      if (apart !== undefined) return void storeEach(apart);
      const verdict = judgeFrame(payload, rules);
      if (verdict.kind === 'refuse') refuse(verdict.msh, verdict.answer, verdict.problem);
      else if (verdict.kind === 'store') void storeOne(payload, verdict);
    },
    refuseOversize(head) {
      const msh = readMsh(head, rules.charset);
      // AR: the same message would be refused for ever; with AE a sender's queue stands behind it.
      const outcome: Outcome = { code: 'AR', condition: 207, text: 'Message exceeds the size limit' };
      if (msh === undefined || isAcknowledgement(msh)) notes.problem('MLLP-2004');
      else refuse(msh, outcome, 'MLLP-2004');
    },
    hasRoom: () => !inBatch && slots.length < mostUnanswered && unansweredBytes <= parts.maxMessageBytes,
    isIdle: () => slots.length === 0,
  };
}
