import type { Asker } from '../../../support/thread.ts';
import type { MatchKind, MatchPageStore, MatchPosition } from '../../match-contract.ts';
import type { ReadRequest } from '../reader.ts';

type Answers = { [Name in keyof MatchPageStore]: Awaited<ReturnType<MatchPageStore[Name]>> };

/** What is linked and what is not, as the main thread sees it: questions to the reader. */
export function matchPagesThrough(read: Asker<ReadRequest>): MatchPageStore {
  const unmatched = (kind: MatchKind, nowMs: number, limit: number, before?: MatchPosition): Promise<unknown> =>
    read.ask({ op: 'unmatched', kind, nowMs, limit, ...(before && { before }) });
  return {
    linksOf: async (study) => (await read.ask({ op: 'links-of', study })) as Answers['linksOf'],
    unmatchedStudies: async (nowMs, limit, before) =>
      (await unmatched('imaging-study', nowMs, limit, before)) as Answers['unmatchedStudies'],
    unmatchedReports: async (nowMs, limit, before) =>
      (await unmatched('exam-report', nowMs, limit, before)) as Answers['unmatchedReports'],
    contradictions: async (limit, after) =>
      (await read.ask({ op: 'contradictions', limit, ...(after && { after }) })) as Answers['contradictions'],
  };
}
