import type { MergeStatement, PatientStatement } from '../clinical/patients/types.ts';
import type { ReportStatement } from '../clinical/reports/types.ts';
import type { LookupKey } from '../store/contract.ts';
import type { Phi } from '../support/phi.ts';

/** What mapping may know beside the bytes; kept with what it made, so that replay gives the same. */
export interface MappingContext {
  receivedMs: number;
  source: string;
  /** IANA zone of the site or of the profile. */
  timeZone: string;
}

/**
 * One thing that a message says; each becomes one part of the message, in this order. `institution`: organisation code of the
 * institution it belongs to, where the profile tells institutions apart; keys are as the institution itself has them.
 */
export type Statement = Said & { institution?: string };

type Said =
  | { ok: ReportStatement }
  /** Demographics: the patient index takes them, and the patient's record is journalled when it changed. */
  | { patient: PatientStatement }
  | { merge: MergeStatement }
  | { held: { code: string; where: string } }
  | { filtered: string };

/** What one message says, before the report life cycle decides. Pure function of bytes, profile, context. */
export type Reading =
  /** `type` is from a closed list such as `ORU^R01`, `other`. */
  | {
      kind: 'statements';
      type: string;
      statements: Statement[];
      lookups: LookupKey[];
    }
  | { kind: 'filtered'; type: string; rule: string; lookups: LookupKey[] }
  | { kind: 'held'; type: string; code: string; where: string; lookups: LookupKey[] };

/** Reads messages of one source after its source profile. Compiled once at load. */
export interface MessageReader {
  read(raw: Phi<Uint8Array>, context: MappingContext): Reading;
  /** How corrections relate to the version before, from the profile. */
  corrections: 'snapshot' | 'delta' | 'unknown';
  /** How long the tests of one report may come one by one, from the last of them (profile `assembly`); 0: not at all. */
  quietMs: number;
  /** How long a report waits for a patient nobody has told of yet (profile `patient.park_minutes`); 0: not at all. */
  parkMs: number;
  /**
   * Set where the profile tells institutions apart (profile `organisation`): whether each has in-house numbers of its own,
   * or all share those of the site. Absent: everything is the site's own.
   */
  patientNumbers?: 'own' | 'shared';
}
