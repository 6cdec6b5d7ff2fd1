import type { DatabaseSync } from 'node:sqlite';
import type { StudyFacts } from '../../../images/study-facts.ts';
import type { Vault } from '../../../security/vault.ts';
import type { ErrorCode } from '../../../support/errors.ts';
import { phi } from '../../../support/phi.ts';
import type { ImageFigures, InstanceRow, InstanceState, StudyRow, StudySearch } from '../../image-contract.ts';
import type { MatchProblem } from '../../match-contract.ts';
import { deletedThere, instanceState, uploadState } from '../schema.ts';
import { imageMacs } from './image-writes.ts';
import { studyKeyFields } from './study-keys.ts';

/** What the page asks about images; answered from the books and in short pages, never by counting rows. */
export type ImageReadRequest =
  | { op: 'image-figures'; nowMs: number }
  | { op: 'studies'; limit: number; before?: number }
  | { op: 'study'; uid: string }
  | { op: 'study-numbered'; study: number }
  | { op: 'find-studies'; by: StudySearch; term: string; limit: number; before?: number }
  | { op: 'instances'; study: number; limit: number; after?: number };

/** A row as it crosses threads. */
export type PlainStudyRow = Omit<StudyRow, 'facts'> & { facts?: StudyFacts };
export type PlainInstanceRow = InstanceRow;

export const studyRow = ({ facts, ...row }: PlainStudyRow): StudyRow => ({
  ...row,
  ...(facts && { facts: phi(facts) }),
});
export const imageFigures = (answer: unknown): ImageFigures => answer as ImageFigures;

const MOST = 200;
const MOST_FOUND = 50;
const names: Record<number, InstanceState> = {
  [uploadState.delivered]: 'delivered',
  [uploadState.held]: 'held',
  [uploadState.conflict]: 'conflict',
  [uploadState.withdrawn]: 'withdrawn',
  [uploadState.kept]: 'kept',
};
const stateName = (state: number): InstanceState => names[state] ?? 'waiting';

interface Balance {
  source: number;
  platform: number;
  state: number;
  code: string;
  n: number;
  bytes: number;
}

export function openImagePage(
  db: DatabaseSync,
  vault: Vault,
  platforms: readonly string[],
  dayOf: (ms: number) => number,
  matchProblems: (nowMs: number) => MatchProblem[],
) {
  const allNames = db.prepare('SELECT id, kind, name FROM name');
  const balance = db.prepare(`SELECT platform, state, code, sum(n) AS n, sum(bytes) AS bytes FROM image_balance
    GROUP BY platform, state, code HAVING sum(n) > 0`);
  const today = db.prepare(
    'SELECT source, platform, state, sum(n) AS n FROM image_balance WHERE day=? GROUP BY source, platform, state HAVING sum(n) > 0',
  );
  const came = db.prepare('SELECT source, n FROM instance_day WHERE day=?');
  const use = db.prepare('SELECT files, bytes FROM spool_use');
  const short = db.prepare(
    'SELECT count(*) AS n, max(study) AS study FROM study_check WHERE platform=? AND counted >= 0 AND counted < delivered',
  );
  const left = db.prepare(`SELECT count(*) AS n, max(s.id) AS study FROM study s WHERE s.withdrawn = 1 AND (
    EXISTS (SELECT 1 FROM study_balance b WHERE b.study = s.id AND b.platform=?1 AND b.state=${uploadState.delivered} AND b.n > 0)
    OR EXISTS (SELECT 1 FROM upload u WHERE u.platform=?1 AND u.study = s.id AND u.state > 10 AND u.may_hold > 0))`);
  const suspect = db.prepare('SELECT count(*) AS n, max(id) AS study FROM study WHERE suspect = 1');
  const unread = db.prepare(`SELECT count(*) AS n FROM instance WHERE state=${instanceState.unread}`);
  const columns = `s.id, s.source, s.first_ms, s.last_ms, s.instances, s.issue, s.issued, s.urgent, s.withdrawn,
    s.key_id, s.sealed FROM study s`;
  const page = db.prepare(`SELECT ${columns} WHERE s.id < ? ORDER BY s.id DESC LIMIT ?`);
  const one = db.prepare(`SELECT ${columns} WHERE s.mac = ?`);
  const numbered = db.prepare(`SELECT ${columns} WHERE s.id = ?`);
  const named = db.prepare(
    `SELECT ${columns} JOIN study_key k ON k.study = s.id WHERE k.mac=? AND k.study < ? ORDER BY k.study DESC LIMIT ?`,
  );
  const states = db.prepare('SELECT platform, state, n FROM study_balance WHERE study=? AND n > 0');
  const counts = db.prepare('SELECT delivered, counted FROM study_check WHERE platform=? AND study=? AND counted >= 0');
  const instances = db.prepare(
    'SELECT n, received_ms, bytes, study, code, conflict, number, kept FROM instance WHERE study=? AND n > ? ORDER BY n LIMIT ?',
  );
  const uploads = db.prepare('SELECT platform, state, code, attempts FROM upload WHERE n=?');

  const nameOf = () => {
    const all = new Map((allNames.all() as unknown as Array<{ id: number; name: string }>).map((r) => [r.id, r.name]));
    return (id: number): string => all.get(id) ?? '';
  };
  const idOf = (platform: string): number =>
    (allNames.all() as unknown as Array<{ id: number; kind: string; name: string }>).find(
      (r) => r.kind === 'platform' && r.name === platform,
    )?.id ?? -1;

  function studyProblems(): ImageFigures['studyProblems'] {
    const found: ImageFigures['studyProblems'] = [];
    const add = (code: ErrorCode, platform: string, row: unknown) => {
      const { n, study } = row as { n: number; study: number | null };
      if (n > 0) found.push({ platform, code, count: n, exampleStudy: study ?? 0 });
    };
    for (const platform of platforms) {
      const id = idOf(platform);
      add('DCM-2293', platform, short.get(id));
      add('DCM-2294', platform, left.get(id));
    }
    add('DCM-2295', '', suspect.get());
    return found;
  }

  function figures(nowMs: number): ImageFigures {
    const name = nameOf();
    const rows = balance.all() as unknown as Balance[];
    const count = (platform: number, state: number, what: 'n' | 'bytes' = 'n') =>
      rows.reduce((sum, r) => sum + (r.platform === platform && r.state === state ? r[what] : 0), 0);
    const configured = new Set([0, ...platforms.map(idOf)]);
    const isGone = (platform: number) => !configured.has(platform);
    const spool = use.get() as { files: number; bytes: number } | undefined;
    return {
      platforms: platforms.map((platform) => {
        const id = idOf(platform);
        return {
          platform,
          waiting: count(id, uploadState.waiting),
          waitingBytes: count(id, uploadState.waiting, 'bytes'),
          delivered: count(id, uploadState.delivered),
          held: count(id, uploadState.held),
          conflict: count(id, uploadState.conflict),
          withdrawn: count(id, uploadState.withdrawn),
        };
      }),
      problems: [
        ...rows
          .filter((r) => r.code !== '' && !isGone(r.platform))
          .filter((r) => r.state !== uploadState.withdrawn || r.code === deletedThere)
          .map((r) => ({ platform: name(r.platform), code: r.code, count: r.n })),
        ...[...new Set(rows.map((r) => r.platform))].filter(isGone).flatMap((platform) => {
          const { waiting, held, conflict } = uploadState;
          const open = count(platform, waiting) + count(platform, held) + count(platform, conflict);
          return open === 0 ? [] : [{ platform: name(platform), code: 'DCM-2297', count: open }];
        }),
      ],
      studyProblems: studyProblems(),
      matchProblems: matchProblems(nowMs),
      today: (today.all(dayOf(nowMs)) as unknown as Balance[]).map((r) => ({
        source: name(r.source),
        platform: name(r.platform),
        state: stateName(r.state),
        count: r.n,
      })),
      receivedToday: (came.all(dayOf(nowMs)) as unknown as Balance[]).map((r) => ({
        source: name(r.source),
        count: r.n,
      })),
      files: spool?.files ?? 0,
      fileBytes: spool?.bytes ?? 0,
      unindexed: (unread.get() as { n: number }).n,
    };
  }

  interface Row {
    id: number;
    source: number;
    first_ms: number;
    last_ms: number;
    instances: number;
    issue: number;
    issued: number;
    urgent: number;
    withdrawn: number;
    key_id: number;
    sealed: Uint8Array;
  }
  const idsOf = (): Array<[platform: string, id: number]> => platforms.map((p) => [p, idOf(p)]);
  function studyOf(r: Row, name: (id: number) => string, ids = idsOf()): PlainStudyRow {
    let facts: StudyFacts | undefined;
    try {
      facts = JSON.parse(vault.open('study', r.id, r.key_id, r.sealed).toString('utf8')) as StudyFacts;
    } catch {
      // Damaged: the row is shown without it.
    }
    return {
      study: r.id,
      source: name(r.source),
      firstMs: r.first_ms,
      lastMs: r.last_ms,
      instances: r.instances,
      issue: r.issue,
      issued: r.issued,
      urgent: r.urgent === 1,
      withdrawn: r.withdrawn === 1,
      ...(facts && { facts }),
      states: (states.all(r.id) as unknown as Balance[]).map((s) => ({
        platform: name(s.platform),
        state: stateName(s.state),
        count: s.n,
      })),
      counted: ids.flatMap(([platform, id]) => {
        const c = counts.get(id, r.id) as { delivered: number; counted: number } | undefined;
        return c ? [{ platform, delivered: c.delivered, counted: c.counted }] : [];
      }),
    };
  }

  function find(by: StudySearch, sent: string, limit: number, before: number): PlainStudyRow[] {
    const term = sent.trim();
    const rows =
      by === 'uid'
        ? [one.get(vault.mac(imageMacs.study, term)) as unknown as Row | undefined]
        : (named.all(vault.mac(studyKeyFields[by], term), before, Math.min(limit, MOST_FOUND)) as unknown as Row[]);
    const [name, ids] = [nameOf(), idsOf()];
    return rows.flatMap((r) => (r && r.id < before ? [studyOf(r, name, ids)] : []));
  }

  function instancesOf(study: number, limit: number, after: number): InstanceRow[] {
    const name = nameOf();
    const rows = instances.all(study, after, Math.min(limit, MOST)) as unknown as Array<{
      n: number;
      received_ms: number;
      bytes: number;
      study: number;
      code: string | null;
      conflict: number | null;
      number: number | null;
      kept: number;
    }>;
    return rows.map((r) => ({
      n: r.n,
      receivedMs: r.received_ms,
      bytes: r.bytes,
      study: r.study,
      ...(r.code !== null && { code: r.code }),
      ...(r.conflict !== null && { conflictWith: r.conflict }),
      ...(r.number !== null && { number: r.number }),
      fileKept: r.kept === 1,
      states: (
        uploads.all(r.n) as unknown as Array<{
          platform: number;
          state: number;
          code: string | null;
          attempts: number;
        }>
      ).map((u) => ({
        platform: name(u.platform),
        state: stateName(u.state),
        ...(u.code !== null && { code: u.code }),
        attempts: u.attempts,
      })),
    }));
  }

  return (
    request: ImageReadRequest,
  ): ImageFigures | PlainStudyRow[] | PlainStudyRow | PlainInstanceRow[] | undefined => {
    switch (request.op) {
      case 'image-figures':
        return figures(request.nowMs);
      case 'studies': {
        const before = request.before ?? Number.MAX_SAFE_INTEGER;
        const [name, ids] = [nameOf(), idsOf()];
        return (page.all(before, Math.min(request.limit, MOST)) as unknown as Row[]).map((r) => studyOf(r, name, ids));
      }
      case 'study': {
        const found = one.get(vault.mac(imageMacs.study, request.uid)) as unknown as Row | undefined;
        return found && studyOf(found, nameOf());
      }
      case 'study-numbered': {
        const found = numbered.get(request.study) as unknown as Row | undefined;
        return found && studyOf(found, nameOf());
      }
      case 'find-studies':
        return find(request.by, request.term, request.limit, request.before ?? Number.MAX_SAFE_INTEGER);
      case 'instances':
        return instancesOf(request.study, request.limit, request.after ?? 0);
    }
  };
}
