import { type MatchPerson, personKey } from '../../../matching/person.ts';
import type { Vault } from '../../../security/vault.ts';
import type { MatchKind, SuggestedBy } from '../../match-contract.ts';

/** match_record.kind as numbers, named. */
export const matchKind: Record<MatchKind, number> = { 'exam-report': 0, 'imaging-study': 1 };
/** match_link.state as numbers, named. */
export const linkState = { linked: 1, contradicts: 2 } as const;

/** The cursor rows of matching, and of the rules it was last done by. */
export const MATCHING = 'matching';
export const MATCHING_RULES = 'matching-rules';

/** What lies sealed beside a record that is matched. */
export interface SealedMatch {
  person: MatchPerson;
  day: number;
}

/**
 * What links: a number's MAC, the kind of record, its day. So those of one number and kind lie side by side in the order
 * of their days, and the nearest are found without a walk over the others.
 */
export const numberKeys = (vault: Vault, kind: MatchKind, numbers: readonly string[], day: number): Buffer[] =>
  numbers.map((number) => {
    const mac = vault.mac('match-number', number);
    // Days of one number are counted from a day that only the key knows: how far apart they are shows, not which they are.
    return numberKey(mac, matchKind[kind], YEAR_ZERO + day + vault.mac('match-day', number).readUInt32BE());
  });

/** That of a number key on the other side, so many days before or after. */
export const keyNear = (key: Uint8Array, kind: MatchKind, days: number): Buffer =>
  numberKey(Buffer.from(key), matchKind[kind], placeOf(key) + days);

/** How many days two keys are apart; undefined where they are not of one number. */
export const daysBetween = (a: Uint8Array, b: Uint8Array): number | undefined =>
  Buffer.compare(a.subarray(0, MAC_BYTES), b.subarray(0, MAC_BYTES)) === 0
    ? Math.abs(placeOf(a) - placeOf(b))
    : undefined;

const MAC_BYTES = 16;
const DAY_BYTES = 6;
/** Longer than all other keys. */
export const NUMBER_KEY_BYTES = MAC_BYTES + 1 + DAY_BYTES;
/** Days from the year 0 to 1970, and some: whatever date a sender makes up, its place is above zero. */
const YEAR_ZERO = 1_000_000;

const placeOf = (key: Uint8Array): number => Buffer.from(key).readUIntBE(MAC_BYTES + 1, DAY_BYTES);

function numberKey(mac: Buffer, kind: number, place: number): Buffer {
  const key = Buffer.alloc(NUMBER_KEY_BYTES);
  mac.copy(key, 0, 0, MAC_BYTES);
  key[MAC_BYTES] = kind;
  key.writeUIntBE(place, MAC_BYTES + 1, DAY_BYTES);
  return key;
}

/** MACs of whose it is, on a day: what suggests. Days differ by one over midnight, and where a report tells only of itself. */
export function suggestionMacs(vault: Vault, lane: number, person: MatchPerson, day: number) {
  const who = personKey(person);
  const keys: Array<{ by: SuggestedBy; mac: Buffer }> = [
    { by: 'patient-number', mac: vault.mac('match-lane', `${lane}\n${day}`) },
  ];
  if (who !== undefined) keys.push({ by: 'name-and-birth-date', mac: vault.mac('match-person', `${who}\n${day}`) });
  return keys;
}
