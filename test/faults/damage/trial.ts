import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqliteCode } from '../../../agent/store/sqlite/open.ts';
import { isErrorCode, QianzhiError } from '../../../agent/support/errors.ts';
import { deliverSome, type History, oru } from './history.ts';
import {
  type Handed,
  openWorkedStore,
  type StoreFiles,
  type StoreName,
  storeNames,
  type WorkedStore,
} from './worked-store.ts';

/** What is done to one file. */
export type Damage = { file: StoreName; of: 'files' | 'closed'; at: number } & (
  | { kind: 'bit'; bit: number }
  | { kind: 'cut' }
  | { kind: 'zero'; length: number }
);

export const describe = (d: Damage): string =>
  `${d.file}${d.of === 'closed' ? ' (closed)' : ''} ${d.kind} at ${d.at}${d.kind === 'bit' ? `.${d.bit}` : d.kind === 'zero' ? `+${d.length}` : ''}`;

export interface Outcome {
  /** Codes by which the store named a damage or a loss. */
  named: string[];
  /** Processes that ended because of it before the store went on. */
  ended: string[];
  /** What breaks a promise, in words. */
  wrong: string[];
}

const damaged = (bytes: Buffer, d: Damage): Buffer => {
  if (d.kind === 'cut') return bytes.subarray(0, d.at);
  const copy = Buffer.from(bytes);
  if (d.kind === 'bit') copy[d.at]! ^= 1 << d.bit;
  else copy.fill(0, d.at, Math.min(copy.length, d.at + d.length));
  return copy;
};

const MOST_STARTS = 4;

/** Damages a copy of the store, opens it as a service manager would, works with it, and compares with what the world knows. */
export async function tryDamage(root: string, key: string, history: History, damage: Damage): Promise<Outcome> {
  const folder = join(root, 'data');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(key, join(root, 'data.key'));
  const files = history[damage.of];
  const before = { ...files, [damage.file]: damaged(files[damage.file], damage) };
  for (const name of storeNames) {
    if (files[name].length > 0) writeFileSync(join(folder, name), before[name]);
  }

  const outcome: Outcome = { named: [], ended: [], wrong: [] };
  const handed = new Map(history.handed);
  const accepted = new Set(history.accepted);
  for (let start = 1; ; start++) {
    if (start > MOST_STARTS) {
      outcome.wrong.push(`does not come to rest: ${outcome.ended.join(', ')}`);
      return outcome;
    }
    let store: WorkedStore | undefined;
    try {
      store = openWorkedStore(root);
      await useStore(store, history, handed, accepted, outcome);
      check(store, folder, before, history, accepted, outcome);
      return outcome;
    } catch (error) {
      const code = error instanceof QianzhiError ? error.code : `no code (${sqliteCode(error) ?? String(error)})`;
      outcome.ended.push(code);
      if (!isErrorCode(code)) {
        outcome.wrong.push(
          `ended without a code: ${String((error as Error).stack)
            .split('\n')
            .slice(0, 4)
            .join(' < ')}`,
        );
        return outcome;
      }
    } finally {
      store?.close();
    }
  }
}

/** What an agent does with a store in its first minutes. */
async function useStore(
  store: WorkedStore,
  history: History,
  handed: Map<string, Handed>,
  accepted: Set<string>,
  outcome: Outcome,
): Promise<void> {
  store.figures();
  store.problems();
  for (let i = 0; i < 3; i++) {
    const { seq, outcome: what } = await store.accept(oru({ report: 9000 + i }), `N${i}`);
    if (what !== 'stored') continue;
    const aside = store.notices().some((n) => n.code === 'QUE-4009');
    if (history.acked.has(seq) && !aside) outcome.wrong.push(`number ${seq} was given out twice`);
  }
  await store.work();
  const now = { handed: new Map<string, Handed>(), accepted };
  for (let turns = 0; (await deliverSome(store, now, () => 'accepted')) > 0; turns++) {
    if (turns > 200) throw new Error('deliveries never come to an end');
  }
  for (const [key, it] of now.handed) {
    const known = handed.get(key);
    if (known && known.sha !== it.sha) outcome.wrong.push(`key of outbox ${key.split('-').at(-1)} has other content`);
    else if (known && (known.setId !== it.setId || known.version !== it.version || known.operation !== it.operation)) {
      outcome.wrong.push(`outbox ${key.split('-').at(-1)} goes under another set id, version or operation`);
    }
    handed.set(key, it);
  }
  store.figures();
  store.problems();
}

function check(
  store: WorkedStore,
  folder: string,
  before: StoreFiles,
  history: History,
  accepted: Set<string>,
  outcome: Outcome,
): void {
  const notices = store.notices();
  const states = store.states();
  const shown = [store.figures(), store.problems(), states].flatMap((read) => ('failed' in read ? [read.failed] : []));
  const held = states instanceof Map ? [...states.values()].map((s) => s.code ?? '') : [];
  outcome.named = [
    ...new Set([...notices.map((n) => n.code), ...shown, ...held.filter((code) => code.startsWith('QUE-'))]),
  ];
  const aside = readdirSync(folder).filter((f) => f.startsWith('damaged-'));
  if (aside.length > 0) {
    if (!outcome.named.includes('QUE-4009')) outcome.wrong.push('moved aside and not told');
    // What ran for a while on a store that was damaged all along has worked on its files.
    if (outcome.ended.length === 0) checkAside(join(folder, aside[0]!), before, outcome);
    return;
  }
  if (notices.some((n) => n.code === 'QUE-4006') && outcome.ended.length === 0) {
    const kept = readdirSync(folder).find((f) => f.startsWith('lost-tail-'));
    if (!kept || !readFileSync(join(folder, kept)).equals(before['qianzhi.db-wal'])) {
      outcome.wrong.push('the WAL with the lost tail was not kept as it was');
    }
  }
  const numbers = new Set([...accepted].map((key) => Number(key.split('-').at(-1))));
  for (const n of store.acceptedNumbers()) {
    if (!numbers.has(n)) outcome.wrong.push(`outbox ${n} is called accepted, which the platform never had`);
  }
  const inbox = new Map(store.inbox().map((m) => [m.seq, m]));
  const missing = notices.filter((n) => n.code === 'QUE-4006');
  for (const [seq, text] of history.acked) {
    const found = inbox.get(seq);
    if (found?.bytes && Buffer.from(found.bytes).toString() === text) continue;
    if (found?.damaged) {
      if (!outcome.named.includes(found.damaged)) outcome.named.push(found.damaged);
      continue;
    }
    if (missing.some((n) => seq >= (n.first ?? 0) && seq <= (n.last ?? 0))) continue;
    outcome.wrong.push(found ? `message ${seq} is another` : `message ${seq} is silently gone`);
  }
}

function checkAside(aside: string, before: StoreFiles, outcome: Outcome): void {
  for (const name of ['qianzhi.db', 'qianzhi.db-wal'] as const) {
    const path = join(aside, name);
    if (!existsSync(path)) {
      if (before[name].length > 0) outcome.wrong.push(`${name} is not among what was set aside`);
    } else if (!readFileSync(path).equals(before[name]))
      outcome.wrong.push(`${name} was changed before it was set aside`);
  }
}
