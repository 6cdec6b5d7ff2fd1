import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Disk, type Luck, openDisk, type Tree } from './disk-model.ts';
import { type Inspection, inspect } from './inspection.ts';
import { copyOf, type Mark, nothingPromised, type Plan, type Promised, promise } from './oracle.ts';
import { makeFolder, makeQuickFolder, type Op, recordLoad } from './recording.ts';

/** What the store was doing when the power went. */
export type Moment = 'first start' | 'start' | 'load' | 'checkpoint' | 'close' | 'closed' | 'recovery';
export const moments: Moment[] = ['first start', 'start', 'load', 'checkpoint', 'close', 'closed', 'recovery'];

/** What is recorded, and how what a cut leaves of it is looked at. */
export interface Subject {
  /** Process of this folder that makes the load. */
  child: string;
  /** What lies on the disk before the agent ever ran. */
  base: Tree;
  /** Opens what lies in `root`, which is `tree`, with the real store. */
  inspect(root: string, promised: Promised, tree: Tree): Promise<Inspection>;
}
/** The folder of the key is made by the installer; that of the data by the agent. */
export const installed: Tree = [{ path: 'keys', bytes: undefined }];
/** Messages on their whole way through the store. */
export const messages: Subject = {
  child: 'load-child.ts',
  base: installed,
  inspect: (root, promised) => inspect(root, promised),
};

/** A recording with what is known before it began. */
export interface Run {
  subject: Subject;
  ops: Op[];
  base: Tree;
  before: Promised;
  /** Moment of each operation: that of a cut just after it. */
  momentOf: Moment[];
}

export interface Cut {
  at: number;
  moment: Moment;
  luck: Luck;
  found: Inspection;
  /** Acknowledged before the cut. */
  acked: number;
}

/** A generator of numbers in [0, 1) from a seed (mulberry32): a cut that failed can be made again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T;

export const anyLuck = (random: () => number): Luck => ({
  writes: pick(['none', 'all', 'first', 'some', 'sectors'], random),
  names: pick(['none', 'all', 'first', 'some'], random),
  fill: pick(['zeros', 'garbage'], random),
});

/** Records the load on a disk that holds `base`, of which `before` has been promised. */
export function record(
  recorder: string,
  plan: Plan,
  {
    subject = messages,
    base = subject.base,
    before = nothingPromised(),
  }: Partial<Pick<Run, 'base' | 'before' | 'subject'>> = {},
): Run {
  const root = makeFolder();
  write(root, base);
  const { ops } = recordLoad(recorder, root, plan, subject.child);
  const different = differences(ops, base, root);
  if (different.length > 0) throw new Error(`the recording does not make what lies on the disk: ${different.join()}`);
  rmSync(root, { recursive: true });
  return {
    subject,
    ops,
    base,
    before,
    momentOf: momentsOf(
      ops,
      base.some(({ path }) => path === 'data'),
    ),
  };
}
/** Files that differ between the replayed recording and the real folder. The -shm is written through a mapping. */
function differences(ops: Op[], base: Tree, root: string): string[] {
  const disk = openDisk(base);
  for (const op of ops) disk.apply(op);
  const seen = disk.asSeen();
  const real = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return [
    ...real.filter((path) => !seen.some((s) => s.path === path)),
    ...seen
      .filter(({ path }) => !path.endsWith('-shm'))
      .filter(({ path, bytes }) => !real.includes(path) || (bytes && !readFileSync(join(root, path)).equals(bytes)))
      .map(({ path }) => path),
  ];
}

function momentsOf(ops: Op[], recovering: boolean): Moment[] {
  let moment: Moment = recovering ? 'recovery' : 'first start';
  let started = recovering;
  const database = new Set<number>();
  let checkpoint = false;
  return ops.map((op) => {
    if (op.op === 'mark' && 'at' in op.mark) {
      if (op.mark.at === 'opening' && started) moment = recovering ? 'recovery' : 'start';
      if (op.mark.at === 'opened') moment = 'load';
      if (op.mark.at === 'closing') moment = 'close';
      if (op.mark.at === 'closed') moment = 'closed';
      started = true;
      recovering &&= op.mark.at === 'opening';
    }
    if (op.op === 'open' && op.path.endsWith('qianzhi.db')) database.add(op.fd);
    if (op.op === 'close') database.delete(op.fd);
    // Nothing but a checkpoint writes to the database under load.
    if (moment === 'load' && op.op === 'write' && database.has(op.fd)) checkpoint = true;
    if (op.op === 'sync-ends' && database.has(op.fd)) checkpoint = false;
    return checkpoint && moment === 'load' ? 'checkpoint' : moment;
  });
}

/** Points of a run to cut at: so many of each moment, spread by chance over its operations. */
export function choose(run: Run, wanted: Partial<Record<Moment, number>>, random: () => number): number[] {
  const points = Object.entries(wanted).flatMap(([moment, count]) => {
    const places = run.momentOf.flatMap((m, i) => (m === moment ? [i] : []));
    return places.length === 0 ? [] : Array.from({ length: count }, () => pick(places, random));
  });
  return points.sort((a, b) => a - b);
}

/** Cuts the power at each of the points and hands over what is then on the disk and what was promised. */
export async function cutAt(
  run: Run,
  points: number[],
  random: () => number,
  luck: (random: () => number) => Luck,
  look: (cut: { at: number; moment: Moment; luck: Luck; tree: Tree; promised: Promised }) => void | Promise<void>,
): Promise<string[]> {
  const disk: Disk = openDisk(run.base);
  const promised = copyOf(run.before);
  const wrong: string[] = [];
  let next = 0;
  for (const [i, op] of run.ops.entries()) {
    disk.apply(op);
    if (op.op === 'mark') wrong.push(...promise(promised, op.mark as Mark));
    for (; points[next] === i; next++) {
      const chosen = luck(random);
      const tree = withOddShm(disk.afterCut(chosen, random), random);
      await look({ at: i, moment: run.momentOf[i] as Moment, luck: chosen, tree, promised });
    }
  }
  return wrong;
}

/** The -shm is an index in shared memory that SQLite makes anew: whatever lies there after a cut must not matter. */
function withOddShm(tree: Tree, random: () => number): Tree {
  const fate = random();
  if (fate < 0.3) return tree.filter(({ path }) => !path.endsWith('-shm'));
  if (fate < 0.6) return tree;
  return tree.map(({ path, bytes }) =>
    path.endsWith('-shm') && bytes
      ? { path, bytes: bytes.map(() => Math.floor(random() * 256)) as Buffer }
      : { path, bytes },
  );
}

/** Puts a tree into an empty or new folder. */
export function write(root: string, tree: Tree): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  for (const { path, bytes } of tree) {
    const whole = join(root, path);
    if (!bytes) mkdirSync(whole, { recursive: true });
    else {
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, bytes, { mode: 0o600 });
    }
  }
}

/** Cuts and opens what is left each time. */
export async function tryCuts(
  run: Run,
  points: number[],
  random: () => number,
  luck: (random: () => number) => Luck = anyLuck,
): Promise<{ cuts: Cut[]; wrong: string[] }> {
  const root = makeQuickFolder();
  const cuts: Cut[] = [];
  const wrong = await cutAt(run, points, random, luck, async ({ at, moment, luck, tree, promised }) => {
    write(root, tree);
    cuts.push({
      at,
      moment,
      luck,
      found: await run.subject.inspect(root, promised, tree),
      acked: promised.acked.size + promised.stored.size,
    });
  });
  rmSync(root, { recursive: true, force: true });
  return { cuts, wrong };
}

/**
 * The recording as it would be with `synchronous=NORMAL`: the WAL is synced only where the database is
 * written next, for a checkpoint.
 */
export function withoutCommitSyncs(run: Run): Run {
  const paths = new Map<number, string>();
  let last: { begins: Op; ends?: Op } | undefined;
  const dropped = new Set<Op>();
  for (const op of run.ops) {
    if (op.op === 'open') paths.set(op.fd, op.path);
    const path = 'fd' in op ? (paths.get(op.fd) ?? '') : '';
    if (op.op === 'sync-begins' && path.endsWith('-wal')) last = { begins: op };
    else if (op.op === 'sync-ends' && last?.begins.op === 'sync-begins' && last.begins.id === op.id) last.ends = op;
    else if (op.op === 'write' && path.endsWith('-wal') && last) {
      dropped.add(last.begins);
      if (last.ends) dropped.add(last.ends);
      last = undefined;
    } else if (op.op === 'write' && path.endsWith('qianzhi.db')) last = undefined;
  }
  if (last) {
    dropped.add(last.begins);
    if (last.ends) dropped.add(last.ends);
  }
  const kept = run.ops.map((op, i) => ({ op, moment: run.momentOf[i] as Moment })).filter(({ op }) => !dropped.has(op));
  return { ...run, ops: kept.map((k) => k.op), momentOf: kept.map((k) => k.moment) };
}

/** The recording as it would be if what has such a path when it is opened were never synced. */
export function withoutSyncsOf(run: Run, path: RegExp): Run {
  const paths = new Map<number, string>();
  const ids = new Set<number>();
  const kept = run.ops.flatMap((op, i) => {
    if (op.op === 'open') paths.set(op.fd, op.path);
    if (op.op === 'sync-begins' && path.test(paths.get(op.fd) ?? '')) ids.add(op.id);
    if ((op.op === 'sync-begins' || op.op === 'sync-ends') && ids.has(op.id)) return [];
    return [{ op, moment: run.momentOf[i] as Moment }];
  });
  return { ...run, ops: kept.map((k) => k.op), momentOf: kept.map((k) => k.moment) };
}

/** The recording of a store that never syncs a folder. */
export function withoutFolderSyncs(run: Run): Run {
  const folders = new Set<number>();
  const files = new Set(run.ops.flatMap((op) => (op.op === 'open' && op.created ? [op.path] : [])));
  const ids = new Set<number>();
  const kept = run.ops.flatMap((op, i) => {
    if (op.op === 'open' && !files.has(op.path)) folders.add(op.fd);
    if (op.op === 'open' && files.has(op.path)) folders.delete(op.fd);
    if (op.op === 'sync-begins' && folders.has(op.fd)) ids.add(op.id);
    if ((op.op === 'sync-begins' || op.op === 'sync-ends') && ids.has(op.id)) return [];
    return [{ op, moment: run.momentOf[i] as Moment }];
  });
  return { ...run, ops: kept.map((k) => k.op), momentOf: kept.map((k) => k.moment) };
}
