import type { DatabaseSync } from 'node:sqlite';
import { agreement, type MatchPerson } from '../../../matching/person.ts';
import type { Vault } from '../../../security/vault.ts';
import { type MatchKind, mostCounterparts, nearDays } from '../../match-contract.ts';
import { daysBetween, keyNear, NUMBER_KEY_BYTES, type SealedMatch } from './match-keys.ts';

/** Of one record so many are looked at: some may have no room for another, or be other people's. */
const LOOKED_AT = 2 * mostCounterparts;

/** Those a record has a number in common with, of days near its own, by what they say of the person. */
export interface Counterparts {
  agreeing: number[];
  differing: number[];
}

export const otherKind = (kind: MatchKind): MatchKind => (kind === 'exam-report' ? 'imaging-study' : 'exam-report');

/** Finds and compares counterparts as their rows now say; a row that is gone or damaged has none and is none. */
export function openCounterparts(db: DatabaseSync, vault: Vault) {
  const sealed = db.prepare('SELECT lane, key_id, sealed FROM match_record WHERE record=?');
  const keysOf = db.prepare(`SELECT mac FROM match_key WHERE record=? AND length(mac)=${NUMBER_KEY_BYTES}`);
  // Of the same day and before, the newest first; then those after it. A number of millions costs no more than one of two.
  const until = db.prepare(`SELECT mac, record FROM match_key WHERE mac >= ?1 AND mac <= ?2
    ORDER BY mac DESC, kind DESC, record DESC LIMIT ${LOOKED_AT}`);
  const since = db.prepare(`SELECT mac, record FROM match_key WHERE mac > ?1 AND mac <= ?2
    ORDER BY mac, kind, record LIMIT ${LOOKED_AT}`);

  const numbersOf = (record: number): Uint8Array[] =>
    (keysOf.all(record) as unknown as Array<{ mac: Uint8Array }>).map(({ mac }) => mac);

  function personOf(record: number): { person: MatchPerson; lane: number } | undefined {
    const found = sealed.get(record) as { lane: number; key_id: number; sealed: Uint8Array } | undefined;
    if (!found) return undefined;
    try {
      const secret = vault.open('match', record, found.key_id, found.sealed).toString('utf8');
      return { person: (JSON.parse(secret) as SealedMatch).person, lane: found.lane };
    } catch {
      return undefined;
    }
  }

  /** Of one number, the nearest in time first. */
  function withNumber(key: Uint8Array, other: MatchKind): number[] {
    const [first, own, last] = [keyNear(key, other, -nearDays), keyNear(key, other, 0), keyNear(key, other, nearDays)];
    const found = [...until.all(first, own), ...since.all(own, last)] as unknown as Array<{
      mac: Uint8Array;
      record: number;
    }>;
    return found
      .map(({ mac, record }) => ({ record, days: daysBetween(mac, key) ?? 0 }))
      .sort((a, b) => a.days - b.days)
      .slice(0, LOOKED_AT)
      .map(({ record }) => record);
  }

  function areNear(own: Uint8Array[], theirs: Uint8Array[]): boolean {
    return own.some((a) => theirs.some((b) => (daysBetween(a, b) ?? Number.POSITIVE_INFINITY) <= nearDays));
  }

  /**
   * @param known those it is linked with: they come first, where they still have a number in common.
   * @param sameButPatient they agree then whatever is said of the person.
   */
  return (kind: MatchKind, record: number, known: number[], sameButPatient: boolean): Counterparts => {
    const found: Counterparts = { agreeing: [], differing: [] };
    const own = personOf(record);
    if (!own) return found;
    const numbers = numbersOf(record);
    const still = known.filter((other) => areNear(numbers, numbersOf(other)));
    // The number that fewest have says most.
    const others = numbers.map((key) => withNumber(key, otherKind(kind))).sort((a, b) => a.length - b.length);
    for (const other of new Set([...still, ...[...new Set(others.flat())].slice(0, LOOKED_AT)])) {
      const theirs = personOf(other);
      if (sameButPatient && still.includes(other)) found.agreeing.push(other);
      else if (theirs) {
        const said = agreement(own.person, theirs.person, own.lane === theirs.lane);
        if (said !== 'unsure') (said === 'agree' ? found.agreeing : found.differing).push(other);
      }
    }
    return found;
  };
}
