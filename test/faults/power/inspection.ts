import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { openMappingView } from '../../../agent/store/sqlite/mapping-view.ts';
import { openForReading } from '../../../agent/store/sqlite/open.ts';
import { openReader } from '../../../agent/store/sqlite/reader.ts';
import type { Claimed } from '../../../agent/store/sqlite/requests.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { codeOf, isErrorCode, QianzhiError } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';
import { type InProcess, openInProcess } from '../../agent/store/in-process.ts';
import { document, mapped, record } from '../../agent/store/rig.ts';
import { certified, defaultKey, isCertified, loadPlatforms, loadSources, type Promised, sha } from './oracle.ts';

/** What a store shows when it is opened after a power cut. */
export interface Inspection {
  /** Why it did not open; undefined when it did. */
  refused?: string;
  /** Codes by which the store itself named a damage or a loss. */
  named: string[];
  /** Acknowledged messages that are not there. */
  lost: number;
  /** Everything else that breaks a promise, in words. */
  wrong: string[];
}

/** The ballast is real blocks: a file with holes would give nothing back. */
function checkBallast(folder: string, wrong: string[]): void {
  const bytes = readFileSync(join(folder, 'ballast'));
  if (bytes.length !== BALLAST || bytes.some((b) => b === 0)) wrong.push('the ballast is hollow');
}

const BALLAST = 64 * 1024;
const timeZone = 'Asia/Shanghai';

/** Opens what lies in `root` with the real store, checks it against what was promised, and works on it. */
export async function inspect(root: string, promised: Promised, key = defaultKey): Promise<Inspection> {
  const found: Inspection = { named: [], lost: 0, wrong: [] };
  const folder = join(root, 'data');
  const keyReference = `file:${join(root, key)}`;
  const at = { folder, keyReference, platforms: loadPlatforms };
  let opened: InProcess;
  try {
    opened = openInProcess({ ...at, sources: loadSources, ballastBytes: BALLAST, clock: systemClock });
  } catch (error) {
    found.refused = error instanceof QianzhiError ? error.code : `no code: ${String(error)}`;
    found.lost = promised.acked.size;
    return found;
  }
  const { writer, ask, line } = opened;
  const ports = { write: line(), read: new MessageChannel().port1 };
  const view = openMappingView({ ...at, timeZone, ports });
  const { db, vault, close } = openForReading(folder, keyReference);
  try {
    const reader = openReader(db, vault, { platforms: loadPlatforms, timeZone });
    found.named = (db.prepare('SELECT code FROM notice').all() as Array<{ code: string }>).map((n) => n.code);
    checkBallast(folder, found.wrong);
    checkMessages(view.inbox(0, 1_000_000), promised, found);
    checkProgress(db, promised, found.wrong);
    checkRecords(db, view, found.wrong);
    checkBooks(db, found.wrong);
    const shown = reader.figures(Date.now(), 0, 'normal');
    if (shown.lastSeq < Math.max(0, ...promised.acked.keys())) found.wrong.push('the page shows fewer messages');
    checkHandedOut(reader, promised, found.wrong);
    await workOn(ask, view, reader, promised, found.wrong);
    checkBooks(db, found.wrong);
    const { quick_check } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (quick_check !== 'ok') found.wrong.push('the file is damaged');
  } catch (error) {
    found.wrong.push(
      `threw ${isErrorCode((error as { code?: string }).code ?? '') ? codeOf(error, 'SYS-6004') : String(error)}`,
    );
  } finally {
    close();
    view.close();
    writer.close();
  }
  return found;
}

type View = ReturnType<typeof openMappingView>;
type Reader = ReturnType<typeof openReader>;

/** Invariants 1 and 2: what was acknowledged is there byte for byte; nothing is there that nobody sent. */
function checkMessages(inbox: ReturnType<View['inbox']>, promised: Promised, found: Inspection): void {
  const stored = new Map<number, { sha: string; source: string }>();
  for (const m of inbox) {
    if ('damaged' in m) {
      found.wrong.push(`message ${m.seq} is damaged (${m.damaged})`);
      continue;
    }
    const bytes = m.raw.reveal();
    if (!isCertified(bytes)) found.wrong.push(`message ${m.seq} is not what anybody sent`);
    stored.set(m.seq, { sha: sha(bytes), source: m.source });
  }
  for (const [seq, { sha, source }] of promised.acked) {
    const have = stored.get(seq);
    if (!have) found.lost += 1;
    else if (have.sha !== sha || have.source !== source) found.wrong.push(`message ${seq} has changed`);
  }
}

/** What mapping, rendering and delivery were told is done, is done. */
function checkProgress(db: DatabaseSync, promised: Promised, wrong: string[]): void {
  const at = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const cursor = (stage: string) => (at.get(stage) as { at: number } | undefined)?.at ?? 0;
  if (cursor('mapping') < promised.mappedThrough) wrong.push('mapping is forgotten');
  const id = db.prepare("SELECT id FROM name WHERE kind='platform' AND name=?");
  for (const [platform, through] of promised.renderedThrough) {
    const row = id.get(platform) as { id: number } | undefined;
    if (!row || cursor(`render:${row.id}`) < through) wrong.push(`rendering for ${platform} is forgotten`);
  }
  const document = db.prepare('SELECT state, attempts FROM outbox WHERE n=?');
  const stateOf = (n: number) => document.get(n) as { state: number; attempts: number } | undefined;
  const retraction = db.prepare(`SELECT 1 FROM outbox o JOIN journal r USING(report)
    WHERE o.n=? AND r.jseq > o.jseq AND r.action='retract'`);
  const receiptOf = db.prepare('SELECT 1 FROM receipt WHERE n=?');
  for (const [n, attempts] of promised.attempts) {
    const have = stateOf(n);
    if (!have) wrong.push(`document ${n} was handed out and is gone`);
    else if (have.attempts < attempts) wrong.push(`an attempt of document ${n} is forgotten`);
  }
  for (const [n, outcome] of promised.settled) {
    const have = stateOf(n)?.state;
    // Refused may be withdrawn afterwards; received may have gone on to any state. What was withdrawn while it was on
    // the wire stays so, whatever its verdict: its retraction follows it.
    const withdrawn = have === 4 && retraction.get(n) !== undefined;
    if (outcome === 'accepted' && have !== 2 && !withdrawn)
      wrong.push(`document ${n} was accepted and is in state ${have}`);
    if (outcome === 'refused' && have !== 3 && have !== 4)
      wrong.push(`document ${n} was refused and is in state ${have}`);
    const receipt = outcome === 'accepted' || outcome === 'received';
    if (receipt && receiptOf.get(n) === undefined) wrong.push(`the receipt of document ${n} is forgotten`);
  }
}

/** Invariant 4: what was handed out under a key lies under its number still, byte for byte. */
function checkHandedOut(reader: Reader, promised: Promised, wrong: string[]): void {
  const open = [...promised.keys.values()].filter(({ n }) => promised.settled.get(n) !== 'accepted');
  for (const [i, d] of reader.documents(open.map(({ n }) => n)).entries()) {
    if ('damaged' in d) wrong.push(`document ${d.n} is damaged`);
    else if (sha(d.bytes) !== open[i]?.sha) wrong.push(`document ${d.n} has changed`);
  }
}

/** Everything sealed opens. */
function checkRecords(db: DatabaseSync, view: View, wrong: string[]): void {
  const { n } = db
    .prepare('SELECT count(*) AS n FROM journal j LEFT JOIN record r USING(jseq) WHERE r.jseq IS NULL')
    .get() as {
    n: number;
  };
  if (n > 0) wrong.push(`${n} journal entries without their record`);
  for (const platform of loadPlatforms) {
    for (const entry of view.journal(platform, 1000)) {
      if (entry.content.reveal() === '') wrong.push(`record ${entry.jseq} is damaged`);
    }
  }
}

/** Invariant 3: one state for each mapped message and platform, none for others; the sums equal what came in. */
function checkBooks(db: DatabaseSync, wrong: string[]): void {
  const count = (sql: string): number => Number(Object.values(db.prepare(sql).get() as Record<string, number>)[0] ?? 0);
  const none = (what: string, sql: string): void => {
    const n = count(sql);
    if (n > 0) wrong.push(`books: ${n} ${what}`);
  };
  const mapping = "(SELECT ifnull((SELECT at FROM cursor WHERE stage='mapping'), 0))";
  const platforms = "(SELECT count(*) FROM name WHERE kind='platform')";
  none(
    'bodies without message, or messages without body',
    `SELECT (SELECT count(*) FROM message LEFT JOIN body USING(seq)
    WHERE body.seq IS NULL) + (SELECT count(*) FROM body LEFT JOIN message USING(seq) WHERE message.seq IS NULL)`,
  );
  none(
    'mapped messages without their states',
    `SELECT count(*) FROM message m WHERE seq <= ${mapping} AND
    (SELECT count(*) FROM disposition d WHERE d.seq = m.seq) <>
    CASE WHEN EXISTS (SELECT 1 FROM journal j WHERE j.seq = m.seq) THEN ${platforms} ELSE 1 END`,
  );
  none('states of messages not mapped', `SELECT count(*) FROM disposition WHERE seq > ${mapping}`);
  none(
    'sums that differ from the states',
    `SELECT count(*) FROM (
    SELECT day, source, platform, state, count(*) AS n FROM disposition GROUP BY 1, 2, 3, 4) d
    FULL JOIN (SELECT * FROM balance WHERE n <> 0) b USING(day, source, platform, state) WHERE d.n IS NOT b.n`,
  );
  none(
    'days and sources whose count differs from what came in',
    `SELECT count(*) FROM (
    SELECT day, source, count(*) AS n, sum(bytes) AS size FROM message GROUP BY 1, 2) m
    FULL JOIN intake_day i USING(day, source) WHERE m.n IS NOT i.messages OR m.size IS NOT i.bytes`,
  );
  none(
    'documents without bytes, or bytes without document',
    `SELECT (SELECT count(*) FROM outbox LEFT JOIN document USING(n)
    WHERE document.n IS NULL) + (SELECT count(*) FROM document LEFT JOIN outbox USING(n) WHERE outbox.n IS NULL)`,
  );
  none(
    'journal entries behind the cursor that became nothing',
    `SELECT count(*) FROM journal j
    JOIN name p ON p.kind = 'platform' JOIN cursor c ON c.stage = 'render:' || p.id
    LEFT JOIN outbox o ON o.jseq = j.jseq AND o.platform = p.id
    LEFT JOIN rendering r ON r.jseq = j.jseq AND r.platform = p.id
    WHERE j.jseq <= c.at AND (o.n IS NULL) = (r.jseq IS NULL)`,
  );
}

/** The store goes on where it was: takes messages, knows what it had, and no key stands for other content. */
async function workOn(
  ask: InProcess['ask'],
  view: View,
  reader: Reader,
  promised: Promised,
  wrong: string[],
): Promise<void> {
  const source = loadSources[0] ?? '';
  const bytes = certified(`after the cut ${Date.now()} ${Math.random()}`);
  const { seq } = await ask({
    op: 'accept',
    message: { source, bytes, controlId: bytes.subarray(0, 3), receivedMs: Date.now() },
  });
  await checkResent(ask, view, promised, wrong);
  if (seq <= Math.max(0, ...promised.acked.keys())) wrong.push(`seq ${seq} is given out a second time`);

  // Whatever was not mapped yet is mapped now, to a record each; what was not rendered is rendered.
  const messages = [...view.inbox(view.mappedThrough(), 10_000)].map((m) =>
    mapped(m.seq, [record(`after-${m.seq}`, 1, { patient: `after-${m.seq}` })]),
  );
  await view.commitMapping({ messages, reports: [], through: messages.at(-1)?.seq });
  for (const platform of loadPlatforms) {
    const entries = [...view.journal(platform, 10_000)];
    const results = entries.map(({ jseq }) => {
      const bytes = phi(new Uint8Array(certified(`new ${jseq} ${Math.random()}`)));
      return { jseq, rendered: { ...document(''), bytes } };
    });
    await view.commitRendering(platform, entries.at(-1)?.jseq, results, 0);
    // The heads of all lanes, and what comes behind them.
    for (let turn = 0; turn < 2; turn++) {
      const nowMs = Date.now() + 60_000;
      const claimed = await ask({ op: 'claim', platform, max: 1000, maxBytes: 2 ** 30, nowMs });
      if (claimed.length === 0) break;
      checkClaimed(claimed, reader, promised, wrong);
      const verdicts = claimed.map(({ n }) => ({ n, outcome: 'accepted' as const }));
      await ask({ op: 'settle', platform, verdicts, nowMs: Date.now() });
    }
  }
}

/** Who did not see the acknowledgement because of the cut sends again, and is not stored twice. */
async function checkResent(ask: InProcess['ask'], view: View, promised: Promised, wrong: string[]): Promise<void> {
  const last = Math.max(0, ...promised.acked.keys());
  const [message] = view.inbox(last - 1, 1);
  if (!message || message.seq !== last || 'damaged' in message) return;
  const bytes = message.raw.reveal();
  const { source, receivedMs } = message;
  const again = await ask({
    op: 'accept',
    message: { source, bytes, controlId: bytes.subarray(0, 8), receivedMs },
  });
  if (again.outcome !== 'retransmission' || again.seq !== last) wrong.push(`message ${last} is stored twice`);
}

/** Invariant 4. */
function checkClaimed(claimed: Claimed[], reader: Reader, promised: Promised, wrong: string[]): void {
  const documents = reader.documents(claimed.map((c) => c.n));
  for (const [i, { n, key }] of claimed.entries()) {
    const d = documents[i];
    if (!d || 'damaged' in d) {
      wrong.push(`document ${n} is damaged`);
      continue;
    }
    const known = promised.keys.get(key);
    if (!isCertified(d.bytes)) wrong.push(`document ${n} is not what was rendered`);
    if (known && known.sha !== sha(d.bytes)) wrong.push(`the key of document ${n} comes again with other content`);
    if (promised.attempts.has(n) && !known) wrong.push(`document ${n} comes again under another key`);
    if (promised.settled.get(n) === 'accepted') wrong.push(`document ${n} comes again after it was accepted`);
  }
}
