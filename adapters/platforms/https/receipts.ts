import { z } from 'zod';
import type { ItemReceipt } from '../../../agent/delivery/platform.ts';
import type { OutboxDocument } from '../../../agent/store/contract.ts';

/** One line of an answer to /v1/documents or /v1/receipts; further members are ignored (docs/platform-api.md). */
const answerLine = z.object({
  key: z.string(),
  status: z.enum(['accepted', 'received', 'refused', 'wait-for-parent', 'retry', 'unknown']),
  receipt: z.string().optional(),
  code: z.string().optional(),
  retryAfterSeconds: z.number().optional(),
});
type AnswerLine = z.infer<typeof answerLine>;

export interface ReadReceipts {
  items: ItemReceipt[];
  /** Lines that were no answer to a document of this request, or contradicted another. */
  strange: number;
}

// A code is shown on the page and stored in clear: what is not shaped like a code may be anything, so it is dropped.
const codeShape = /^[\w.:-]{1,64}$/;
const receiptShape = /^[^\u0000-\u001f\u007f]{1,200}$/;

function toItem(n: number, answer: AnswerLine): ItemReceipt {
  const receipt =
    answer.receipt !== undefined && receiptShape.test(answer.receipt) ? { receipt: answer.receipt } : undefined;
  switch (answer.status) {
    case 'accepted':
      return { n, outcome: 'accepted', ...receipt };
    case 'received':
      return { n, outcome: 'received', ...receipt };
    case 'wait-for-parent':
      return { n, outcome: 'wait-for-parent' };
    case 'refused':
      return answer.code !== undefined && codeShape.test(answer.code)
        ? { n, outcome: 'refused', code: 'PLT-1305', platformCode: answer.code }
        : { n, outcome: 'refused', code: 'PLT-1305' };
    case 'unknown':
      // The platform confirmed it once and has lost it: it must be sent again.
      return { n, outcome: 'retry', code: 'PLT-1311' };
    case 'retry': {
      const wait = answer.retryAfterSeconds;
      return wait !== undefined && wait > 0
        ? { n, outcome: 'retry', code: 'PLT-1310', retryAfterMs: Math.ceil(Math.min(wait * 1000, 3_600_000)) }
        : { n, outcome: 'retry', code: 'PLT-1310' };
    }
  }
}

function parseLine(text: string): AnswerLine | undefined {
  try {
    const parsed = answerLine.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads an NDJSON answer item by item. Each whole line is the platform's word about one key, so a
 * truncated answer (`complete` false) still counts for the lines that ended; its last piece does not.
 * A key answered twice with different outcomes counts as not answered. `stage` is the call that asked:
 * `unknown` is an answer to a question about receipts only.
 */
export function readReceipts(
  body: Buffer,
  documents: readonly OutboxDocument[],
  complete: boolean,
  stage: 'documents' | 'receipts',
): ReadReceipts {
  const lines = body.toString('utf8').split('\n');
  if (!complete) lines.pop();
  const asked = new Map(documents.map((document) => [document.key, document.n]));
  const answers = new Map<string, AnswerLine | 'contradicted'>();
  let strange = 0;
  for (const text of lines) {
    if (text.trim() === '') continue;
    const answer = parseLine(text);
    if (answer === undefined || !asked.has(answer.key) || (answer.status === 'unknown' && stage === 'documents')) {
      strange++;
      continue;
    }
    const earlier = answers.get(answer.key);
    if (earlier === undefined) answers.set(answer.key, answer);
    else if (earlier === 'contradicted' || earlier.status !== answer.status) {
      answers.set(answer.key, 'contradicted');
      strange++;
    }
  }
  const items: ItemReceipt[] = [];
  for (const [key, answer] of answers) {
    const n = asked.get(key);
    if (n !== undefined && answer !== 'contradicted') items.push(toItem(n, answer));
  }
  return { items, strange };
}
