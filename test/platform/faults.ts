import type { Item, Verdict } from './items.ts';

/** A whole request that goes wrong. `retryAfterDateMs` gives Retry-After as a date so far ahead of its clock. */
export type Answer =
  /** Answered without looking at the body: 503, 429, 401, 403, 400, 422, 413, 415 … */
  | { mode: 'status'; status: number; retryAfter?: string; retryAfterDateMs?: number }
  /** 302 to another address. */
  | { mode: 'redirect'; location?: string }
  /** Never answered. */
  | { mode: 'hang' }
  /** Connection cut before anything is done. */
  | { mode: 'reset' }
  /** Everything is done, then the connection is cut: the agent cannot know. */
  | { mode: 'reset-after' }
  /** Everything is done; half of the answer, or `lines` whole lines and half of the next, is sent, then the connection is cut. */
  | { mode: 'truncate'; lines?: number }
  /** A web page with status 200, as a login portal gives. */
  | { mode: 'portal' }
  /** Nothing is done; any status and body. */
  | { mode: 'body'; status?: number; type?: string; body: string }
  /** Everything is done, then the answer goes out one byte at a time. */
  | { mode: 'trickle'; everyMs: number }
  /** Everything is done, but the verdicts stand under other keys, twice with different outcomes, or for some items only. */
  | { mode: 'verdicts'; as: 'other-key' | 'contradicting' }
  | { mode: 'verdicts'; as: 'missing'; report: string };

export interface AnswerFault {
  answer: Answer;
  /** How many requests it lasts; for ever when absent. */
  times?: number;
}

/** An item that gets another verdict than it earned. Nothing is kept for `retry` and `wait-for-parent`. */
export interface ItemRule {
  /** Regular expression over the report number. */
  report: string;
  status: 'refused' | 'retry' | 'wait-for-parent';
  code?: string;
  retryAfterSeconds?: number;
}

/** What goes wrong at the province. Plain data, so that it can be sent to the process as JSON. */
export interface Faults {
  documents?: AnswerFault | undefined;
  receipts?: AnswerFault | undefined;
  hello?: AnswerFault | undefined;
  /** Before every answer. */
  delayMs?: number | undefined;
  /** More items than this are answered 413. */
  maxItems?: number | undefined;
  /** A batch with a matching report is answered 422 (or `poisonStatus`) as a whole. */
  poison?: string | undefined;
  poisonStatus?: number | undefined;
  /** A batch of more document bytes than this is answered 413. */
  maxBytes?: number | undefined;
  /** Its clock runs so far ahead. */
  clockAheadMs?: number | undefined;
  items?: ItemRule[] | undefined;
  /** A document whose type matches `child` needs one of its lane first whose type matches `parent`: `wait-for-parent`. */
  parent?: { child: string; parent: string } | undefined;
  /** Two stages: `received` at first, `accepted` when asked this much later. */
  acceptAfterMs?: number | undefined;
}

export type FaultPath = 'documents' | 'receipts' | 'hello';

/** Takes the fault of a path, counting its times down. */
export function takeAnswer(faults: Faults, path: FaultPath): Answer | undefined {
  const fault = faults[path];
  if (fault === undefined) return undefined;
  if (fault.times !== undefined && --fault.times <= 0) faults[path] = undefined;
  return fault.answer;
}

/** The verdict that a rule gives instead of the earned one. */
export function ruleFor(faults: Faults, item: Item): Verdict | undefined {
  const rule = faults.items?.find(({ report }) => new RegExp(report).test(item.report));
  if (rule === undefined) return undefined;
  const { status, code, retryAfterSeconds } = rule;
  return {
    key: item.key,
    status,
    ...(code === undefined ? {} : { code }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

export const isPoisoned = (faults: Faults, items: Item[]): boolean =>
  faults.poison !== undefined && items.some((item) => new RegExp(faults.poison!).test(item.report));
