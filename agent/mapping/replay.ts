import type { DamagedMessage, InboxMessage, MappingStore, Part, RecordEntry } from '../store/contract.ts';
import type { ScratchStates } from '../store/sqlite/replay/replay-scratch.ts';
import type { MadeEntry, ReplayView } from '../store/sqlite/replay/replay-view.ts';
import { systemClock } from '../support/clock.ts';
import { tidyMemory } from '../support/memory.ts';
import { type MappingStage, mapMessages } from './map.ts';
import type { DocumentsCompared } from './replay-documents.ts';

export interface ReplayStage extends Pick<MappingStage, 'readers' | 'timeZone' | 'orgCode' | 'setIdOf'> {
  view: ReplayView;
  scratch: ScratchStates;
  /** Renders entries again and compares: here, or in a thread beside. */
  compare(entries: MadeEntry[]): DocumentsCompared | Promise<DocumentsCompared>;
}

export interface ReplayFigures {
  messages: number;
  /** Messages whose records came out as they are in the journal, and others. */
  same: number;
  different: number;
  /** Damaged messages and entries: nothing to compare. */
  damaged: number;
  documents: { same: number; different: number };
  /** Of the first different ones: the message, and at documents the platform. */
  examples: Array<{ seq: number; platform?: string }>;
}

const EXAMPLES = 20;
/** Entries that are compared at once, and how many lots of them are on their way. */
const LOT = 100;
const LOTS = 3;
const decidedLate = new Set<Part['kind']>(['waiting', 'quarantined']);

/**
 * Maps and renders everything again that a store has received, in the order in which it was decided then, and compares
 * with what was made of it, byte by byte. With the profiles, packs and program of then nothing differs ("as then");
 * with those of today the differences are what today's rules would say ("as now"). It changes nothing: states go to
 * `scratch`. Memory grows with the number of messages that differ, and no other.
 */
export async function replay(
  stage: ReplayStage,
  progress: (figures: ReplayFigures) => void = () => {},
): Promise<ReplayFigures> {
  const { view, scratch } = stage;
  const figures: ReplayFigures = {
    messages: 0,
    same: 0,
    different: 0,
    damaged: 0,
    documents: { same: 0, different: 0 },
    examples: [],
  };
  /** Of messages with parts that wait or are held: what else became of them. What is open a later decision may be about. */
  const open = new Map<number, Decided>();
  const partsOf: MappingStore['partsOf'] = (seq, reportKey) =>
    (open.get(seq)?.made ?? []).flatMap((m) => ((reportKey ?? m.reportKey) === m.reportKey ? [m.part] : []));
  const mapping: MappingStage = { ...stage, store: { ...statesOf(scratch), partsOf }, clock: systemClock };
  let lot: MadeEntry[] = [];
  const underWay: Array<DocumentsCompared | Promise<DocumentsCompared>> = [];
  const made = view.journal()[Symbol.iterator]();
  let next = made.next();

  const note = (seq: number, platform?: string): void => {
    if (figures.examples.length < EXAMPLES) figures.examples.push(platform === undefined ? { seq } : { seq, platform });
  };
  /** A message may be decided in several goes, and counts once: as the worst of them. */
  const different = new Set<number>();
  const damaged = new Set<number>();
  const differs = (seq: number): void => {
    if (different.has(seq) || damaged.has(seq)) return;
    different.add(seq);
    note(seq);
  };
  const settle = (): void => {
    figures.different = different.size;
    figures.damaged = damaged.size;
    figures.same = figures.messages - different.size - damaged.size;
  };

  /** Decides a message, or what was left open of it, and compares with the entries that follow in the journal. */
  const decide = (message: InboxMessage | DamagedMessage, before?: Decided): void => {
    const again = before && { keep: before.keep, nowMs: Number.MAX_SAFE_INTEGER };
    const batch = mapMessages(mapping, [message], again);
    const parts = batch.messages[0]?.parts ?? [];
    const records = parts.flatMap((part, i) =>
      part.kind === 'record' ? part.entries.map(({ reportKey }) => ({ part: i, reportKey })) : [],
    );
    if (parts.some(({ kind }) => decidedLate.has(kind))) {
      const keep = parts.flatMap(({ kind }, i) => (decidedLate.has(kind) ? [] : [i]));
      open.set(message.seq, { keep, made: [...(before?.made ?? []), ...records] });
    } else open.delete(message.seq);

    const now = parts.flatMap((part) => (part.kind === 'record' ? part.entries : []));
    const then: MadeEntry[] = [];
    while (!next.done && next.value.seq === message.seq && then.length < now.length) {
      then.push(next.value);
      next = made.next();
    }
    const isDamaged = 'damaged' in message || then.some(({ content }) => content.reveal() === '');
    const same = !isDamaged && isSame(now, then);
    scratch.put(batch.reports, batch.patients ?? [], same ? placesOf(now, then) : new Map());
    if (isDamaged) {
      different.delete(message.seq);
      damaged.add(message.seq);
    } else if (!same) differs(message.seq);
    lot.push(...then);
  };

  /** What the journal says next of an earlier message was decided now: its time was over, or its rules had changed. */
  const catchUp = (seq: number): void => {
    while (!next.done && next.value.seq < seq) {
      const { seq: earlier } = next.value;
      const message = view.message(earlier);
      const left = open.get(earlier);
      const at = next.value.jseq;
      if (message && left) decide(message, left);
      if (next.done || next.value.jseq !== at) continue;
      // Nothing of it was left to decide: today's rules took it differently before.
      differs(earlier);
      lot.push(next.value);
      next = made.next();
    }
  };

  const compared = async (): Promise<void> => {
    const found = await underWay.shift();
    if (!found) return;
    figures.documents.same += found.same;
    figures.documents.different += found.different.length;
    for (const { seq, platform } of found.different) note(seq, platform);
  };
  const compareLot = async (least: number): Promise<void> => {
    if (lot.length < least) return;
    underWay.push(stage.compare(lot));
    lot = [];
    if (underWay.length > LOTS) await compared();
  };

  for (const message of view.messages()) {
    catchUp(message.seq);
    decide(message);
    await compareLot(LOT);
    figures.messages += 1;
    if (figures.messages % 1_000 > 0) continue;
    tidyMemory();
    settle();
    progress(figures);
  }
  catchUp(Number.POSITIVE_INFINITY);
  await compareLot(1);
  while (underWay.length > 0) await compared();
  settle();
  return figures;
}

type Comparable = Pick<RecordEntry, 'action' | 'setId' | 'version' | 'content'>;

/** The order of a merge's entries depends on where a batch ended, and says nothing. */
function isSame(now: readonly Comparable[], then: readonly Comparable[]): boolean {
  if (now.length !== then.length) return false;
  const sorted = (entries: readonly Comparable[]) =>
    entries.map((e) => `${e.setId} ${e.version} ${e.action} ${e.content.reveal()}`).sort();
  const others = sorted(then);
  return sorted(now).every((entry, i) => entry === others[i]);
}

/** Where the journal has what was published now, by report: the same content, made then. */
function placesOf(now: readonly RecordEntry[], then: readonly MadeEntry[]): Map<string, number> {
  const published = then.filter(({ action }) => action === 'publish');
  return new Map(
    now.flatMap(({ action, reportKey, setId, version }) => {
      const found = published.find((made) => made.setId === setId && made.version === version);
      return action === 'publish' && found ? [[reportKey, found.jseq] as const] : [];
    }),
  );
}

/** What was decided of a message that is still open: parts that stand, and the records that some of them made. */
interface Decided {
  keep: number[];
  made: Array<{ part: number; reportKey: string }>;
}

/** States only: a replay takes its messages itself and writes nothing. */
function statesOf(scratch: ScratchStates): Omit<MappingStore, 'partsOf'> {
  const nothing = (): never => {
    throw new Error('a replay does not ask for this');
  };
  return {
    report: scratch.report,
    reportsOf: scratch.reportsOf,
    patient: scratch.patient,
    inbox: nothing,
    mappedThrough: nothing,
    quarantined: nothing,
    due: nothing,
    marked: nothing,
    commitMapping: nothing,
  };
}
