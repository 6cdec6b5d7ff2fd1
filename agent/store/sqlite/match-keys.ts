import { type MatchPerson, personKey } from '../../matching/person.ts';
import type { Vault } from '../../security/vault.ts';
import type { MatchKind, SuggestedBy } from '../match-contract.ts';

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

/** MACs of its numbers: what links. */
export const numberMacs = (vault: Vault, numbers: readonly string[]): Buffer[] =>
  numbers.map((number) => vault.mac('match-number', number));

/** MACs of whose it is, on a day: what suggests. Days differ by one over midnight, and where a report tells only of itself. */
export function suggestionMacs(vault: Vault, lane: number, person: MatchPerson, day: number) {
  const who = personKey(person);
  const keys: Array<{ by: SuggestedBy; mac: Buffer }> = [
    { by: 'patient-number', mac: vault.mac('match-lane', `${lane}\n${day}`) },
  ];
  if (who !== undefined) keys.push({ by: 'name-and-birth-date', mac: vault.mac('match-person', `${who}\n${day}`) });
  return keys;
}
