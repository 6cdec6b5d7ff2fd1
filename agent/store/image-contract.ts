import type { ImageFacts } from '../images/image-reader.ts';
import type { SeriesFacts, StudyFacts } from '../images/study-facts.ts';
import type { InstanceAccepted } from '../intake/instance.ts';
import type { ErrorCode } from '../support/errors.ts';
import type { Phi } from '../support/phi.ts';
import type { Incoming, Seq } from './contract.ts';
import type { MatchProblem } from './match-contract.ts';

/**
 * What the stages may rely on for images. The bytes of an instance lie in the spool (agent/store/spool.ts); the store
 * knows where, under which key, whose they are, and the state at each image platform. Every write is durable when its
 * promise resolves; one that fails rejects with a QianzhiError of family QUE and has had no effect.
 */

/**
 * State of an instance at an image platform; there is exactly one (invariant 3). `held` means refused by the platform or
 * unreadable here, with a code; `conflict` that its UID is known with other content; `withdrawn` that a person took its
 * study back before it was delivered; `kept` (at no platform) that none was configured when it came.
 */
export type InstanceState = 'waiting' | 'delivered' | 'held' | 'conflict' | 'withdrawn' | 'kept';

/** A file of the spool: its name, and the key that is nowhere else. */
export interface SpoolFile {
  /** Random, 32 hex digits. */
  name: string;
  /** 32 bytes. */
  key: Uint8Array;
  /** Bytes of its content, unsealed. */
  bytes: number;
}

/** A file just made. */
export interface NewSpoolFile extends SpoolFile {
  /** SHA-256 of what makes two instances the same: the dataset without what stands before it. */
  contentHash: Uint8Array;
}

// ---------------------------------------------------------------- intake

export interface NewInstance {
  /** Configured source name. */
  source: string;
  receivedMs: number;
  sopClassUid: string;
  sopInstanceUid: Phi<string>;
  transferSyntaxUid: string;
  file: NewSpoolFile;
}

export interface InstanceStore {
  /**
   * Resolves when the row is durable. The file has to be durable before. After `duplicate` the new file is nobody's and
   * has to be removed; so it has after a rejection. What comes again goes also to the platforms that joined since, and
   * its file takes the place of one that is damaged or was forgotten (`stored`).
   */
  acceptInstance(instance: NewInstance): Promise<InstanceAccepted>;
}

// ---------------------------------------------------------------- indexing and assembly

export interface UnindexedInstance {
  n: number;
  source: string;
  receivedMs: number;
  /** As the transport told it. */
  sopInstanceUid: Phi<string>;
  file: SpoolFile;
}

/** An instance whose row could not be opened: set aside with the code. */
export interface DamagedInstance {
  n: number;
  damaged: string;
}

export type IndexedInstance =
  /** `orders`: accession numbers that stand in one value together. */
  | { n: number; facts: Phi<ImageFacts>; orders: Phi<string[]>; urgent: boolean; clock: StudyClock }
  | { n: number; code: string };

/** Milliseconds. */
export interface StudyClock {
  /** A study is complete when nothing of it came for so long. */
  stableMs: number;
  /** It is issued at the latest so long after the first instance that is not in an issue yet. */
  hardCapMs: number;
}

/** A study that is complete, or withdrawn, and not issued so. */
export interface StudyToIssue {
  study: number;
  source: string;
  /** Number of the issue to be made; 1 is the first. */
  issue: number;
  /** Of what it says; an issue made of another revision is refused. */
  revision: number;
  withdrawn: boolean;
  instances: number;
  facts: Phi<StudyFacts>;
  /** The first `mostSeries` of them. */
  series: Array<{ instances: number; facts: Phi<SeriesFacts> }>;
  seriesInAll: number;
}
/** As many series of a study are listed one by one (invariant 12); real ones have some ten, rarely hundreds. */
export const mostSeries = 2_000;

export type StudyIssued =
  | { outcome: 'issued'; seq: Seq }
  /** Something came in the meantime, or it was issued already: look again. */
  | { outcome: 'stale' };

export interface IndexingStore {
  /** Instances whose header was not read yet, in order of acceptance, those with a higher number than `after`. */
  unindexed(max: number, after?: number): Array<UnindexedInstance | DamagedInstance>;
  /** All effects in one transaction, or none. What is indexed already is passed over. */
  commitIndex(items: IndexedInstance[]): Promise<void>;
  /**
   * Studies whose time has come, the longest due first. A study is not complete while instances that came before its
   * time have not been read; a damaged one is told as such.
   */
  dueStudies(nowMs: number, max: number): Array<StudyToIssue | { study: number; damaged: true }>;
  /** Accepts the manifest as a message and marks the study as issued, in one transaction. */
  issueStudy(issued: { study: number; issue: number; revision: number; manifest: Incoming }): Promise<StudyIssued>;
  /** Nothing can be said of a damaged study until another instance of it comes. */
  setStudyAside(study: number): Promise<void>;
}

// ---------------------------------------------------------------- delivery

export interface ClaimedInstance {
  n: number;
  study: number;
  /** 1 at the first attempt. */
  attempt: number;
  urgent: boolean;
  /** Another content is known under its UID. */
  contested: boolean;
  studyUid: Phi<string>;
  sopClassUid: string;
  sopInstanceUid: Phi<string>;
  transferSyntaxUid: string;
  file: SpoolFile;
}

export interface ClaimLimits {
  instances: number;
  bytes: number;
  nowMs: number;
  /** Only instances of urgent studies. */
  urgentOnly?: boolean;
}

export type InstanceVerdict =
  | { n: number; outcome: 'accepted' }
  | { n: number; outcome: 'refused'; code: string }
  /** `unsent`: it was put off before it went out, or after the platform took nothing of it. */
  | { n: number; outcome: 'retry'; code: string; retryAtMs: number; unsent?: true };

/** A study of which nothing waits at a platform any more. */
export interface StudyToVerify {
  study: number;
  studyUid: Phi<string>;
  /** How many of its instances the platform has said to have stored. */
  delivered: number;
}

export interface ImageDeliveryStore {
  /**
   * Instances to send now, marked as on their way durably: urgent studies first, then the study that began first. None is
   * handed out again before it is settled, or the agent starts anew. At least one, however large.
   */
  claimInstances(platform: string, limits: ClaimLimits): Promise<ClaimedInstance[]>;
  settleInstances(platform: string, verdicts: InstanceVerdict[], nowMs: number): Promise<void>;
  /** Those of the claimed instances whose study was withdrawn since: they must not be sent (any more). Settle them as retry. */
  withdrawnInstances(numbers: number[]): Promise<number[]>;
  /** Earliest time at which a claim may find something; undefined when nothing waits. */
  nextInstanceDueMs(platform: string, nowMs: number, urgentOnly?: boolean): Promise<number | undefined>;
  /** Studies that are complete here and delivered there, and not counted since. */
  studiesToVerify(platform: string, max: number): Promise<StudyToVerify[]>;
  /** `counted`: how many instances the platform says it has; undefined when it cannot say. */
  studyCounted(platform: string, study: number, delivered: number, counted: number | undefined): Promise<void>;
}

// ---------------------------------------------------------------- a person, and housekeeping

/**
 * Why an instance is not sent again: it waits already or is on its way; its study is withdrawn; its file was let go of after
 * delivery, or does not open; another content has its UID (sent one by one only); it was never to go to the platform.
 */
export type NotResent = 'waiting' | 'withdrawn' | 'file-gone' | 'file-damaged' | 'conflict' | 'not-for-it';

export interface Resent {
  /** Uploads that begin anew, at all platforms together. */
  resent: number;
  rest: Array<{ platform: string; why: NotResent; count: number }>;
}

export interface StudyTaken {
  changed: boolean;
  /** Of what was restored and is not sent: it has to come again (DCM-2290, QUE-4003). */
  rest: Array<{ platform: string; why: 'file-gone' | 'file-damaged'; count: number }>;
}

export interface ImageKeepingStore {
  /**
   * Takes a study back, or restores it: what waits is not sent (or is again), and it is issued anew. What was delivered
   * stays delivered, and what may have arrived is remembered: only the platform can delete it (DCM-2294). What it deleted
   * and we have no file of stays withdrawn (DCM-2290) until it comes again.
   */
  withdrawStudy(study: number, withdrawn: boolean): Promise<StudyTaken>;
  /**
   * A person says that the platform has deleted what it had, or may have had, of a withdrawn study. Returns how many images
   * that were.
   */
  imagesDeleted(study: number, platform: string): Promise<number>;
  /**
   * Sends again at one platform, also where the instance was never to go, or at all where it was; says what of it stays
   * and why. Headers that could not be read are read again: study 0 has these. A large study goes in steps, each durable.
   */
  resendInstances(what: { study: number } | { n: number }, platform: string | undefined): Promise<Resent>;
  /**
   * A person says that what was to go to a platform that is not configured any more goes there no more (DCM-2297): it is
   * withdrawn there, the code stays in the books, files stay. Returns how many; nothing where the platform is configured.
   */
  forgetPlatform(platform: string): Promise<number>;
  /**
   * Files of instances delivered at all configured platforms before `beforeMs` are nobody's from now on; their rows stay. Returns the
   * names of at most `max`, to be removed.
   */
  forgetDelivered(beforeMs: number, max: number): Promise<string[]>;
  /** Names of all files that instances have, of those that begin with `prefix`. */
  spoolNames(prefix: string): Promise<string[]>;
  /** Files that are gone: their instances are damaged and held (QUE-4003). */
  filesLost(names: string[]): Promise<void>;
}

// ---------------------------------------------------------------- page

export interface ImagePlatformFigures {
  platform: string;
  waiting: number;
  waitingBytes: number;
  delivered: number;
  held: number;
  conflict: number;
  withdrawn: number;
}

export interface ImageFigures {
  platforms: ImagePlatformFigures[];
  /** Instances that are held or in conflict, by code, and those for platforms that are not configured any more (DCM-2297). */
  problems: Array<{ platform: string; code: string; count: number }>;
  /**
   * Studies a person has to look at: DCM-2293 the platform counts fewer than it accepted, DCM-2294 withdrawn after some of
   * it was or may have been delivered there, DCM-2295 its headers contradict each other about the patient (at no platform).
   */
  studyProblems: Array<{ platform: string; code: ErrorCode; count: number; exampleStudy: number }>;
  /** Exam reports and studies that do not find each other. */
  matchProblems: MatchProblem[];
  /** Instances that came today and their states, local day of the site. */
  today: Array<{ source: string; platform: string; state: InstanceState; count: number }>;
  /** Instances that came today, each once. */
  receivedToday: Array<{ source: string; count: number }>;
  /** Files in the spool. */
  files: number;
  fileBytes: number;
  unindexed: number;
}

export interface StudyRow {
  study: number;
  source: string;
  firstMs: number;
  lastMs: number;
  instances: number;
  /** Issues made; 0 when none yet. */
  issue: number;
  /** Instances in the last issue. */
  issued: number;
  urgent: boolean;
  withdrawn: boolean;
  /** Absent when its facts are damaged. */
  facts?: Phi<StudyFacts>;
  states: Array<{ platform: string; state: InstanceState; count: number }>;
  counted: Array<{ platform: string; delivered: number; counted: number }>;
}

/** By a number of the order, by Study Instance UID, or by any of the patient's numbers that stand in the headers. */
export type StudySearch = 'accession' | 'uid' | 'patient';

export interface InstanceRow {
  n: number;
  receivedMs: number;
  bytes: number;
  study: number;
  /** Why it could not be read. */
  code?: string;
  /** Number of the instance that has its UID with other content. */
  conflictWith?: number;
  number?: number;
  fileKept: boolean;
  states: Array<{ platform: string; state: InstanceState; code?: string; attempts: number }>;
}

export interface ImagePageStore {
  imageFigures(nowMs: number): Promise<ImageFigures>;
  /** Newest first, before `before` when given. */
  studies(limit: number, before?: number): Promise<StudyRow[]>;
  studyByUid(studyUid: Phi<string>): Promise<StudyRow | undefined>;
  studyNumbered(study: number): Promise<StudyRow | undefined>;
  /** Those that the term names exactly, newest first, before `before` when given; a page has at most 50. */
  findStudies(by: StudySearch, term: Phi<string>, limit: number, before?: number): Promise<StudyRow[]>;
  /** Instances of a study in order of acceptance, after `after`; study 0 has those that could not be read. */
  instancesOf(study: number, limit: number, after?: number): Promise<InstanceRow[]>;
}

export interface ImageStore extends InstanceStore, ImageDeliveryStore, ImageKeepingStore, ImagePageStore {}
