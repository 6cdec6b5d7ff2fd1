import type { Bare } from '../../support/bare.ts';
import type { Accepted, Incoming, MappingBatch, OutboxDocument, Rendered, TablesMark, Verdict } from '../contract.ts';

/** What other threads ask of the writer. Plain data: patient data crosses our own threads unwrapped. */
export type WriteRequest =
  | { op: 'accept'; message: Incoming }
  | { op: 'mapping'; batch: Bare<MappingBatch> }
  | {
      op: 'rendering';
      platform: string;
      through: number | undefined;
      results: Array<{ jseq: number; rendered: Bare<Rendered> }>;
      notBeforeMs: number;
      mark?: TablesMark;
    }
  | { op: 'claim'; platform: string; max: number; maxBytes: number; nowMs: number }
  | { op: 'settle'; platform: string; verdicts: Verdict[]; nowMs: number }
  | { op: 'withdrawn'; numbers: number[] }
  | { op: 'next-due'; platform: string };

/** A claimed document without its bytes: the reader opens those. */
export type Claimed = Omit<Bare<OutboxDocument>, 'bytes' | 'reportNumber'>;

export interface WriteResults {
  accept: Accepted;
  mapping: undefined;
  rendering: undefined;
  claim: Claimed[];
  settle: undefined;
  withdrawn: number[];
  'next-due': number | undefined;
}

/** Bytes a request weighs in a group; intake is never counted against the bound of other work. */
export function weightOf(request: WriteRequest): number {
  switch (request.op) {
    case 'accept':
      return request.message.bytes.length;
    case 'mapping': {
      let sum = 0;
      for (const m of request.batch.messages) {
        for (const p of m.parts) sum += p.kind === 'record' ? p.content.length : 64;
      }
      return sum * 2; // report states carry the record once more
    }
    case 'rendering': {
      let sum = 0;
      for (const { rendered } of request.results) sum += rendered.kind === 'document' ? rendered.bytes.length : 64;
      return sum;
    }
    default:
      return 4096;
  }
}
