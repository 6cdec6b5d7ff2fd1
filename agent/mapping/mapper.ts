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

/** What one message says, before the report life cycle decides. Pure function of bytes, profile, context. */
export type Reading =
  /** `type` is from a closed list such as `ORU^R01`, `other`. */
  | {
      kind: 'statements';
      type: string;
      statements: Array<{ ok: ReportStatement } | { held: { code: string; where: string } }>;
      lookups: LookupKey[];
    }
  | { kind: 'filtered'; type: string; rule: string; lookups: LookupKey[] }
  | { kind: 'held'; type: string; code: string; where: string; lookups: LookupKey[] };

/** Reads messages of one source after its source profile. Compiled once at load. */
export interface MessageReader {
  read(raw: Phi<Uint8Array>, context: MappingContext): Reading;
  /** How corrections relate to the version before, from the profile. */
  corrections: 'snapshot' | 'delta' | 'unknown';
}
