import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDicomFolder, type DicomFolderOptions } from '../../../../adapters/sources/dicom-folder/folder.ts';
import type { Folder } from '../../../../adapters/sources/watching/folder.ts';
import { openSeen, type Seen } from '../../../../adapters/sources/watching/seen.ts';
import type { InstanceIntake, InstanceOrigin } from '../../../../agent/intake/instance.ts';
import type { Clock } from '../../../../agent/support/clock.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { quickFolder } from '../../../quick-folder.ts';

export interface Stored {
  uid: string;
  sha256: string;
  bytes: number;
  origin: InstanceOrigin;
}

export interface TestIntake extends InstanceIntake {
  /** Each distinct instance once, in order. */
  stored: Stored[];
  begun: number;
  committed: number;
  discarded: number;
  /** Called at each step; what it throws is what the intake rejects with. */
  hinder(step: (at: 'begin' | 'write' | 'commit', uid: string) => void | Promise<void>): void;
}

/** An intake that keeps hashes in memory: what the contract promises, without a disk. */
export function testIntake(): TestIntake {
  let step: (at: 'begin' | 'write' | 'commit', uid: string) => void | Promise<void> = () => {};
  const byUid = new Map<string, Map<string, number>>();
  const intake: TestIntake = {
    stored: [],
    begun: 0,
    committed: 0,
    discarded: 0,
    hinder(next) {
      step = next;
    },
    async begin(origin) {
      const uid = origin.sopInstanceUid.reveal();
      await step('begin', uid);
      intake.begun += 1;
      const hash = createHash('sha256');
      let bytes = 0;
      let ended = false;
      return {
        async write(piece) {
          if (piece.length > 256 * 1024) throw new Error('piece too large');
          await step('write', uid);
          hash.update(piece);
          bytes += piece.length;
        },
        async commit() {
          await step('commit', uid);
          ended = true;
          intake.committed += 1;
          const sha256 = hash.digest('hex');
          const known = byUid.get(uid) ?? new Map<string, number>();
          const same = known.get(sha256);
          if (same !== undefined) return { n: same, outcome: 'duplicate' as const };
          const conflict = known.size > 0;
          byUid.set(uid, known.set(sha256, intake.stored.push({ uid, sha256, bytes, origin })));
          return { n: intake.stored.length, outcome: conflict ? ('conflict' as const) : ('stored' as const) };
        },
        async discard() {
          if (!ended) intake.discarded += 1;
          ended = true;
        },
      };
    },
  };
  return intake;
}

export const diskFull = (): never => {
  throw new QianzhiError('QUE-4002');
};

export interface HandClock extends Clock {
  /** Both clocks go on. */
  pass(ms: number): void;
  /** The wall clock alone is set. */
  jump(ms: number): void;
}

/** A clock in the test's hand, which starts at the time of now because files get theirs from the system. */
export function handClock(): HandClock {
  let [wall, steady] = [Date.now() + 60_000, 0];
  return {
    now: () => wall,
    monotonic: () => steady,
    pass(ms) {
      wall += ms;
      steady += ms;
    },
    jump(ms) {
      wall += ms;
    },
  };
}

export interface Watched {
  /** Where senders put files. */
  inbox: string;
  archive: string;
  intake: TestIntake;
  clock: HandClock;
  folder: Folder;
  seen: Seen;
  /** A full pass, the least age, another full pass, and the work that is due then. */
  settle(): Promise<void>;
  /** Another start with the same folders and the same memory, and its own intake if given. */
  again(options?: Partial<DicomFolderOptions>): Promise<Watched>;
  /** Paths below `folder`, sorted. */
  files(folder?: string): string[];
}

export async function watch(
  t: { teardown(done: () => unknown): void },
  options: Partial<Omit<DicomFolderOptions, 'after'>> & { after?: 'move' | 'delete' | 'leave' } = {},
  base = quickFolder('dicom-folder'),
): Promise<Watched> {
  t.teardown(() => rm(base, { recursive: true, force: true }));
  const [inbox, archive] = [join(base, 'inbox'), join(base, 'archive')];
  mkdirSync(inbox, { recursive: true });
  const intake = (options.instances as TestIntake | undefined) ?? testIntake();
  const clock = (options.clock as HandClock | undefined) ?? handClock();
  const seen = await openSeen(join(base, 'memory.seen'));
  const after = options.after ?? 'move';
  const folder = createDicomFolder({
    root: inbox,
    minAgeMs: 2000,
    giveUpMs: 30 * 60_000,
    concurrency: 4,
    seen,
    changed() {},
    ...options,
    instances: intake,
    clock,
    after: after === 'move' ? { archive } : after,
  });
  const watched: Watched = {
    inbox,
    archive,
    intake,
    clock,
    folder,
    seen,
    async settle() {
      await folder.full();
      clock.pass(2000);
      await folder.work();
      await folder.full();
      await folder.work();
    },
    async again(more = {}) {
      await seen.flush();
      return watch(t, { ...options, instances: intake, ...more } as typeof options, base);
    },
    files(below = inbox) {
      try {
        return (readdirSync(below, { recursive: true, withFileTypes: true }) as unknown as FoundEntry[])
          .filter((entry) => !entry.isDirectory())
          .map((entry) => join(entry.parentPath, entry.name).slice(below.length + 1))
          .sort();
      } catch {
        return [];
      }
    },
  };
  return watched;
}

interface FoundEntry {
  name: string;
  parentPath: string;
  isDirectory(): boolean;
}
