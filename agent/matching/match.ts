import { hash } from 'node:crypto';
import type { JournalContent } from '../rendering/format.ts';
import type { EntryToMatch, MatchedEntry, MatchingStore } from '../store/match-contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { phi } from '../support/phi.ts';
import { factsOf } from './facts.ts';

/**
 * Raise it when what is matched with what changes (person.ts, facts.ts, or the store's part): everything is matched anew
 * then, from the journal.
 */
export const matchingRevision = 2;

export interface MatchingStage {
  store: MatchingStore;
  clock: Pick<Clock, 'monotonic'>;
  log: Pick<Log, 'error'>;
  /** Categories of examination whose images come here; empty or absent: all (facts.ts). */
  imageCategories?: readonly string[];
}

/** A batch ends at whichever comes first: mapping and rendering must not wait for it. */
const BATCH_ENTRIES = 100;
const BATCH_MS = 50;

/**
 * Takes the next exam reports and studies of the journal and commits what they are linked with, together with the
 * cursor. What is damaged is matched with nothing. @returns how many entries were taken; 0 when there is none.
 */
export async function matchBatch(stage: MatchingStage): Promise<number> {
  const { store, clock, log } = stage;
  const revision = revisionOf(stage);
  const started = clock.monotonic();
  const entries: MatchedEntry[] = [];
  for (const entry of store.toMatch(revision, BATCH_ENTRIES)) {
    entries.push(matched(stage, entry));
    if (clock.monotonic() - started > BATCH_MS) break;
  }
  if (entries.length === 0) return 0;
  try {
    await store.commitMatching(revision, entries);
    return entries.length;
  } catch (error) {
    if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
  }
  // Something in the batch cannot be written: alone, the culprit is left out and its neighbours go on (invariant 11).
  for (const entry of entries) {
    try {
      await store.commitMatching(revision, [entry]);
    } catch (error) {
      if (codeOf(error, 'MAP-3013') !== 'MAP-3013') throw error;
      log.error('not-matched', { seq: entry.seq, code: 'MAP-3013' });
      await store.commitMatching(revision, [{ ...entry, facts: undefined }]);
    }
  }
  return entries.length;
}

/** Another setting is another rule: what was matched by the one before is matched anew. */
const revisionOf = ({ imageCategories = [] }: MatchingStage): number =>
  imageCategories.length === 0
    ? matchingRevision
    : matchingRevision + 1_000 * hash('sha256', JSON.stringify(imageCategories), 'buffer').readUIntBE(0, 4);

function matched({ log, imageCategories }: MatchingStage, { content, action, ...entry }: EntryToMatch): MatchedEntry {
  if (action === 'retract') return { ...entry, facts: undefined };
  try {
    const facts = factsOf(JSON.parse(content.reveal()) as JournalContent, imageCategories);
    return { ...entry, facts: facts && phi(facts) };
  } catch {
    log.error('not-matched', { seq: entry.seq, code: 'QUE-4003' });
    return { ...entry, facts: undefined };
  }
}
