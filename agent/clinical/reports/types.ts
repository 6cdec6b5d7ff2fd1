import type { ClinicalRecord, Finding } from '../records/types.ts';

/** What a report status or item status makes of the report: data of the source profile. */
export type StatusAction =
  | 'publish' // final: publish, or replace when published before
  | 'hold' // preliminary, registered, in process: wait for the final
  | 'remove-item' // result deleted or not obtained: the item goes, the report is issued again
  | 'retract'; // posted as wrong, cancelled: the whole report is withdrawn

/** How a correction relates to the version before: whole report, or only what changed. */
export type CorrectionMode = 'snapshot' | 'delta' | 'unknown';

/**
 * One record as one message states it, before the life cycle decides: a report, or an encounter, order, prescription
 * or document, which have no items and are always told whole.
 */
export interface ReportStatement {
  /**
   * Identity of the record. Of reports (source, report number), joined as `source|number`; specimen and patient are
   * not in it. Of others `encounter|source|visit number`, `order|source|number`, `prescription|source|number`,
   * `document|source|number`, `patient|in-house number`. Of another institution than the site's own marked with its code
   * (agent/clinical/institutions.ts), as the patient's key is where it has numbers of its own.
   */
  reportKey: string;
  /** Stable key of the patient's in-house number; what a lane hangs on. */
  patientKey: string;
  report: ClinicalRecord;
  /** What the message lacks and the patient index may know: filled from it, else parked if the profile parks. */
  lacks?: Array<'name' | 'sex' | 'birthDate' | 'patientClass'>;
  reportAction: StatusAction;
  /**
   * Keys of items, organisms, drugs or sections whose own status is remove-item or hold; all others publish. `ECO|`: the
   * organism goes, or waits, with the last of its drugs.
   */
  itemActions: Record<string, StatusAction>;
  /** Ordering: report time, then message time, then arrival. Future times are undefined. */
  reportTime?: string;
  messageTime?: string;
  findings: Finding[];
}

/** What the store remembers of one report. Sealed at rest. */
export interface ReportState {
  reportKey: string;
  /** Source whose message was applied last: a record that another source's merge issues again stays this one's. */
  source?: string;
  /** Derived, platform-facing, stable for ever: 32 hex characters. */
  setId: string;
  status: 'waiting' | 'published' | 'retracted';
  /** Version last journalled; 0 when none was. */
  version: number;
  /** Content of that version, for deltas and for seeing missing items. */
  current?: ClinicalRecord;
  /** Fields of the patient that this content (or what is collected) has from the patient index. */
  completed?: ReportStatement['lacks'];
  /** Tests of one report that come one by one, until its quiet period is over (profile `assembly`). */
  assembling?: { record: ClinicalRecord; untilMs: number; findings: Finding[] };
  /**
   * Where messages say only what changes: when each item or section was last told of, deleted ones too. An older
   * message changes what nobody has told of since, and nothing else.
   */
  told?: Record<string, ToldAt>;
  patientKey: string;
  /** Ordering of what was last applied. */
  reportTime?: string;
  messageTime?: string;
  /** Message last applied: decides between equal times when a held message is read again later. */
  appliedSeq?: number;
  /** SHA-256 hex of the content last journalled: an equal statement is a duplicate. */
  contentHash?: string;
  /** Messages held as interim: the next publish absorbs them. `seq:part`. */
  waiting: string[];
  /** What of them is finished, as keys by `seq:part`: a final that does not mention it must not end their waiting. */
  finished?: Record<string, string[]>;
}

/** Where something stands in the order of a report's life. */
export type ToldAt = Pick<ReportState, 'reportTime' | 'messageTime' | 'appliedSeq'>;

/** What becomes of one statement. */
export type ReportDecision =
  | { do: 'publish'; report: ClinicalRecord; next: ReportState; absorbs: string[] }
  | { do: 'retract'; report: ClinicalRecord; next: ReportState; absorbs: string[] }
  /**
   * The number was another patient's: what stood under that one is retracted (version `next.version - 1`, in its
   * lane `from`), then published under this one. Never silent: a finding MAP-3030 goes with it.
   */
  | { do: 'move'; from: string; retracts: ClinicalRecord; report: ClinicalRecord; next: ReportState; absorbs: string[] }
  /** `dueMs`: decided again by then at the latest. */
  | { do: 'wait'; code: string; next: ReportState; dueMs?: number }
  | { do: 'absorb'; reason: 'duplicate' | 'older' | 'nothing-published'; next: ReportState; absorbs: string[] }
  | { do: 'hold'; code: string; where: string };

/** Where a statement stands in the order of arrival: message and part of it. */
export interface Arrival {
  seq: number;
  part: number;
}

export interface LifeCycleRules {
  corrections: CorrectionMode;
  /** Derives the platform-facing set id (32 hex characters) of a report key; called once in a report's life. */
  setIdOf(reportKey: string): string;
  /** How long the tests of one report may come one by one (profile `assembly`), milliseconds; 0: they do not. */
  quietMs: number;
  /** When the message was received, or, when what is due is read again, the time it is read at. */
  nowMs: number;
}
