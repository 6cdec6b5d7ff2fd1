import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode } from '../../../agent/support/errors.ts';
import { giveBack } from '../../../agent/support/memory.ts';
import { buildAck, isAcknowledgement } from '../../hl7v2/ack.ts';
import { ackProfiles, answersTo, hasUnknownCondition } from '../../hl7v2/ack-profiles.ts';
import { isTaken, type Outcome } from '../../hl7v2/answer.ts';
import { buildBatchAck } from '../../hl7v2/batch.ts';
import { calledItself } from '../../hl7v2/called-itself.ts';
import { type Msh, readMsh } from '../../hl7v2/msh.ts';
import { namesNobody } from '../../hl7v2/senders.ts';
import { inTurns, type TakenApart, takingApart } from '../../hl7v2/take-apart.ts';
import type { Parties, Party } from './parties.ts';
import { type FrameVerdict, judgeFrame, wordsOf } from './verdict.ts';

/** Messages of one connection taken and not yet answered, and their bytes, beyond which it is not read. */
const mostUnanswered = 64;
const mostUnansweredBytes = 1024 * 1024;
/** Messages of one frame: its answer is held until the last of them is durable. */
const mostInBatch = 10_000;

/** Messages of one frame judged, or answers made or sent, in one turn; then the other connections have theirs. */
const mostInTurn = 64;

/** What a connection's messages tell its listener. */
export interface StoreNotes {
  /** The store took a message, or (with its code) could not. Every waiting connection may try again. */
  stored(failure?: ErrorCode): void;
}

export interface AnsweringParts {
  /** Address of who is connected. */
  peer: string;
  parties: Parties;
  clock: Clock;
  ackId(): string;
  notes: StoreNotes;
  /** Sends one answer; its turn has come. */
  send(answer: Written): void;
  /** A payload has been dealt with: another may be taken. */
  settled(): void;
  /** Something was thrown that cannot be: nothing more is answered. */
  failed(error: unknown): void;
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
  /** A payload is being taken apart, or its messages are on their way one after the other: all of it is held. */
  holdsPayload(): boolean;
  /** Every payload taken is dealt with. */
  isIdle(): boolean;
}

type StoreVerdict = Extract<FrameVerdict, { kind: 'store' }>;

/** An answer as it goes out. */
export interface Written {
  /** Whom it is for. */
  party: Party;
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
  party: Party;
  msh: Msh | undefined;
  outcome: Outcome;
}

export function createAnswering(parts: AnsweringParts): Answering {
  const { peer, parties, clock, notes } = parts;
  const { charset } = parties.own.rules;
  const slots: Slot[] = [];
  let unansweredBytes = 0;
  /** Nothing after a batch goes to the store before the last of it, nor anything while a payload is taken apart. */
  let inBatch = false;
  let takingOneApart = false;
  let sending = false;
  const toldOfConditions = new Set<Party>();

  /** A message and whose it is; `batch`: the header of the batch it came in. */
  const judge = (payload: Uint8Array, batch?: Msh): { party: Party; verdict: FrameVerdict } => {
    const msh = readMsh(payload, charset);
    const party = parties.of(peer, msh, batch);
    const { rules, refused } = party;
    // Only a header without a declared charset is cut otherwise by the sender's own.
    const read = rules.charset === charset ? msh : readMsh(payload, rules.charset);
    return { party, verdict: judgeFrame(payload, rules, read, refused) };
  };
  const written = ({ party, msh, outcome }: Said): Written[] => {
    const profile = ackProfiles[party.rules.ack];
    return answersTo(profile, msh, outcome).map((answer) => ({
      party,
      code: answer.code,
      bytes: buildAck(msh, answer, parts.ackId(), clock.now(), profile),
    }));
  };
  const openSlot = (): Slot => {
    const slot: Slot = { settled: false, answers: [] };
    slots.push(slot);
    return slot;
  };
  const settle = (slot: Slot, answers: Written[]) => {
    slot.answers = answers;
    slot.settled = true;
    sendSettled();
    parts.settled();
  };
  const sendSettled = () => {
    if (sending) return;
    let room = mostInTurn;
    while (slots[0]?.settled === true && room > 0) {
      const answers = slots[0].answers.splice(0, room);
      room -= answers.length;
      for (const answer of answers) parts.send(answer);
      if (slots[0].answers.length === 0) slots.shift();
    }
    if (slots[0]?.settled !== true) return;
    sending = true;
    const goOn = async () => {
      await nextTurn();
      sending = false;
      sendSettled();
      parts.settled();
    };
    goOn().catch(parts.failed);
  };
  const tell = (party: Party, msh: Msh | undefined, code: ErrorCode) =>
    party.problem(peer, code, 1, code === party.refused && msh ? calledItself(msh) : undefined);
  const refuse = (party: Party, msh: Msh | undefined, outcome: Outcome | undefined, code: ErrorCode) => {
    tell(party, msh, code);
    settle(openSlot(), outcome === undefined ? [] : written({ party, msh, outcome }));
  };

  /** Makes a message durable; gives what is to be said about it, if anything. */
  const keep = async (bytes: Uint8Array, party: Party, verdict: StoreVerdict): Promise<Said | undefined> => {
    const { msh, answered } = verdict;
    unansweredBytes += bytes.length;
    party.message(peer);
    if (!toldOfConditions.has(party) && hasUnknownCondition(ackProfiles[party.rules.ack], msh)) {
      toldOfConditions.add(party);
      party.problem(peer, 'HL7-2112');
    }
    let failure: ErrorCode | undefined;
    let controlIdReused = false;
    try {
      ({ controlIdReused } = await party.accept({ bytes, controlId: msh.controlId, receivedMs: clock.now() }));
    } catch (error) {
      failure = codeOf(error, 'QUE-4007');
    }
    unansweredBytes -= bytes.length;
    notes.stored(failure);
    if (controlIdReused && party.rules.control_ids !== 'restarting') party.problem(peer, 'HL7-2103');
    if (!answered) return undefined;
    const outcome: Outcome =
      failure === undefined ? { code: 'AA' } : { code: 'AE', condition: 207, text: wordsOf(failure) };
    return { party, msh, outcome };
  };
  /** What failed may not have left for the store yet. */
  const giveBackStored = (bytes: Uint8Array, said: Said | undefined) => {
    if (said !== undefined && isTaken(said.outcome)) giveBack(bytes);
  };
  const storeOne = async (bytes: Uint8Array, party: Party, verdict: StoreVerdict) => {
    const slot = openSlot();
    const said = await keep(bytes, party, verdict);
    const answers = said === undefined ? [] : written(said);
    giveBackStored(bytes, said);
    settle(slot, answers);
  };
  const judgeAndKeep = async (part: Uint8Array, batch: Msh | undefined): Promise<Said | undefined> => {
    const { party, verdict } = judge(part, batch);
    if (verdict.kind === 'ignore') return undefined;
    // What goes to the store is in a buffer of its own.
    if (verdict.kind === 'store') {
      const own = new Uint8Array(part);
      const said = await keep(own, party, verdict);
      giveBackStored(own, said);
      return said;
    }
    const { msh, answer, problem } = verdict;
    tell(party, msh, problem);
    return answer && { party, msh, outcome: answer };
  };
  /** Each message of a frame is judged and stored by itself. */
  const storeEach = async ({ envelope, parts: messages, headers, miscounted }: TakenApart) => {
    const slot = openSlot();
    inBatch = true;
    const header = envelope?.header;
    if (miscounted) partyOfBatch(header, messages).problem(peer, 'HL7-2107');
    const said: Said[] = [];
    for (let at = 0; at < messages.length; at += mostUnanswered) {
      const next = messages.slice(at, at + mostUnanswered);
      const some = await Promise.all(next.map((part, n) => judgeAndKeep(part, headers[at + n])));
      for (const one of some) if (one !== undefined) said.push(one);
      // Where none of them is for the store nothing has been waited for.
      if (at + mostUnanswered < messages.length) await nextTurn();
    }
    const answers = await (envelope === undefined
      ? ofSeveral(said)
      : ofBatch(said, envelope, partyOfBatch(header, messages)));
    inBatch = false;
    settle(slot, answers);
  };
  /** A batch is whose its header says; where that names nobody, its first message's. */
  const partyOfBatch = (header: Msh | undefined, [first]: readonly Uint8Array[]): Party =>
    parties.of(peer, header !== undefined && !namesNobody(header) ? header : first && readMsh(first, charset));
  const writtenInTurns = async (said: Said[]): Promise<Written[]> => {
    const answers: Written[] = [];
    for (const [n, one] of said.entries()) {
      if (n > 0 && n % mostInTurn === 0) await nextTurn();
      answers.push(...written(one));
    }
    return answers;
  };
  /** Without an envelope each message has its answers, or by rule the first has them for all. */
  const ofSeveral = async (said: Said[]): Promise<Written[]> => {
    // What stands outside of the messages nobody waits to hear of, where a message is there to be answered.
    const messages = said.filter(({ msh }) => msh !== undefined);
    const told = messages.length > 0 ? messages : said;
    return told[0]?.party.rules.several_messages === 'each' ? writtenInTurns(told) : firstForAll(told);
  };
  /** The first is answered for all, with an error where one of them could not be taken. */
  const firstForAll = (said: Said[]): Written[] => {
    const [first] = said;
    if (first === undefined) return [];
    const { outcome } = said.find((one) => !isTaken(one.outcome)) ?? first;
    return written({ ...first, outcome });
  };
  /** One frame back for a batch. */
  const ofBatch = async (
    said: Said[],
    envelope: NonNullable<TakenApart['envelope']>,
    party: Party,
  ): Promise<Written[]> => {
    if (party.rules.batch_answers === 'first') return firstForAll(said);
    const answers = await writtenInTurns(said);
    const first = answers.find(({ code }) => code !== 'AA' && code !== 'CA') ?? answers[0];
    if (first === undefined) return [];
    const acks = answers.map(({ bytes }) => bytes);
    return [{ party, code: first.code, bytes: buildBatchAck(envelope, acks, parts.ackId(), clock.now()) }];
  };

  const deal = (payload: Uint8Array, apart: TakenApart | undefined) => {
    if (apart?.overfull === true) {
      const { envelope } = apart;
      const header = envelope?.header && { ...envelope.header, controlId: envelope.controlId };
      const outcome: Outcome = { code: 'AR', condition: 207, text: 'Too many messages in one batch' };
      return refuse(partyOfBatch(header, apart.parts), header, outcome, 'MLLP-2004');
    }
    if (apart !== undefined) return void storeEach(apart).then(() => giveBack(payload), parts.failed);
    const { party, verdict } = judge(payload);
    if (verdict.kind === 'store') return void storeOne(payload, party, verdict).catch(parts.failed);
    if (verdict.kind === 'refuse') refuse(party, verdict.msh, verdict.answer, verdict.problem);
    giveBack(payload);
  };

  return {
    take(payload) {
      takingOneApart = true;
      let isLater = false;
      const take = (apart: TakenApart | undefined) => {
        takingOneApart = false;
        deal(payload, apart);
        if (isLater) parts.settled();
      };
      inTurns(takingApart(payload, mostInBatch, charset), take, parts.failed);
      isLater = true;
    },
    refuseOversize(head) {
      const msh = readMsh(head, charset);
      const party = parties.of(peer, msh);
      // AR: the same message would be refused for ever; with AE a sender's queue stands behind it.
      const outcome: Outcome = { code: 'AR', condition: 207, text: 'Message exceeds the size limit' };
      if (msh === undefined || isAcknowledgement(msh)) party.problem(peer, 'MLLP-2004');
      else refuse(party, msh, outcome, 'MLLP-2004');
    },
    hasRoom: () =>
      !takingOneApart && !inBatch && slots.length < mostUnanswered && unansweredBytes <= mostUnansweredBytes,
    holdsPayload: () => takingOneApart || inBatch,
    isIdle: () => !takingOneApart && slots.length === 0,
  };
}
