import type { JournalEntry, Rendered, RenderingStore } from '../store/contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
import type { JournalContent, Renderer } from './format.ts';
import { institutionFor, type Site } from './site.ts';

/** A batch ends at whichever comes first. Documents go to the writer compressed, a tenth of this: under its bound of 512 KB. */
const BATCH_ENTRIES = 100;
const BATCH_MS = 50;
const BATCH_BYTES = 1024 * 1024;

/** What a platform wants of the journal; an empty list means everything. */
export interface PlatformFilters {
  sources?: string[];
  patient_classes?: string[];
  /** Organisation codes. */
  organisations?: string[];
}

export interface RenderingStage {
  platform: string;
  renderer: Renderer;
  store: RenderingStore;
  filters: PlatformFilters;
  /** Not before so long after rendering, milliseconds. */
  holdMs: number;
  /** Most unsent documents before the platform stops reading. */
  bound: number;
  site: Site;
  clock: Clock;
}

/**
 * Renders the next journal entries of one platform and commits documents and cursor together.
 * @returns how many entries were taken; 0 when there is none or the platform is at its bound.
 */
export async function renderBatch(stage: RenderingStage): Promise<number> {
  const room = stage.bound - stage.store.unsent(stage.platform);
  if (room <= 0) return 0;
  const entries = stage.store.journal(stage.platform, Math.min(BATCH_ENTRIES, room));
  const results: Array<{ jseq: number; rendered: Rendered }> = [];
  const started = stage.clock.monotonic();
  let bytes = 0;
  for (const entry of entries) {
    const rendered = renderEntry(stage, entry);
    results.push({ jseq: entry.jseq, rendered });
    if (rendered.kind === 'document') bytes += rendered.bytes.reveal().length;
    if (bytes > BATCH_BYTES || stage.clock.monotonic() - started > BATCH_MS) break;
  }
  const last = results.at(-1);
  if (!last) return 0;
  const notBeforeMs = stage.clock.now() + stage.holdMs;
  try {
    await stage.store.commitRendering(stage.platform, last.jseq, results, notBeforeMs);
    return results.length;
  } catch (error) {
    if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
  }
  // Something in the batch cannot be written: alone, the culprit is held and its neighbours go on.
  for (const result of results) {
    try {
      await stage.store.commitRendering(stage.platform, result.jseq, [result], notBeforeMs);
    } catch (error) {
      if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
      const rendered: Rendered = { kind: 'held', code: 'MAP-3013', where: 'write' };
      await stage.store.commitRendering(stage.platform, result.jseq, [{ jseq: result.jseq, rendered }], notBeforeMs);
    }
  }
  return results.length;
}

/**
 * Renders again what is held, because pack, code tables or the program changed since it was last tried.
 * @returns how many entries were tried.
 */
export async function renderAgain(stage: RenderingStage, fingerprint: number): Promise<number> {
  const of = `pack:${stage.platform}`;
  if (stage.store.marked(of) === fingerprint) return 0;
  let done = 0;
  for (let after = 0; ; ) {
    const entry = stage.store.held(stage.platform, after, 1)[0];
    if (!entry) break;
    after = entry.jseq;
    const results = [{ jseq: entry.jseq, rendered: renderEntry(stage, entry) }];
    await stage.store.commitRendering(stage.platform, undefined, results, stage.clock.now() + stage.holdMs);
    done += 1;
  }
  await stage.store.commitRendering(stage.platform, undefined, [], 0, { of, fingerprint });
  return done;
}

function renderEntry(stage: RenderingStage, entry: JournalEntry): Rendered {
  const text = entry.content.reveal();
  if (text === '') return { kind: 'held', code: 'QUE-4003', where: 'record' };
  try {
    const content = JSON.parse(text) as JournalContent;
    const rule = entry.action === 'publish' ? filteredBy(stage, content) : undefined;
    // What the platform has of it must not stay there uncorrected: the store says whether it has anything.
    if (rule && !stage.store.hasOther(stage.platform, entry.jseq)) return { kind: 'filtered', rule };
    const { setId, version, action } = entry;
    const site = institutionFor(stage.site, content.context, action);
    const rendered = stage.renderer.render({ content, action, setId, version, site });
    return rule && rendered.kind !== 'filtered' ? { ...rendered, unless: rule } : rendered;
  } catch (error) {
    return { kind: 'held', code: codeOf(error, 'MAP-3013'), where: 'rendering' };
  }
}

function filteredBy({ filters, site }: RenderingStage, content: JournalContent): string | undefined {
  // The record's source, not the message's: the registration that merges two numbers issues the laboratory's reports.
  if (filters.sources?.length && !filters.sources.includes(content.context.source)) return 'source';
  if (filters.organisations?.length && !filters.organisations.includes(content.context.institution ?? site.orgCode)) {
    return 'organisation';
  }
  const wanted = filters.patient_classes;
  const { record } = content;
  // A record that tells of no visit (a patient) is of no class: what is not known to be wanted does not leave.
  const patientClass = 'encounter' in record ? record.encounter.patientClass : undefined;
  if (wanted?.length && !(patientClass && wanted.includes(patientClass))) return 'patient-class';
  return undefined;
}
