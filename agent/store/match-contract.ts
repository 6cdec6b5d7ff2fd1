import type { MatchPerson } from '../matching/person.ts';
import type { ErrorCode } from '../support/errors.ts';
import type { Phi } from '../support/phi.ts';
import type { Seq } from './contract.ts';

/**
 * Which exam report is of which study. All of it is derived from the journal by a cursor of its own, so it can be made
 * anew at any time; nothing else depends on it. Numbers are kept as MACs, people sealed.
 *
 * A report and a study are linked where they have a number in common, are of days near each other and do not contradict
 * each other about the person. Both may have several: a study of several orders, several reports on one study. One record
 * has at most `mostCounterparts`; of a number that more have, the first are linked and the others stay without, which
 * becomes visible.
 *
 * Where they do contradict each other that is a task for a person, but only while neither is linked with anything: with
 * numbers that begin anew each day those of other days are other people's, and whoever has found its own is right.
 */
export const mostCounterparts = 32;

/** So many contradictions of one record are kept, the nearest in time: people look at some, and a number such as 0 has thousands. */
export const mostContradictions = 4;

/**
 * A report and a study whose days are further apart have nothing to do with each other: a report comes some weeks after
 * its images at the latest, while a RIS may begin its numbers anew each year, or each day.
 */
export const nearDays = 90;

export type MatchKind = 'exam-report' | 'imaging-study';

// ---------------------------------------------------------------- matching

/** A version of an exam report or of a study, as the journal has it. */
export interface EntryToMatch {
  jseq: number;
  /** The message that made it. */
  seq: Seq;
  /** What it is a version of: stands for the report key. */
  record: number;
  kind: MatchKind;
  action: 'publish' | 'retract';
  /** Stands for the patient's number. */
  lane: number;
  receivedMs: number;
  /** JSON of JournalContent; empty when damaged. */
  content: Phi<string>;
}

/** What of a version matters here. */
export interface MatchFacts {
  /** Without spaces around them, none of them empty. */
  numbers: string[];
  /** Whether a counterpart is to be expected. */
  expects: boolean;
  person: MatchPerson;
  /** Of the examination, counted since 1970. */
  day: number;
  /** Of a study. */
  studyUid?: string;
}

/** `facts` undefined: it was withdrawn, or cannot be read; it is linked with nothing. */
export type MatchedEntry = Omit<EntryToMatch, 'content' | 'action'> & { facts: Phi<MatchFacts> | undefined };

export interface MatchingStore {
  /**
   * Entries after the cursor, opened one by one as they are taken; from the beginning of the journal where it was last
   * matched by rules of another revision.
   */
  toMatch(revision: number, count: number): Iterable<EntryToMatch>;
  /**
   * Moves the cursor and links what is to be linked, in one transaction. A version takes the place of the one before it
   * and is compared anew, but where only its patient's number changed (a merge) its links stay.
   */
  commitMatching(revision: number, entries: MatchedEntry[]): Promise<void>;
}

// ---------------------------------------------------------------- page

/** Tasks for a person: DCM-2299 contradictions, DCM-2301 studies without report, DCM-2302 reports without images. */
export interface MatchProblem {
  code: Extract<ErrorCode, 'DCM-2299' | 'DCM-2301' | 'DCM-2302'>;
  count: number;
  /** When the oldest of them became one. */
  sinceMs?: number;
  exampleStudy?: number;
  exampleSeq?: Seq;
}

/** `contradicts`: they have a number in common and speak of different people, and nothing else is linked with either. */
export type LinkState = 'linked' | 'contradicts';

/** What a suggestion rests on: the same patient number in the hospital, or the same name and birth date. */
export type SuggestedBy = 'patient-number' | 'name-and-birth-date';

/** Where a list goes on: of its last row. */
export interface MatchPosition {
  sinceMs: number;
  record: number;
}

interface Unmatched extends MatchPosition {
  /** It has waited longer than `data.report_wait_hours` and is counted as a problem. */
  overdue: boolean;
}

/** A study that no report is linked with. */
export interface UnmatchedStudy extends Unmatched {
  study: number;
  /** Reports that may be on it, of the same day or the day before or after: for a person to look at, never a link. */
  suggestions: Array<{ seq: Seq; by: SuggestedBy }>;
}

/** A report with an accession number that no study is linked with. */
export interface UnmatchedReport extends Unmatched {
  /** The message that its current version came with. */
  seq: Seq;
  suggestions: Array<{ study: number; by: SuggestedBy }>;
}

export interface MatchPageStore {
  /** Reports of a study, by the message of their current version. */
  linksOf(study: number): Promise<Array<{ seq: Seq; state: LinkState }>>;
  /** Newest first, after the row that `before` is of. At most 50. */
  unmatchedStudies(nowMs: number, limit: number, before?: MatchPosition): Promise<UnmatchedStudy[]>;
  unmatchedReports(nowMs: number, limit: number, before?: MatchPosition): Promise<UnmatchedReport[]>;
  /** Pairs that contradict (DCM-2299), in no order that means anything, after `after`. At most 50. */
  contradictions(limit: number, after?: { exam: number; imaging: number }): Promise<Contradiction[]>;
}

/** `exam` and `imaging` only say where the list goes on. */
export interface Contradiction {
  seq: Seq;
  study: number;
  exam: number;
  imaging: number;
}
