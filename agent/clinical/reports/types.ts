import type { Finding, LabReport } from '../records/types.ts';

/** What a report status or item status makes of the report: data of the source profile. */
export type StatusAction =
  | 'publish' // final: publish, or replace when published before
  | 'hold' // preliminary, registered, in process: wait for the final
  | 'remove-item' // result deleted or not obtained: the item goes, the report is issued again
  | 'retract'; // posted as wrong, cancelled: the whole report is withdrawn

/** How a correction relates to the version before: whole report, or only what changed. */
export type CorrectionMode = 'snapshot' | 'delta' | 'unknown';

/** One report as one message states it, before the life cycle decides. */
export interface ReportStatement {
  /** (source, report number), joined; specimen and patient are not in it. */
  reportKey: string;
  /** Stable key of the patient's in-house number; what a lane hangs on. */
  patientKey: string;
  report: LabReport;
  reportAction: StatusAction;
  /** Keys of items whose own status is remove-item or hold; all others publish. */
  itemActions: Record<string, StatusAction>;
  /** Ordering: report time, then message time, then arrival. Future times are undefined. */
  reportTime?: string;
  messageTime?: string;
  findings: Finding[];
}

/** What the store remembers of one report. Sealed at rest. */
export interface ReportState {
  reportKey: string;
  /** Derived, platform-facing, stable for ever: 32 hex characters. */
  setId: string;
  status: 'waiting' | 'published' | 'retracted';
  /** Version last journalled; 0 when none was. */
  version: number;
  /** Content of that version, for deltas and for seeing missing items. */
  current?: LabReport;
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
}

/** What becomes of one statement. */
export type ReportDecision =
  | { do: 'publish'; report: LabReport; next: ReportState; absorbs: string[] }
  | { do: 'retract'; report: LabReport; next: ReportState; absorbs: string[] }
  | { do: 'wait'; code: string; next: ReportState }
  | { do: 'absorb'; reason: 'duplicate' | 'older' | 'nothing-published'; next: ReportState; absorbs: string[] }
  | { do: 'hold'; code: string; where: string };
