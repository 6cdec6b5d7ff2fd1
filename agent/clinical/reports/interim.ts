import type { ClinicalRecord } from '../records/types.ts';
import { partsOf } from './parts.ts';
import type { Arrival, ReportDecision, ReportState, ReportStatement } from './types.ts';

/**
 * Messages that are not final wait as a whole, though some of their items may be finished. These are remembered by key:
 * the message waits until finals have said them all, so that nothing finished is lost with it.
 */

export const keyOf = ({ seq, part }: Arrival): string => `${seq}:${part}`;

/** The arrival among those that wait, once. */
export const withArrival = (waiting: string[], arrival: Arrival): string[] =>
  waiting.includes(keyOf(arrival)) ? waiting : [...waiting, keyOf(arrival)];

/** Whether the sender itself calls something in it critical; nothing is inferred from where it is silent. */
const declaresCritical = (record: ClinicalRecord): boolean =>
  (record.kind === 'exam-report' && record.critical === true) ||
  (record.kind === 'lab-report' && record.items.some(({ critical }) => critical === true));

/** An interim result waits (MAP-3014; MAP-3031 with a critical value), and what of it is finished is remembered. */
export function waitForFinal(before: ReportState, statement: ReportStatement, arrival: Arrival): ReportDecision {
  const { itemActions, report } = statement;
  const published = new Set(before.current ? partsOf(before.current).map(({ key }) => key) : []);
  const keys = partsOf(report).flatMap(({ key }) => {
    const action = itemActions[key];
    // What is deleted and was never there, nobody need mention again.
    return action === 'hold' || (action === 'remove-item' && !published.has(key)) ? [] : [key];
  });
  const next: ReportState = { ...before, waiting: withArrival(before.waiting, arrival) };
  if (keys.length > 0) next.finished = { ...before.finished, [keyOf(arrival)]: keys };
  return { do: 'wait', code: declaresCritical(report) ? 'MAP-3031' : 'MAP-3014', next };
}

/** The state once a final has said these parts. */
export function mention(state: ReportState, said: ClinicalRecord): ReportState {
  if (!state.finished) return state;
  const mentioned = new Set(partsOf(said).map(({ key }) => key));
  const finished: Record<string, string[]> = {};
  for (const [message, keys] of Object.entries(state.finished)) {
    const left = keys.filter((key) => !mentioned.has(key));
    if (left.length > 0) finished[message] = left;
  }
  return { ...state, finished: Object.keys(finished).length > 0 ? finished : undefined };
}

/** Which waiting messages a final ends, and which wait on for what it does not say. */
export function endWaiting({ waiting, finished }: ReportState): {
  absorbs: string[];
  left: Pick<ReportState, 'waiting' | 'finished'>;
} {
  if (!finished) return { absorbs: waiting, left: { waiting: [] } };
  return {
    absorbs: waiting.filter((message) => !(message in finished)),
    left: { waiting: waiting.filter((message) => message in finished), finished },
  };
}
