import type { ProblemGroup } from '../store/contract.ts';
import type { ImageFigures } from '../store/image-contract.ts';
import type { ImageFacts, ImagePlatformState, PlatformStatus } from './model.ts';

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

/** With the number of one of the studies, where it is about studies. */
export type ImageProblemGroup = ProblemGroup & { exampleStudy?: number };

/** What the status model takes of images. */
export interface ImageParts extends Pick<ImageFigures, 'files' | 'fileBytes' | 'unindexed'> {
  facts: ImageFacts;
  problemGroups: ImageProblemGroup[];
}

export const imageParts = (figures: ImageFigures, nowMs: number): ImageParts => ({
  files: figures.files,
  fileBytes: figures.fileBytes,
  unindexed: figures.unindexed,
  facts: imageFacts(figures),
  problemGroups: imageProblemGroups(figures, nowMs),
});

function imageFacts({
  platforms,
  problems,
  studyProblems,
  matchProblems,
  today,
  receivedToday,
}: ImageFigures): ImageFacts {
  const sum = <T>(rows: readonly T[], of: (row: T) => number): number => rows.reduce((n, row) => n + of(row), 0);
  const configured = new Set(platforms.map((p) => p.platform));
  const elsewhere = problems.filter((p) => !configured.has(p.platform));
  const delivered = today.filter((row) => row.state === 'delivered' && configured.has(row.platform));
  return {
    waiting: sum(platforms, (p) => p.waiting),
    receivedToday: sum(receivedToday, (r) => r.count),
    deliveredToday: sum(delivered, (r) => r.count),
    held: sum(platforms, (p) => p.held + p.conflict) + sum(elsewhere, (p) => p.count),
    // Reports without images are no studies; they stand among the problems.
    studies: sum([...studyProblems, ...matchProblems.filter((p) => p.code !== 'DCM-2302')], (p) => p.count),
  };
}

/** What of the images waits for a person, by platform and code: instances, and whole studies. */
export const imageProblemGroups = (figures: ImageFigures, nowMs: number): ImageProblemGroup[] => {
  const now = { where: '', firstMs: nowMs, lastMs: nowMs };
  return [
    ...figures.problems.map((row) => ({ ...now, ...row })),
    ...figures.studyProblems.map((row) => ({ ...now, ...row })),
    ...figures.matchProblems.map(({ sinceMs = nowMs, ...row }) => ({ ...now, platform: '', ...row, firstMs: sinceMs })),
  ];
};
