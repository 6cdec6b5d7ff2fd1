import type { IndexingStore } from '../store/image-contract.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { manifestBytes, manifestControlId, manifestOf } from './manifest.ts';

export interface AssemblyStage {
  store: IndexingStore;
  clock: Clock;
  log: Pick<Log, 'error' | 'warn'>;
}

const AT_ONCE = 50;

/**
 * Issues the studies that are complete: each as a message of its source, accepted and marked in one transaction, so that a
 * crash leaves neither without the other. What comes later starts the study's clock again, and the next issue says it.
 * Returns how many were issued.
 */
export async function issueStudies({ store, clock, log }: AssemblyStage): Promise<number> {
  const nowMs = clock.now();
  let issued = 0;
  for (const study of store.dueStudies(nowMs, AT_ONCE)) {
    if ('damaged' in study) {
      log.error('study-set-aside', { n: study.study, code: 'QUE-4003' });
      await store.setStudyAside(study.study);
      continue;
    }
    const manifest = manifestOf(study);
    if (manifest.contradicts.length > 0) log.warn('study-contradicts', { n: study.study, code: 'DCM-2295' });
    const { outcome } = await store.issueStudy({
      study: study.study,
      issue: study.issue,
      revision: study.revision,
      manifest: {
        source: study.source,
        bytes: manifestBytes(manifest),
        controlId: manifestControlId(manifest),
        receivedMs: nowMs,
      },
    });
    if (outcome === 'issued') issued += 1;
  }
  return issued;
}
