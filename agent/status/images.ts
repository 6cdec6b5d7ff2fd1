import type { ProblemGroup } from '../store/contract.ts';
import type { ImageFigures } from '../store/image-contract.ts';
import type { ImagePlatformState, PlatformStatus } from './model.ts';

/** A platform for images beside the others: instances where those have documents. */
export function imagePlatformStatus(state: ImagePlatformState, figures: ImageFigures | undefined): PlatformStatus {
  const { lastSuccessMs, ...status } = state;
  const found = figures?.platforms.find((p) => p.platform === state.platform);
  const delivered = figures?.today.filter((row) => row.platform === state.platform && row.state === 'delivered') ?? [];
  return {
    ...status,
    takes: 'images',
    unverified: [],
    unsent: found?.waiting ?? 0,
    unsentBytes: found?.waitingBytes ?? 0,
    held: (found?.held ?? 0) + (found?.conflict ?? 0),
    acceptedToday: delivered.reduce((sum, { count }) => sum + count, 0),
    ...(lastSuccessMs !== undefined && { lastAcceptedMs: lastSuccessMs }),
  };
}

/** What of the images waits for a person, by platform and code: instances, and whole studies. */
export const imageProblemGroups = ({ problems, studyProblems }: ImageFigures, nowMs: number): ProblemGroup[] =>
  [...problems, ...studyProblems].map(({ platform, code, count }) => ({
    code,
    platform,
    where: '',
    count,
    firstMs: nowMs,
    lastMs: nowMs,
  }));
