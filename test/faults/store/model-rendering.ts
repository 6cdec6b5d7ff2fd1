import type { Operation } from '../../../agent/store/contract.ts';
import { isOpen, type ModelDocument, type ModelEntry, type ModelRendered, type StoreModel } from './model.ts';

/** A version that the platform cannot have and that is still to go. */
const neverLeft = (d: ModelDocument): boolean =>
  d.operation !== 'retract' && !d.mayHold && ['ready', 'parent', 'behind'].includes(d.state);

interface Rendered {
  platform: string;
  entry: ModelEntry;
  text: string;
  dueMs: number;
}

/** What rendering made of journal entries, and what becomes of the report's earlier documents (invariants 5 and 6). */
export function render(model: StoreModel, platform: string, results: ModelRendered[], dueMs: number): void {
  const { made } = model.platform(platform);
  for (const result of results) {
    const entry = model.entry(result.jseq);
    made.delete(result.jseq);
    if (typeof result.made === 'string') {
      made.set(result.jseq, result.made);
      if (result.made === 'filtered' && entry.action === 'publish') leaveOut(model, platform, entry);
      continue;
    }
    const before = model.documentsOf(platform, entry.report);
    const held = [...made].filter(
      ([jseq, state]) => state === 'held' && jseq < entry.jseq && model.entry(jseq).report === entry.report,
    );
    const owed = held.some(([jseq]) => {
      const { action, lane } = model.entry(jseq);
      return action === 'retract' && lane !== entry.lane;
    });
    if (entry.action === 'publish' && owed && toWithdraw(before).length > 0) {
      // Another patient's is withdrawn first, and that cannot be said yet.
      made.set(result.jseq, 'held');
      continue;
    }
    // What is held of an older version is overtaken, or withdrawn.
    for (const [jseq] of held) made.set(jseq, 'absorbed');
    const rendered = { platform, entry, text: result.made.text, dueMs };
    if (entry.action === 'publish') publish(model, rendered, before);
    else retract(model, rendered, before);
  }
}

/** Not wanted: earlier versions that nobody was ever sent, or that are held, are not wanted any more either. */
function leaveOut(model: StoreModel, platform: string, entry: ModelEntry): void {
  const { made } = model.platform(platform);
  for (const [jseq, state] of made) {
    const { action, report } = model.entry(jseq);
    const isOlder = jseq < entry.jseq && report === entry.report;
    if (isOlder && state === 'held' && action === 'publish') made.set(jseq, 'absorbed');
  }
  for (const d of model.documentsOf(platform, entry.report)) if (neverLeft(d)) d.state = 'cancelled';
}

function publish(model: StoreModel, rendered: Rendered, before: ModelDocument[]): void {
  const { entry } = rendered;
  const withdrawn = model.withdrawn({ ...entry, operation: 'publish' });
  for (const d of before) {
    // Issued again in another patient's lane: what nobody was ever sent needs not go out in the old one.
    if (!withdrawn && neverLeft(d) && d.lane !== entry.lane) d.state = 'cancelled';
  }
  const last = before.findLast((d) => d.mayHold || isOpen(d));
  const operation = last && last.operation !== 'retract' ? 'replace' : 'publish';
  const document = add(model, rendered, operation);
  if (withdrawn) document.state = 'cancelled';
  else if (before.some((d) => d.state === 'refused')) document.state = 'behind';
}

/** What the platform has or may have and no retraction that is accepted or on its way came after. */
function toWithdraw(documents: ModelDocument[]): ModelDocument[] {
  const covered = documents.findLast((d) => d.operation === 'retract' && (d.state === 'accepted' || isOpen(d)));
  return documents.filter((d) => d.operation !== 'retract' && d.mayHold && d.n > (covered?.n ?? 0));
}

function retract(model: StoreModel, rendered: Rendered, before: ModelDocument[]): void {
  const { platform, entry } = rendered;
  const settled = before.findLast((d) => d.operation === 'retract' && d.state === 'accepted')?.n ?? 0;
  const wrong = toWithdraw(before);
  for (const d of before) {
    if (d.operation === 'retract' || d.n < settled) continue;
    if (['ready', 'parent', 'behind', 'refused'].includes(d.state)) d.state = 'cancelled';
  }
  if (wrong.length === 0) {
    model.platform(platform).made.set(entry.jseq, 'absorbed');
    return;
  }
  const document = add(model, rendered, 'retract');
  const places = wrong.filter((d) => d.state === 'cancelled' && d.lane === entry.lane).map((d) => d.place);
  if (places.length > 0) document.place = Math.min(...places);
}

function add(model: StoreModel, { platform, entry, text, dueMs }: Rendered, operation: Operation): ModelDocument {
  const n = ++model.highestN;
  const { jseq, report, lane } = entry;
  const rest = { state: 'ready' as const, attempts: 0, mayHold: false, byLast: false, dueMs, text };
  const document: ModelDocument = { n, platform, jseq, report, operation, lane, place: n, ...rest };
  model.documents.set(n, document);
  return document;
}
