import type { DatabaseSync } from 'node:sqlite';
import { pack, type Vault } from '../../../security/vault.ts';
import { type MatchFacts, type MatchKind, mostContradictions, mostCounterparts } from '../../match-contract.ts';
import { imageMacs } from '../images/image-writes.ts';
import type { MatchRequest } from '../requests.ts';
import { openCounterparts, otherKind } from './match-counterparts.ts';
import {
  linkState,
  MATCHING,
  MATCHING_RULES,
  matchKind,
  numberKeys,
  type SealedMatch,
  suggestionMacs,
} from './match-keys.ts';

type Entry = MatchRequest['entries'][number];

/** Links of a record: the counterpart's row and the state. */
type Links = Map<number, number>;

/**
 * Links exam reports and studies as the journal tells of them, one version after the other, so that each sees all before
 * it. Call inside a transaction.
 */
export function openMatchWrites(db: DatabaseSync, vault: Vault) {
  const cursor = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');
  const row = db.prepare('SELECT lane, links FROM match_record WHERE record=?');
  const studyOf = db.prepare('SELECT id FROM study WHERE mac=?');
  // A record that stands keeps its time: its counterpart is late since then.
  const put = db.prepare(`INSERT INTO match_record(record, kind, seq, study, lane, since_ms, expects, key_id, sealed)
    VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET seq=excluded.seq, study=excluded.study, lane=excluded.lane,
    expects=excluded.expects, key_id=excluded.key_id, sealed=excluded.sealed`);
  const drop = db.prepare('DELETE FROM match_record WHERE record=?');
  const putKey = db.prepare('INSERT OR IGNORE INTO match_key(mac, kind, record) VALUES(?,?,?)');
  const dropKeys = db.prepare('DELETE FROM match_key WHERE record=?');
  const counterparts = openCounterparts(db, vault);
  const { linked, contradicts } = linkState;
  const settled = (side: 'exam' | 'imaging') =>
    db.prepare(`UPDATE match_record SET links = (SELECT count(*) FROM match_link WHERE ${side}=record AND state=${linked}),
      waits = expects AND NOT EXISTS (SELECT 1 FROM match_link WHERE ${side}=record AND state=${linked}) WHERE record=?`);
  const sides = [
    {
      of: db.prepare('SELECT imaging AS other, state FROM match_link WHERE exam=?'),
      put: db.prepare('INSERT OR REPLACE INTO match_link(exam, imaging, state) VALUES(?1,?2,?3)'),
      drop: db.prepare('DELETE FROM match_link WHERE exam=?1 AND imaging=?2'),
      reconcile: db.prepare(`DELETE FROM match_link WHERE exam=? AND state=${contradicts}`),
      settle: settled('exam'),
    },
    {
      of: db.prepare('SELECT exam AS other, state FROM match_link WHERE imaging=?'),
      put: db.prepare('INSERT OR REPLACE INTO match_link(exam, imaging, state) VALUES(?2,?1,?3)'),
      drop: db.prepare('DELETE FROM match_link WHERE exam=?2 AND imaging=?1'),
      reconcile: db.prepare(`DELETE FROM match_link WHERE imaging=? AND state=${contradicts}`),
      settle: settled('imaging'),
    },
  ] as const;

  const sideOf = (kind: MatchKind) => sides[kind === 'exam-report' ? 0 : 1];
  const linksOf = (kind: MatchKind, record: number): Links =>
    new Map(
      (sideOf(kind).of.all(record) as unknown as Array<{ other: number; state: number }>).map((l) => [
        l.other,
        l.state,
      ]),
    );

  const linksIn = (record: number): number => (row.get(record) as { links: number } | undefined)?.links ?? 0;

  /** Links a record with those it agrees with, as its row and its keys now are; with none where it is gone. */
  function relink(kind: MatchKind, record: number, sameButPatient: boolean): void {
    const [own, others] = [sideOf(kind), sideOf(otherKind(kind))];
    const before = linksOf(kind, record);
    const known = [...before].filter(([, state]) => state === linked).map(([other]) => other);
    const { agreeing, differing } = counterparts(kind, record, known, sameButPatient);
    const hasRoom = (other: number) => before.get(other) === linked || linksIn(other) < mostCounterparts;
    const after = new Set(agreeing.filter(hasRoom).slice(0, mostCounterparts));
    for (const [other, state] of before) if (state === contradicts || !after.has(other)) own.drop.run(record, other);
    for (const other of after) {
      if (before.get(other) === linked) continue;
      own.put.run(record, other, linked);
      others.reconcile.run(other);
      others.settle.run(other);
    }
    own.settle.run(record);
    const deserted = known.filter((other) => !after.has(other));
    for (const left of deserted) others.settle.run(left);
    accuse(kind, record, differing);
    for (const left of deserted) {
      if (linksIn(left) === 0) accuse(otherKind(kind), left, counterparts(otherKind(kind), left, [], false).differing);
    }
  }

  /** Says of one that is linked with nothing whom it contradicts, where nothing is linked with those either. */
  function accuse(kind: MatchKind, record: number, differing: number[]): void {
    if (linksIn(record) > 0) return;
    const known = linksOf(kind, record);
    let room = mostContradictions - known.size;
    for (const other of differing) {
      if (room <= 0) return;
      if (known.has(other) || linksIn(other) > 0) continue;
      if (linksOf(otherKind(kind), other).size >= mostContradictions) continue;
      sideOf(kind).put.run(record, other, contradicts);
      room -= 1;
    }
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
    const numbers = numberKeys(vault, kind, facts.numbers, facts.day);
    dropKeys.run(record);
    const suggesting = suggestionMacs(vault, lane, facts.person, facts.day).map(({ mac }) => mac);
    for (const mac of [...numbers, ...suggesting]) putKey.run(mac, matchKind[kind], record);
    // Issued under another number with nothing withdrawn: two numbers became one, or two again (wrong patients are withdrawn).
    const sameButPatient = standing !== undefined && standing.lane !== lane;
    relink(kind, record, sameButPatient);
  }

  function leave({ record, kind }: Entry): void {
    dropKeys.run(record);
    drop.run(record);
    relink(kind, record, false);
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
