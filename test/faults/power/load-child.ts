import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReportState } from '../../../agent/clinical/reports/types.ts';
import type { JournalEntry, OutboxDocument, Part, Rendered, Verdict } from '../../../agent/store/contract.ts';
import { phi } from '../../../agent/support/phi.ts';
import { document, mapped, record, setIdOf, storeRig } from '../../agent/store/rig.ts';
import type { Mark, Plan } from './oracle.ts';
import { certified, defaultKey, loadPlatforms, loadSources, sha } from './oracle.ts';

/**
 * Process that is recorded: `<root> <marks file> <plan as JSON>`. Runs the real store with its threads,
 * all four stages at once, and writes a mark after each answer of the store and before anybody could
 * act on it: what is marked has been promised.
 */
const [root = '', marksFile = '', planText = '{}'] = process.argv.slice(2);
const plan = JSON.parse(planText) as Plan;
const marks = openSync(marksFile, 'a');
const mark = (m: Mark): void => {
  writeSync(marks, `${JSON.stringify(m)}\n`);
};

type Rig = Awaited<ReturnType<typeof storeRig>>;

for (const session of plan.sessions) {
  mark({ at: 'opening' });
  const rig = await storeRig(root, {
    sources: loadSources,
    platforms: loadPlatforms,
    keyReference: `file:${join(root, plan.key ?? defaultKey)}`,
    disk: { mapping: 0, intake: 0, ballastBytes: 64 * 1024 },
  });
  mark({ at: 'opened' });
  let over = false;
  const others = [mapping(rig, () => over), ...loadPlatforms.map((p) => rendering(rig, p, () => over))];
  const deliveries = loadPlatforms.map((p) => delivery(rig, p, () => over));
  await intake(rig, session.count);
  if (session.end === 'crash') process.exit(0);
  over = true;
  await Promise.all([...others, ...deliveries]);
  if (rig.fatal.length > 0) throw new Error(rig.fatal.join());
  mark({ at: 'closing' });
  await rig.close();
  mark({ at: 'closed' });
}
process.exit(0);

async function intake(rig: Rig, messages: number): Promise<void> {
  let left = messages;
  const sender = async (source: string): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const bytes = certified(`${randomUUID()}|${randomBytes(randomInt(100, 1500)).toString('base64')}`);
      // Each tenth is sent twice, as by a sender that did not see its acknowledgement.
      for (let sends = left % 10 === 0 ? 2 : 1; sends > 0; sends--) {
        const controlId = bytes.subarray(0, 8);
        const { seq, outcome } = await rig.store.accept({ source, bytes, controlId, receivedMs: Date.now() });
        mark({ acked: { seq, sha: sha(bytes), source, outcome } });
      }
      // No further ahead than this: all stages are at work all the time.
      while (rig.view.lastSeq() - rig.view.mappedThrough() > 30) await sleep(1);
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, i) => sender(loadSources[i % loadSources.length] ?? '')));
}

async function mapping(rig: Rig, over: () => boolean): Promise<void> {
  while (!over()) {
    const versions = new Map<string, ReportState>();
    const messages = [...rig.view.inbox(rig.view.mappedThrough(), 10)].map((m) => {
      if ('damaged' in m) throw new Error('a message under load is damaged');
      return mapped(m.seq, partsOf(rig, m.seq, sha(m.raw.reveal()), versions));
    });
    const through = messages.at(-1)?.seq;
    if (through === undefined) {
      await sleep(1);
      continue;
    }
    await rig.view.commitMapping({ messages, reports: [...versions.values()], through });
    mark({ mapped: through });
  }
}

function partsOf(rig: Rig, seq: number, text: string, versions: Map<string, ReportState>): Part[] {
  const one = (report: string, action: 'publish' | 'retract' = 'publish'): Part => {
    // A report is one patient's for ever: mapping holds what says otherwise.
    const patientKey = `P${Number(report.slice(1)) % 11}`;
    const before = versions.get(report) ?? rig.view.report(report);
    const version = (before?.version ?? 0) + 1;
    const status = action === 'retract' ? 'retracted' : 'published';
    versions.set(report, { reportKey: report, setId: setIdOf(report), status, version, patientKey, waiting: [] });
    return record(report, version, { patient: patientKey, action, text: `${seq} ${text}` });
  };
  switch (seq % 20) {
    case 0:
      return [{ kind: 'quarantined', code: 'HL7-2005', where: 'OBX-5' }];
    case 1:
      return [{ kind: 'filtered', rule: 'type' }];
    case 2:
      return [{ kind: 'waiting', code: 'MAP-3005', reportKey: `R${seq % 37}` }];
    case 3:
      return [{ kind: 'absorbed', reason: 'duplicate' }];
    case 4:
      return [one(`R${seq % 37}`), one(`S${seq % 37}`)];
    case 5:
      return [one(`R${(seq * 7) % 37}`, 'retract')];
    default:
      return [one(`R${seq % 37}`)];
  }
}

function rendered(entry: JournalEntry, again: boolean): Rendered {
  if (!again && entry.jseq % 15 === 0) return { kind: 'held', code: 'MAP-3001', where: 'specimen' };
  if (entry.jseq % 15 === 1) return { kind: 'filtered', rule: 'kind' };
  // What is rendered twice differs, so that a key that comes twice is seen.
  const filler = randomBytes(randomInt(200, 2500)).toString('base64');
  const bytes = certified(`${entry.jseq}|${entry.content.reveal()}|${randomUUID()}|${filler}`);
  return { ...document(''), bytes: phi(new Uint8Array(bytes)) };
}

async function rendering(rig: Rig, platform: string, over: () => boolean): Promise<void> {
  for (let turn = 1; !over(); turn++) {
    const again = turn % 8 === 0;
    const entries = again ? rig.view.held(platform, 0, 3) : [...rig.view.journal(platform, 8)];
    const last = entries.at(-1)?.jseq;
    if (last === undefined) {
      await sleep(1);
      continue;
    }
    const results = entries.map((entry) => ({ jseq: entry.jseq, rendered: rendered(entry, again) }));
    await rig.view.commitRendering(platform, again ? undefined : last, results, 0);
    mark({ rendered: last, platform, again });
  }
}

function verdictOf(d: OutboxDocument): Verdict {
  const chance = Math.random();
  if (chance < 0.6) return { n: d.n, outcome: 'accepted', receipt: `receipt-${d.n}` };
  if (chance < 0.75) return { n: d.n, outcome: 'retry', code: 'PLT-1304', retryAtMs: 0 };
  if (chance < 0.9) return { n: d.n, outcome: 'received', receipt: `taken-${d.n}`, retryAtMs: 0 };
  return { n: d.n, outcome: 'refused', code: 'PLT-1305' };
}

async function delivery(rig: Rig, platform: string, over: () => boolean): Promise<void> {
  while (!over()) {
    const documents = await rig.store.claim(platform, 6, 512 * 1024, Date.now());
    if (documents.length === 0) {
      await sleep(2);
      continue;
    }
    mark({
      claimed: documents.map(({ n, key, attempt, bytes }) => ({ n, key, attempt, sha: sha(bytes.reveal()) })),
      platform,
    });
    await sleep(1);
    const verdicts = documents.map(verdictOf);
    await rig.store.settle(platform, verdicts);
    mark({ settled: verdicts.map(({ n, outcome }) => ({ n, outcome })), platform });
  }
}
