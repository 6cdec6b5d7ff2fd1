import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../../security/vault.ts';
import type {
  Contradiction,
  LinkState,
  MatchKind,
  MatchPosition,
  MatchProblem,
  SuggestedBy,
  UnmatchedReport,
  UnmatchedStudy,
} from '../../match-contract.ts';
import { linkState, matchKind, type SealedMatch, suggestionMacs } from './match-keys.ts';

/** What the page and the command line ask about reports and studies; answered in short pages. */
export type MatchReadRequest =
  | { op: 'links-of'; study: number }
  | { op: 'unmatched'; kind: MatchKind; limit: number; before?: MatchPosition; nowMs: number }
  | { op: 'contradictions'; limit: number; after?: { exam: number; imaging: number } };

const MOST_ROWS = 50;
const MOST_SUGGESTIONS = 5;
/** So many are counted at every look at the page; more only now and then: counting a million takes some 20 ms. */
const COUNTED_ALWAYS = 10_000;
const COUNTED_EVERY_MS = 60_000;

export type MatchAnswer =
  | Array<{ seq: number; state: LinkState }>
  | Array<UnmatchedStudy | UnmatchedReport>
  | Contradiction[];

interface Row {
  record: number;
  seq: number;
  study: number;
  lane: number;
  since_ms: number;
  key_id: number;
  sealed: Uint8Array;
}

interface Counted {
  n: number;
  /** Of the oldest. */
  ms: number | null;
}

/** @param waitMs how long a report and its images may be apart before that is a problem; 0: for ever. */
export function openMatchPage(db: DatabaseSync, vault: Vault, waitMs: number) {
  const contradicting = db.prepare(
    `SELECT count(*) AS n, NULL AS ms FROM match_link INDEXED BY match_contradicts WHERE state=${linkState.contradicts}`,
  );
  const contradictions =
    db.prepare(`SELECT l.exam, l.imaging, e.seq, i.study FROM match_link l INDEXED BY match_contradicts
    JOIN match_record e ON e.record = l.exam JOIN match_record i ON i.record = l.imaging
    WHERE l.state=${linkState.contradicts} AND (l.exam, l.imaging) > (?, ?) ORDER BY l.exam, l.imaging LIMIT ?`);
  const first =
    db.prepare(`SELECT min(ms) AS ms FROM (SELECT min(since_ms) AS ms FROM match_record WHERE kind=?1 AND waits=0
    UNION ALL SELECT min(since_ms) FROM match_record WHERE kind=?1 AND waits=1)`);
  const overdue = 'FROM match_record WHERE kind=? AND waits=1 AND since_ms >= ? AND since_ms <= ?';
  const count = db.prepare(`SELECT count(*) AS n, min(since_ms) AS ms ${overdue}`);
  const newest = db.prepare(`SELECT seq, study ${overdue} ORDER BY since_ms DESC LIMIT 1`);
  const unmatched = db.prepare(`SELECT record, seq, study, lane, since_ms, key_id, sealed FROM match_record
    WHERE kind=? AND waits=1 AND (since_ms, record) < (?, ?) ORDER BY since_ms DESC, record DESC LIMIT ?`);
  const withKey =
    db.prepare(`SELECT r.record, r.seq, r.study FROM match_key k JOIN match_record r ON r.record = k.record
    WHERE k.mac=? AND k.kind=? ORDER BY k.record DESC LIMIT ${MOST_SUGGESTIONS}`);
  const recordOf = db.prepare(`SELECT record FROM match_record WHERE study=? AND kind=${matchKind['imaging-study']}`);
  const links = db.prepare(`SELECT e.seq, l.state FROM match_link l JOIN match_record e ON e.record = l.exam
    WHERE l.imaging=? ORDER BY l.exam`);
  const counted = new Map<MatchProblem['code'], Counted & { atMs: number }>();

  /**
   * From when on a counterpart is missed: not before there was any, for a hospital may have had reports for years when
   * its images join. Undefined where none ever came.
   */
  function missedSince(kind: MatchKind): number | undefined {
    const other = matchKind[kind === 'exam-report' ? 'imaging-study' : 'exam-report'];
    const { ms } = first.get(other) as { ms: number | null };
    return ms === null ? undefined : ms - waitMs;
  }

  function countedLately(code: MatchProblem['code'], nowMs: number, count: () => Counted): Counted {
    const known = counted.get(code);
    const age = nowMs - (known?.atMs ?? Number.NEGATIVE_INFINITY);
    if (known && known.n >= COUNTED_ALWAYS && age < COUNTED_EVERY_MS && age >= 0) return known;
    const fresh = { atMs: nowMs, ...count() };
    counted.set(code, fresh);
    return fresh;
  }

  function missing(code: MatchProblem['code'], kind: MatchKind, nowMs: number): MatchProblem[] {
    const since = waitMs > 0 ? missedSince(kind) : undefined;
    if (since === undefined) return [];
    const range = [matchKind[kind], since, Math.floor(nowMs) - waitMs] as const;
    const known = countedLately(code, nowMs, () => count.get(...range) as unknown as Counted);
    if (known.n === 0) return [];
    const example = newest.get(...range) as { seq: number; study: number } | undefined;
    return [
      {
        code,
        count: known.n,
        ...(known.ms !== null && { sinceMs: known.ms + waitMs }),
        ...(example && (kind === 'exam-report' ? { exampleSeq: example.seq } : { exampleStudy: example.study })),
      },
    ];
  }

  function problems(nowMs: number): MatchProblem[] {
    const { n } = countedLately('DCM-2299', nowMs, () => contradicting.get() as unknown as Counted);
    const [one] = n === 0 ? [] : contradictionsAfter(1);
    return [
      ...(one ? [{ code: 'DCM-2299' as const, count: n, exampleStudy: one.study, exampleSeq: one.seq }] : []),
      ...missing('DCM-2301', 'imaging-study', nowMs),
      ...missing('DCM-2302', 'exam-report', nowMs),
    ];
  }

  const contradictionsAfter = (limit: number, after = { exam: 0, imaging: 0 }): Contradiction[] =>
    (contradictions.all(after.exam, after.imaging, Math.min(limit, MOST_ROWS)) as unknown as Contradiction[]).map(
      ({ seq, study, exam, imaging }) => ({ seq, study, exam, imaging }),
    );

  function suggestions(row: Row, kind: MatchKind): Array<{ seq: number; study: number; by: SuggestedBy }> {
    let secret: SealedMatch;
    try {
      secret = JSON.parse(vault.open('match', row.record, row.key_id, row.sealed).toString('utf8')) as SealedMatch;
    } catch {
      return [];
    }
    const other = matchKind[kind === 'exam-report' ? 'imaging-study' : 'exam-report'];
    const found = new Map<number, { seq: number; study: number; by: SuggestedBy }>();
    const days = [secret.day, secret.day - 1, secret.day + 1];
    for (const { by, mac } of days.flatMap((day) => suggestionMacs(vault, row.lane, secret.person, day))) {
      for (const r of withKey.all(mac, other) as unknown as Row[]) {
        if (found.size < MOST_SUGGESTIONS && !found.has(r.record)) {
          found.set(r.record, { seq: r.seq, study: r.study, by });
        }
      }
    }
    return [...found.values()];
  }

  function unmatchedOf({
    kind,
    limit,
    before = { sinceMs: Number.MAX_SAFE_INTEGER, record: 0 },
    nowMs,
  }: Extract<MatchReadRequest, { op: 'unmatched' }>): Array<UnmatchedStudy | UnmatchedReport> {
    const since = waitMs > 0 ? missedSince(kind) : undefined;
    const rows = unmatched.all(matchKind[kind], before.sinceMs, before.record, Math.min(limit, MOST_ROWS));
    return (rows as unknown as Row[]).map((r) => {
      const sinceMs = r.since_ms;
      const overdue = since !== undefined && sinceMs >= since && sinceMs <= nowMs - waitMs;
      const at = { record: r.record, sinceMs, overdue };
      const suggested = suggestions(r, kind);
      return kind === 'exam-report'
        ? { ...at, seq: r.seq, suggestions: suggested.map(({ study, by }) => ({ study, by })) }
        : { ...at, study: r.study, suggestions: suggested.map(({ seq, by }) => ({ seq, by })) };
    });
  }

  function linksOf(study: number): Array<{ seq: number; state: LinkState }> {
    const found = recordOf.get(study) as { record: number } | undefined;
    const rows = (found ? links.all(found.record) : []) as unknown as Array<{ seq: number; state: number }>;
    return rows.map(({ seq, state }) => ({ seq, state: state === linkState.linked ? 'linked' : 'contradicts' }));
  }

  return {
    problems,
    answer(request: MatchReadRequest): MatchAnswer {
      switch (request.op) {
        case 'links-of':
          return linksOf(request.study);
        case 'unmatched':
          return unmatchedOf(request);
        case 'contradictions':
          return contradictionsAfter(request.limit, request.after);
      }
    },
  };
}
