import type { ReportState } from '../../clinical/reports/types.ts';
import type { InstanceAccepted } from '../../intake/instance.ts';
import { type Packed, pack } from '../../security/vault.ts';
import { type Bare, bare } from '../../support/bare.ts';
import { giveBack } from '../../support/memory.ts';
import type {
  Accepted,
  Incoming,
  KeptRhythms,
  MappedMessage,
  MappingBatch,
  OutboxDocument,
  Part,
  RecordEntry,
  Rendered,
  TablesMark,
  Verdict,
} from '../contract.ts';
import type {
  ClaimedInstance,
  ClaimLimits,
  IndexedInstance,
  InstanceVerdict,
  NewInstance,
  Resent,
  StudyIssued,
  StudyTaken,
  StudyToVerify,
} from '../image-contract.ts';
import type { MatchedEntry } from '../match-contract.ts';

/** Exam reports and studies to be linked, in the order of the journal. */
export interface MatchRequest {
  op: 'match';
  revision: number;
  entries: Array<Bare<MatchedEntry>>;
}

/** What other threads ask of the writer. Plain data: patient data crosses our own threads unwrapped. */
export type WriteRequest =
  | { op: 'accept'; message: Incoming }
  | { op: 'mapping'; batch: PackedBatch }
  | {
      op: 'rendering';
      platform: string;
      through: number | undefined;
      results: Array<{ jseq: number; rendered: PackedRendered }>;
      notBeforeMs: number;
      mark?: TablesMark;
    }
  | { op: 'claim'; platform: string; max: number; maxBytes: number; nowMs: number }
  | { op: 'settle'; platform: string; verdicts: Verdict[]; nowMs: number }
  | { op: 'withdrawn'; numbers: number[] }
  | { op: 'next-due'; platform: string }
  | { op: 'keep-rhythms'; rhythms: KeptRhythms }
  | ImageRequest;

/** What is asked of it for images. */
export type ImageRequest =
  | MatchRequest
  | { op: 'accept-instance'; instance: Bare<NewInstance> }
  | { op: 'index-instances'; items: Array<Bare<IndexedInstance>> }
  | { op: 'study-issued'; study: number; issue: number; revision: number; manifest: Incoming }
  | { op: 'study-aside'; study: number }
  | { op: 'claim-instances'; platform: string; limits: ClaimLimits }
  | { op: 'settle-instances'; platform: string; verdicts: InstanceVerdict[]; nowMs: number }
  | { op: 'withdrawn-instances'; numbers: number[] }
  | { op: 'next-instance-due'; platform: string; nowMs: number; urgentOnly: boolean }
  | { op: 'studies-to-verify'; platform: string; max: number }
  | { op: 'study-counted'; platform: string; study: number; delivered: number; counted: number | undefined }
  | { op: 'withdraw-study'; study: number; withdrawn: boolean }
  | { op: 'images-deleted'; study: number; platform: string }
  | { op: 'resend-instances'; what: { study: number } | { n: number }; platform: string | undefined; after: number }
  | { op: 'forget-platform'; platform: string; after: number }
  | { op: 'forget-delivered'; beforeMs: number; max: number }
  | { op: 'spool-names'; prefix: string }
  | { op: 'files-lost'; names: string[] };

type Record = Extract<Bare<Part>, { kind: 'record' }>;
export type PackedEntry = Omit<Bare<RecordEntry>, 'content'> & { content: Packed };
export type PackedPart =
  | Exclude<Bare<Part>, { kind: 'record' }>
  | (Omit<Record, 'entries'> & { entries: PackedEntry[] });
/** A report's state without the content of its current version: that is the record last journalled. */
export interface PackedReport {
  reportKey: string;
  patientKey: string;
  state: Packed;
}
export interface PackedBatch extends Omit<MappingBatch, 'messages' | 'reports' | 'patients'> {
  messages: Array<Omit<Bare<MappedMessage>, 'parts'> & { parts: PackedPart[] }>;
  reports: PackedReport[];
  patients: Array<{ patientKey: string; state: Packed }>;
}
type Document = Extract<Bare<Rendered>, { kind: 'document' }>;
export type PackedRendered =
  | Exclude<Bare<Rendered>, { kind: 'document' }>
  /** `bytes`: how many the document has. */
  | (Omit<Document, 'bytes' | 'reportNumber' | 'findings'> & { bytes: number; stored: Packed });

const text = (value: string): Packed => pack(Buffer.from(value));

const packEntry = (entry: RecordEntry): PackedEntry => ({
  ...entry,
  findings: entry.findings.map(bare),
  content: text(entry.content.reveal()),
});

/** Makes a batch ready for the writer, on the thread that made it. */
export function packBatch(batch: MappingBatch): PackedBatch {
  return {
    ...batch,
    messages: batch.messages.map((message) => ({
      ...message,
      lookups: message.lookups.map(bare),
      parts: message.parts.map((part): PackedPart => {
        if (part.kind !== 'record') return bare(part);
        return { ...part, entries: part.entries.map(packEntry) };
      }),
    })),
    reports: batch.reports.map((state) => ({
      reportKey: state.reportKey,
      patientKey: state.patientKey,
      state: text(JSON.stringify({ ...state, current: undefined } satisfies ReportState)),
    })),
    patients: (batch.patients ?? []).map((state) => ({
      patientKey: state.patientKey,
      state: text(JSON.stringify(state)),
    })),
  };
}

/** A stored document: one line of JSON about it, then its bytes. */
export function packRendered(rendered: Rendered): PackedRendered {
  if (rendered.kind !== 'document') return rendered;
  const { kind, type, mediaType, unless } = rendered;
  const bytes = rendered.bytes.reveal();
  const head = Buffer.from(`${JSON.stringify({ reportNumber: rendered.reportNumber.reveal() })}\n`);
  return {
    kind,
    type,
    mediaType,
    bytes: bytes.length,
    stored: pack(Buffer.concat([head, bytes])),
    ...(unless !== undefined && { unless }),
  };
}
export function unpackDocument(stored: Buffer): { reportNumber: string; bytes: Uint8Array } {
  const end = stored.indexOf(0x0a);
  const { reportNumber } = JSON.parse(stored.toString('utf8', 0, end)) as { reportNumber: string };
  return { reportNumber, bytes: new Uint8Array(stored.subarray(end + 1)) };
}

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
  'keep-rhythms': undefined;
  match: undefined;
  'accept-instance': InstanceAccepted;
  'index-instances': undefined;
  'study-issued': StudyIssued;
  'study-aside': undefined;
  'claim-instances': Array<Bare<ClaimedInstance>>;
  'settle-instances': undefined;
  'withdrawn-instances': number[];
  'next-instance-due': number | undefined;
  'studies-to-verify': Array<Bare<StudyToVerify>>;
  'study-counted': undefined;
  'withdraw-study': StudyTaken;
  'images-deleted': number;
  'resend-instances': Resent & { next?: number };
  'forget-platform': { given: number; next?: number };
  'forget-delivered': string[];
  'spool-names': string[];
  'files-lost': undefined;
}

/** What is packed in a request of mapping or rendering. */
function packedIn(request: WriteRequest): Packed[] {
  if (request.op === 'rendering')
    return request.results.flatMap(({ rendered }) => (rendered.kind === 'document' ? rendered.stored : []));
  if (request.op !== 'mapping') return [];
  const { messages, reports, patients } = request.batch;
  const entries = messages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === 'record' ? part.entries : [])),
  );
  return [
    entries.map(({ content }) => content),
    reports.map(({ state }) => state),
    patients.map(({ state }) => state),
  ].flat();
}
const lengthOf = (packed: Packed[]): number => packed.reduce((sum, { bytes }) => sum + bytes.length, 0);

/**
 * Lays what is packed in a request into one buffer, which is handed over to the writer and not copied. Left where they were made,
 * small pieces would each bring along the 64 KB that they share with others.
 */
export function inOneBuffer(request: WriteRequest): ArrayBuffer {
  const packed = packedIn(request);
  const all = new Uint8Array(lengthOf(packed));
  let at = 0;
  for (const piece of packed) {
    const place = all.subarray(at, at + piece.bytes.length);
    place.set(piece.bytes);
    piece.bytes = place;
    at += place.length;
  }
  return all.buffer;
}

/** The memory of a request that came from another thread and was answered: nobody else has these bytes. */
export function giveRequestBack(request: WriteRequest): void {
  if (request.op === 'accept') giveBack(request.message.bytes);
  // All of them lie in the buffer of the first.
  for (const { bytes } of packedIn(request).slice(0, 1)) giveBack(new Uint8Array(bytes.buffer));
}

const SMALL = 4096;
/** Of what is packed nowhere. */
const PART = 64;
/** A step over thousands of rows: a group of its own, after what waits for its acknowledgement. */
const STEP = 1024 * 1024;

/** Bytes a request weighs in a group; intake is never counted against the bound of other work. */
export function weightOf(request: WriteRequest): number {
  switch (request.op) {
    case 'accept':
      return request.message.bytes.length;
    case 'mapping':
      return request.batch.messages.reduce((sum, { parts }) => sum + PART * parts.length, lengthOf(packedIn(request)));
    case 'rendering':
      return PART * request.results.length + lengthOf(packedIn(request));
    case 'study-issued':
      return request.manifest.bytes.length;
    case 'index-instances':
      return request.items.length * 1024;
    case 'match':
      return request.entries.length * 1024;
    case 'resend-instances':
    case 'forget-platform':
      return 'what' in request && 'n' in request.what ? SMALL : STEP;
    default:
      return SMALL;
  }
}
