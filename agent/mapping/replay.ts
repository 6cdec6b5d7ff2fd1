import type { JournalContent, Renderer } from '../rendering/format.ts';
import type { DamagedMessage, InboxMessage, MappingStore, Part, RecordEntry } from '../store/contract.ts';
import type { MadeEntry, ReplayView, ScratchStates } from '../store/sqlite/replay-view.ts';
import { systemClock } from '../support/clock.ts';
import { tidyMemory } from '../support/memory.ts';
import { type MappingStage, mapMessages } from './map.ts';

export interface ReplayStage extends Pick<MappingStage, 'readers' | 'timeZone' | 'setIdOf'> {
  view: ReplayView;
  scratch: ScratchStates;
  platforms: Array<{ name: string; renderer: Renderer }>;
  site: { orgCode: string; name: string };
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
const decidedLate = new Set<Part['kind']>(['waiting', 'quarantined']);

/**
 * Maps and renders everything again that a store has received, in the order in which it was decided then, and compares
 * with what was made of it, byte by byte. With the profiles, packs and program of then nothing differs ("as then");
 * with those of today the differences are what today's rules would say ("as now"). It changes nothing: states go to
 * `scratch`. Memory does not grow with the number of messages.
 */
export function replay(stage: ReplayStage, progress: (figures: ReplayFigures) => void = () => {}): ReplayFigures {
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
  const made = view.journal()[Symbol.iterator]();
  let next = made.next();

  const note = (seq: number, platform?: string): void => {
    if (figures.examples.length < EXAMPLES) figures.examples.push(platform === undefined ? { seq } : { seq, platform });
  };

  /** Decides a message, or what was left open of it, and compares with the entries that follow in the journal. */
  const decide = (message: InboxMessage | DamagedMessage, before?: Decided): void => {
    const again = before && { keep: before.keep, nowMs: Number.MAX_SAFE_INTEGER };
    const batch = mapMessages(mapping, [message], again);
    scratch.put(batch.reports, batch.patients ?? []);
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
    if ('damaged' in message || then.some(({ content }) => content.reveal() === '')) figures.damaged += 1;
    else if (isSame(now, then)) figures.same += 1;
    else {
      figures.different += 1;
      note(message.seq);
    }
    for (const entry of then) render(entry);
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
      note(earlier);
      render(next.value);
      next = made.next();
    }
  };

  const render = (entry: MadeEntry): void => {
    const text = entry.content.reveal();
    if (text === '') return;
    for (const { name, renderer } of stage.platforms) {
      const document = view.document(name, entry.jseq);
      if (!document) continue;
      if (bytesOf(renderer, text, entry, stage.site)?.equals(document.reveal())) figures.documents.same += 1;
      else {
        figures.documents.different += 1;
        note(entry.seq, name);
      }
    }
  };

  for (const message of view.messages()) {
    catchUp(message.seq);
    decide(message);
    figures.messages += 1;
    if (figures.messages % 1_000 > 0) continue;
    tidyMemory();
    progress(figures);
  }
  catchUp(Number.POSITIVE_INFINITY);
  return figures;
}

function bytesOf(renderer: Renderer, text: string, entry: MadeEntry, site: ReplayStage['site']): Buffer | undefined {
  const { action, setId, version } = entry;
  try {
    const content = JSON.parse(text) as JournalContent;
    const rendered = renderer.render({ content, action, setId, version, site });
    return rendered.kind === 'document' ? Buffer.from(rendered.bytes.reveal()) : undefined;
  } catch {
    // Rendered then and failing now: it differs.
    return undefined;
  }
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
