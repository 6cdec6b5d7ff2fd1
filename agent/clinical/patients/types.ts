import type { Encounter, Patient } from '../records/types.ts';

/** What one message says of a patient's demographics. */
export interface PatientStatement {
  /** In-house number: what a lane hangs on, and the patient's identity in the index. */
  patientKey: string;
  /** Values the message has; a field it leaves empty is absent and leaves what is known. */
  patient: Patient;
  /** Fields that the message deletes (`""`). */
  cleared: Array<'name' | 'sex' | 'birthDate' | 'phone' | 'address'>;
  /** The visit it tells of, if it tells of one with a number. */
  encounter?: Encounter;
  /** MSH-7 or EVN-2; absent when the sender gave none or one in the future. What is older changes nothing newer. */
  messageTime?: string;
}

/** Two in-house numbers are one patient (A40 and kin), or are not after all (A37). */
export interface MergeStatement {
  kind: 'merge' | 'unlink';
  /** The number that goes. */
  retired: string;
  /** The number that stays. */
  survivor: string;
  /** What the message says of the survivor. */
  patient?: PatientStatement;
  messageTime?: string;
}

/** What the index remembers of one in-house number. Sealed at rest. */
export interface PatientState {
  patientKey: string;
  patient: Patient;
  /**
   * Message time each field was last told at, `''` when the message had none; absent: told by a report only, which any
   * demographics outweigh, and which completes no other report.
   */
  toldAt: Partial<Record<'identifiers' | 'name' | 'sex' | 'birthDate' | 'phone' | 'address', string>>;
  /** The last visits by visit number, newest last; bounded. Complete reports that do not say their visit's class. */
  encounters: Array<{ visitNumber: string; encounter: Encounter; toldAt?: string }>;
  /** Reports published without name, sex or birth date, newest last; bounded. A registration completes them late. */
  lacking?: string[];
  /** The number it was merged into: everything that comes for this one is that one's. */
  mergedInto?: string;
  /** Numbers merged into this one directly, with the reports that moved: what an unlink gives back. */
  retired: Array<{ patientKey: string; reportKeys: string[] }>;
}

/** What becomes of a merge or an unlink. Pure: the same states and statement give the same decision. */
export type MergeDecision =
  /** The records of these keys, now under `from`, are issued again under `to`. */
  | { do: 'apply'; from: string; to: string; reportKeys: string[]; next: PatientState[] }
  /** It is so already. */
  | { do: 'absorb'; reason: 'duplicate' }
  | { do: 'hold'; code: string; where: string };
