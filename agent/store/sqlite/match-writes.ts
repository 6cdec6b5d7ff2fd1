import type { DatabaseSync } from 'node:sqlite';
import { contradicting, type MatchPerson } from '../../matching/person.ts';
import { pack, type Vault } from '../../security/vault.ts';
import { type MatchFacts, type MatchKind, mostCounterparts } from '../match-contract.ts';
import { imageMacs } from './image-writes.ts';
import {
  linkState,
  MATCHING,
  MATCHING_RULES,
  matchKind,
  numberMacs,
  type SealedMatch,
  suggestionMacs,
} from './match-keys.ts';
import type { MatchRequest } from './requests.ts';

type Entry = MatchRequest['entries'][number];

/** Links of a record: the counterpart's row and the state. */
type Links = Map<number, number>;

/** Of one number so many are looked at: some may have no room for another. */
const LOOKED_AT = 2 * mostCounterparts;

/**
 * Links exam reports and studies as the journal tells of them, one version after the other, so that each sees all before
 * it. Call inside a transaction.
 */
export function openMatchWrites(db: DatabaseSync, vault: Vault) {
  const cursor = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');
  const row = db.prepare('SELECT lane FROM match_record WHERE record=?');
  const sealed = db.prepare('SELECT key_id, sealed FROM match_record WHERE record=?');
  const studyOf = db.prepare('SELECT id FROM study WHERE mac=?');
  // A record that stands keeps its time: its counterpart is late since then.
  const put = db.prepare(`INSERT INTO match_record(record, kind, seq, study, lane, since_ms, expects, key_id, sealed)
    VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET seq=excluded.seq, study=excluded.study, lane=excluded.lane,
    expects=excluded.expects, key_id=excluded.key_id, sealed=excluded.sealed`);
  const drop = db.prepare('DELETE FROM match_record WHERE record=?');
  const putKey = db.prepare('INSERT OR IGNORE INTO match_key(mac, kind, record) VALUES(?,?,?)');
  const dropKeys = db.prepare('DELETE FROM match_key WHERE record=?');
  // Looking further for one that has room would walk over all that name a number such as 0.
  const withNumber =
    db.prepare(`SELECT few.record FROM (SELECT record FROM match_key WHERE mac=? AND kind=? ORDER BY record
    LIMIT ${LOOKED_AT}) few CROSS JOIN match_record r ON r.record = few.record WHERE r.links < ${mostCounterparts}`);
  const hasNumber = db.prepare('SELECT 1 FROM match_key WHERE mac=? AND kind=? AND record=?');
  const sides = [
    {
      of: db.prepare('SELECT imaging AS other, state FROM match_link WHERE exam=?'),
      put: db.prepare('INSERT OR REPLACE INTO match_link(exam, imaging, state) VALUES(?1,?2,?3)'),
      drop: db.prepare('DELETE FROM match_link WHERE exam=?1 AND imaging=?2'),
    },
    {
      of: db.prepare('SELECT exam AS other, state FROM match_link WHERE imaging=?'),
      put: db.prepare('INSERT OR REPLACE INTO match_link(exam, imaging, state) VALUES(?2,?1,?3)'),
      drop: db.prepare('DELETE FROM match_link WHERE exam=?2 AND imaging=?1'),
    },
  ] as const;
  const { linked, contradicts } = linkState;
  const settled = (side: 'exam' | 'imaging') =>
    db.prepare(`UPDATE match_record SET links = (SELECT count(*) FROM match_link WHERE ${side}=record),
      waits = expects AND NOT EXISTS (SELECT 1 FROM match_link WHERE ${side}=record AND state=${linked}) WHERE record=?`);
  const [settleExam, settleImaging] = [settled('exam'), settled('imaging')];

  const sideOf = (kind: MatchKind) => sides[kind === 'exam-report' ? 0 : 1];
  const otherOf = (kind: MatchKind): MatchKind => (kind === 'exam-report' ? 'imaging-study' : 'exam-report');
  const linksOf = (kind: MatchKind, record: number): Links =>
    new Map(
      (sideOf(kind).of.all(record) as unknown as Array<{ other: number; state: number }>).map((l) => [
        l.other,
        l.state,
      ]),
    );

  /** Undefined where its row is damaged: nobody can say that the two do not contradict each other. */
  function personOf(record: number): MatchPerson | undefined {
    const found = sealed.get(record) as { key_id: number; sealed: Uint8Array } | undefined;
    if (!found) return undefined;
    try {
      return (JSON.parse(vault.open('match', record, found.key_id, found.sealed).toString('utf8')) as SealedMatch)
        .person;
    } catch {
      return undefined;
    }
  }

  /** Those it was with already and still has a number in common with, then the others that have one, the first first. */
  function counterparts(kind: MatchKind, numbers: Buffer[], before: Links): Set<number> {
    const other = otherOf(kind);
    const found = new Set<number>();
    for (const known of before.keys()) {
      if (numbers.some((mac) => hasNumber.get(mac, matchKind[other], known))) found.add(known);
    }
    for (const mac of numbers) {
      for (const { record } of withNumber.all(mac, matchKind[other]) as unknown as Array<{ record: number }>) {
        if (found.size === mostCounterparts) return found;
        found.add(record);
      }
    }
    return found;
  }

  function judge({ kind }: Entry, facts: MatchFacts, numbers: Buffer[], before: Links, sameButPatient: boolean): Links {
    const links: Links = new Map();
    for (const other of counterparts(kind, numbers, before)) {
      if (sameButPatient && before.get(other) === linked) {
        links.set(other, linked);
        continue;
      }
      const person = personOf(other);
      if (person) links.set(other, contradicting(facts.person, person) === undefined ? linked : contradicts);
    }
    return links;
  }

  function relink(kind: MatchKind, record: number, before: Links, after: Links): void {
    const side = sideOf(kind);
    for (const other of before.keys()) if (!after.has(other)) side.drop.run(record, other);
    for (const [other, state] of after) if (before.get(other) !== state) side.put.run(record, other, state);
    const [own, others] = kind === 'exam-report' ? [settleExam, settleImaging] : [settleImaging, settleExam];
    own.run(record);
    for (const other of new Set([...before.keys(), ...after.keys()])) others.run(other);
  }

  function take(entry: Entry, facts: MatchFacts, nowMs: number): void {
    const { record, kind, seq, lane } = entry;
    const standing = row.get(record) as { lane: number } | undefined;
    const uid = facts.studyUid;
    const study =
      uid === undefined ? 0 : ((studyOf.get(vault.mac(imageMacs.study, uid)) as { id: number } | undefined)?.id ?? 0);
    const secret: SealedMatch = { person: facts.person, day: facts.day };
    const { keyId, sealed } = vault.seal('match', record, pack(Buffer.from(JSON.stringify(secret))), nowMs);
    const expects = facts.expects ? 1 : 0;
    put.run(record, matchKind[kind], seq, study, lane, entry.receivedMs, expects, keyId, sealed);
    const numbers = numberMacs(vault, facts.numbers);
    dropKeys.run(record);
    const suggesting = suggestionMacs(vault, lane, facts.person, facts.day).map(({ mac }) => mac);
    for (const mac of [...numbers, ...suggesting]) putKey.run(mac, matchKind[kind], record);
    const before = linksOf(kind, record);
    // Issued under another number with nothing withdrawn: two numbers became one, or two again (wrong patients are withdrawn).
    const sameButPatient = standing !== undefined && standing.lane !== lane;
    relink(kind, record, before, judge(entry, facts, numbers, before, sameButPatient));
  }

  function leave({ record, kind }: Entry): void {
    const before = linksOf(kind, record);
    dropKeys.run(record);
    drop.run(record);
    relink(kind, record, before, new Map());
  }

  return ({ revision, entries }: MatchRequest, nowMs: number): void => {
    if ((cursor.get(MATCHING_RULES) as { at: number } | undefined)?.at !== revision) {
      db.exec('DELETE FROM match_link; DELETE FROM match_key; DELETE FROM match_record');
      setCursor.run(MATCHING, 0);
      setCursor.run(MATCHING_RULES, revision);
    }
    let at = (cursor.get(MATCHING) as { at: number } | undefined)?.at ?? 0;
    for (const entry of entries) {
      if (entry.jseq <= at) continue;
      at = entry.jseq;
      if (entry.facts) take(entry, entry.facts, nowMs);
      else leave(entry);
    }
    setCursor.run(MATCHING, at);
  };
}
