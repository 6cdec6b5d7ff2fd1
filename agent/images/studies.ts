import type { IndexingStore, StudyToIssue } from '../store/image-contract.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
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
 * One that cannot be issued is set aside, and its neighbours go on. Returns how many were issued.
 */
export async function issueStudies(stage: AssemblyStage): Promise<number> {
  const { store, clock, log } = stage;
  const nowMs = clock.now();
  const setAside = async (study: number, code: 'QUE-4003' | 'MAP-3013'): Promise<void> => {
    log.error('study-set-aside', { n: study, code });
    await store.setStudyAside(study);
  };
  let issued = 0;
  for (const study of store.dueStudies(nowMs, AT_ONCE)) {
    if ('damaged' in study) {
      await setAside(study.study, 'QUE-4003');
      continue;
    }
    try {
      if (await issueStudy(stage, study, nowMs)) issued += 1;
    } catch (error) {
      const code = codeOf(error, 'MAP-3013');
      if (code !== 'MAP-3013') throw error;
      await setAside(study.study, code);
    }
  }
  return issued;
}

async function issueStudy({ store, log }: AssemblyStage, study: StudyToIssue, nowMs: number): Promise<boolean> {
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
  return outcome === 'issued';
}
