import type { PatientState } from '../clinical/patients/types.ts';
import type { Finding } from '../clinical/records/types.ts';
import type { ReportState } from '../clinical/reports/types.ts';
import type { RenderOutput } from '../rendering/format.ts';
import type { Phi } from '../support/phi.ts';

/**
 * The Store: what the stages may rely on, whatever is underneath (agent/store/sqlite is the embedded
 * one). Four views, one for each who uses it. Every write is durable when its promise resolves.
 * A write that fails rejects with a QianzhiError of family QUE and has had no effect.
 */

/** Position of a message in the order of arrival; assigned by the writer in posting order. */
export type Seq = number;

/** The state of a message at a platform (invariant 3). */
export type State = 'waiting' | 'delivered' | 'filtered' | 'quarantined' | 'absorbed';

// ---------------------------------------------------------------- intake

export interface Incoming {
  /** Configured name of the source, or of the sender told apart within it. */
  source: string;
  /** The source name among whose messages a retransmission is looked for, where it continues another (config `continues`). */
  continues?: string;
  /** The bytes exactly as received, without framing. */
  bytes: Uint8Array;
  /** MSH-10 (or what takes its place) as bytes; empty when there is none. Only its MAC is stored. */
  controlId: Uint8Array;
  receivedMs: number;
}

export interface Accepted {
  seq: Seq;
  /** stored: new. retransmission: the same bytes from the same source are stored already under `seq`. */
  outcome: 'stored' | 'retransmission';
  /** The control id was seen with other content: two messages, and a warning. */
  controlIdReused: boolean;
}

export interface IntakeStore {
  /**
   * Resolves after the commit that holds the message is durable; then its bytes are the caller's again. Order of calls is
   * order of seq.
   */
  accept(message: Incoming): Promise<Accepted>;
  /** Bytes posted and not yet durable; sources pause reading while it is above their limit. */
  pendingBytes(): number;
}

// ---------------------------------------------------------------- mapping

export interface InboxMessage {
  seq: Seq;
  source: string;
  receivedMs: number;
  raw: Phi<Uint8Array>;
}

/** A message that could not be read back: damaged or its key missing. It is quarantined, never dropped. */
export interface DamagedMessage {
  seq: Seq;
  source: string;
  receivedMs: number;
  damaged: string;
}

/** One entry of the journal. */
export interface RecordEntry {
  action: 'publish' | 'retract';
  recordKind: string;
  reportKey: string;
  setId: string;
  version: number;
  patientKey: string;
  /** JSON of JournalContent. */
  content: Phi<string>;
  findings: Finding[];
}

/** One part of what a message says. A message has at least one part. */
export type Part =
  | {
      kind: 'record';
      /**
       * At least one, in order. Several when one statement changes several records: a merge issues all reports of the
       * retired patient again; a report that was another patient's is retracted there and published here. Where the
       * entries of one report lie in different lanes, the later is not sent before the earlier has left its lane.
       */
      entries: RecordEntry[];
      /** Parts (`seq:part`) held as interim until now; they become absorbed by this one. */
      absorbs: string[];
    }
  /**
   * `dueMs`: decided again by then at the latest, whatever comes; absent: only another message ends it.
   * `awaits`: in-house number of a patient nobody has told of; decided again as soon as somebody does. What is held for
   * what is known of its patient awaits them too.
   */
  | { kind: 'waiting'; code: string; reportKey: string; dueMs?: number; awaits?: string }
  | { kind: 'absorbed'; reason: string; by?: Seq; absorbs?: string[] }
  | { kind: 'filtered'; rule: string }
  | { kind: 'quarantined'; code: string; where: string; awaits?: string };

/** One search key of a message; stored only as a MAC. `kind` is one of lookupKinds. */
export interface LookupKey {
  kind: LookupKind;
  value: Phi<string>;
}
export const lookupKinds = ['patient', 'name', 'visit', 'order', 'report', 'specimen', 'control', 'receipt'] as const;
export type LookupKind = (typeof lookupKinds)[number];

export interface MappedMessage {
  seq: Seq;
  /** From a closed list such as `ORU^R01` or `other`. */
  type: string;
  parts: Part[];
  /** When a message is read again: the parts that stand, of what `due` or `quarantined` said. All others go and are new. */
  keep?: number[];
  lookups: LookupKey[];
}

/** Remembers what tables something was last tried with, so that it is tried again when they change. */
export interface TablesMark {
  /** `profile:<source>` or `pack:<platform>`. */
  of: string;
  fingerprint: number;
}

export interface MappingBatch {
  messages: MappedMessage[];
  /** New states of every report that the batch touched. */
  reports: ReportState[];
  /** New states of every patient that the batch touched: parts that await one of them are due at once. */
  patients?: PatientState[];
  /** Cursor after the batch: every message up to it has been mapped. Undefined when messages are read again. */
  through?: Seq;
  mark?: TablesMark;
}

export interface MappingStore {
  /** Messages after the cursor in arrival order, opened one by one as they are taken. */
  inbox(after: Seq, count: number): Iterable<InboxMessage | DamagedMessage>;
  mappedThrough(): Seq;
  report(reportKey: string): ReportState | undefined;
  /** Every record of a patient that has a state, oldest first. A damaged one throws, or is left out and told of. */
  reportsOf(patientKey: string, onDamaged?: () => void): ReportState[];
  /** Parts of a message that made an entry of the record, in order; of any record where none is named. */
  partsOf(seq: Seq, reportKey?: string): number[];
  patient(patientKey: string): PatientState | undefined;
  /**
   * Messages with waiting parts whose time has come, or with waiting or quarantined ones whose patient has been told
   * of, in order of arrival; `keep` are the parts that stand. Found at once and opened one by one as they are taken;
   * what is not due any more by then is passed over.
   */
  due(nowMs: number, count: number): Iterable<{ message: InboxMessage | DamagedMessage; keep: number[] }>;
  /** Messages of a source with quarantined parts, after `after`, in order of arrival. */
  quarantined(
    source: string,
    after: Seq,
    count: number,
  ): Array<{ message: InboxMessage | DamagedMessage; keep: number[] }>;
  /** Fingerprint last marked; undefined when never. */
  marked(of: string): number | undefined;
  /** All effects in one transaction, or none. */
  commitMapping(batch: MappingBatch): Promise<void>;
}

// ---------------------------------------------------------------- rendering

export interface JournalEntry {
  jseq: number;
  seq: Seq;
  source: string;
  receivedMs: number;
  action: 'publish' | 'retract';
  recordKind: string;
  setId: string;
  version: number;
  content: Phi<string>;
}

/**
 * What was made of one journal entry. `unless`: the rule of the platform's filter that it falls under. Such a document
 * goes out only where the platform has, or may have, an earlier version of it, which must not stay there uncorrected.
 */
export type Rendered =
  | (Exclude<RenderOutput, { kind: 'filtered' }> & { unless?: string })
  | Extract<RenderOutput, { kind: 'filtered' }>;

export interface RenderingStore {
  /** Entries after the platform's cursor, opened one by one as they are taken. */
  journal(platform: string, count: number): Iterable<JournalEntry>;
  /** Journal entries whose rendering is held, after `after`. */
  held(platform: string, after: number, count: number): JournalEntry[];
  marked(of: string): number | undefined;
  /** Whether anything was made for the platform of the record that the entry is a version of. */
  hasOther(platform: string, jseq: number): boolean;
  /** Unsent documents of a platform, for its bound. */
  unsent(platform: string): number;
  /**
   * Moves the cursor and writes documents with their keys in one transaction. A retraction is decided
   * inside it: unsent documents never attempted are cancelled; if none was ever attempted the
   * retraction is absorbed, else it takes its place in the lane. What a filter leaves out takes the place of earlier
   * versions that the platform does not have: they are not sent any more.
   */
  commitRendering(
    platform: string,
    /** Cursor after it; undefined when held entries are rendered again. */
    through: number | undefined,
    results: Array<{ jseq: number; rendered: Rendered }>,
    notBeforeMs: number,
    mark?: TablesMark,
  ): Promise<void>;
}

// ---------------------------------------------------------------- delivery

export type Operation = 'publish' | 'replace' | 'retract';

export interface OutboxDocument {
  /** Outbox number. */
  n: number;
  /** Idempotency key: agent, epoch at creation, outbox number. */
  key: string;
  operation: Operation;
  type: string;
  mediaType: string;
  setId: string;
  version: number;
  reportNumber: Phi<string>;
  /** Opaque stable token of the lane. */
  lane: string;
  /** 1 at the first attempt. */
  attempt: number;
  createdMs: number;
  /** True when the platform has said `received`: ask after it instead of sending it again. */
  received: boolean;
  /** When the platform first wanted its parent; absent when it never did. */
  parentSinceMs?: number;
  bytes: Phi<Uint8Array>;
}

/** The verdict about one document after one attempt, from the platform's receipt or from its absence. */
export type Verdict =
  | { n: number; outcome: 'accepted'; receipt?: string }
  | { n: number; outcome: 'received'; receipt?: string; retryAtMs: number }
  | { n: number; outcome: 'refused'; code: string; platformCode?: string }
  | { n: number; outcome: 'retry'; code: string; retryAtMs: number }
  /**
   * It stands aside: other reports of its lane go on, later versions of its own wait behind it. Tried again at
   * `retryAtMs`, and as soon as anything of its lane is accepted.
   */
  | { n: number; outcome: 'wait-for-parent'; retryAtMs: number };

export interface DeliveryStore {
  /**
   * Takes at most one document per lane, heads only, whose time has come and whose lane has nothing in
   * flight; marks the attempt durably before it returns. A document that waits for its parent, or for an older version
   * of its report in another patient's lane, is no head and blocks nothing but later versions of its report.
   */
  claim(platform: string, max: number, maxBytes: number, nowMs: number): Promise<OutboxDocument[]>;
  settle(platform: string, verdicts: Verdict[]): Promise<void>;
  /** Those of the claimed documents that were withdrawn since: they must not be sent (any more). Settle them as retry. */
  withdrawn(numbers: number[]): Promise<number[]>;
  /** Earliest time at which claim may find something, or undefined when the outbox is empty. */
  nextDueMs(platform: string): Promise<number | undefined>;
}

// ---------------------------------------------------------------- rhythm of senders

/** Up to where arrivals were read: number of a message and of an instance. */
export interface ArrivalsAfter {
  seq: Seq;
  n: number;
}

/** What came, a row for each source, minute and type, in order. Without retransmissions, and without what devices send only to say that they are there. */
export interface Arrivals {
  through: ArrivalsAfter;
  /** There is more after `through`. */
  more: boolean;
  rows: Array<{ source: string; images: boolean; minuteMs: number; type: string; lastMs: number; count: number }>;
}

/** What was learned of each source as its text, and up to where it was learned from. No patient data. */
export interface KeptRhythms {
  after: ArrivalsAfter;
  states: Array<{ source: string; state: string }>;
}

export interface RhythmStore {
  /** What was kept last, and where to go on. */
  rhythms(): Promise<KeptRhythms>;
  /** What is mapped, or waits for it too long. */
  arrivals(after: ArrivalsAfter, nowMs: number): Promise<Arrivals>;
  keepRhythms(rhythms: KeptRhythms): Promise<void>;
}

// ---------------------------------------------------------------- page

export interface MessageRow {
  seq: Seq;
  source: string;
  receivedMs: number;
  bytes: number;
  /** Trigger or record kind as the mapper named it (`ORU^R01`), from a closed list; never patient data. */
  type: string;
  states: Array<{ platform: string; state: State; code?: string; rule?: string; by?: Seq; sinceMs: number }>;
}

export interface ProblemGroup {
  code: string;
  platform: string;
  where: string;
  count: number;
  firstMs: number;
  lastMs: number;
  /** Absent where it is not about messages. */
  exampleSeq?: Seq;
}

export interface PlatformFigures {
  platform: string;
  unsent: number;
  unsentBytes: number;
  oldestMs?: number;
  held: number;
  lastAcceptedMs?: number;
  acceptedToday: number;
}

export interface StoreFigures {
  mode: 'normal' | 'mapping-stopped' | 'intake-stopped';
  freeBytes: number;
  databaseBytes: number;
  /** Bytes received in the last full hours, for "how many days does the disk last". */
  bytesPerDay: number;
  lastSeq: Seq;
  mappedThrough: Seq;
  oldestUnmappedMs?: number;
  platforms: PlatformFigures[];
  /** Today's counts by source and state, local day of the site. */
  today: Array<{ source: string; platform: string; state: State; count: number }>;
  receivedToday: Array<{ source: string; count: number; retransmissions: number; lastMs: number }>;
}

export interface PageStore {
  figures(nowMs: number): Promise<StoreFigures>;
  /** Newest first, before `before` when given. */
  messages(limit: number, before?: Seq): Promise<MessageRow[]>;
  /** Those that the term names exactly (spaces in it count for nothing where names are looked for), in the same order. */
  findMessages(by: LookupKind, term: Phi<string>, limit: number, before?: Seq): Promise<MessageRow[]>;
  problems(limit: number): Promise<ProblemGroup[]>;
}
