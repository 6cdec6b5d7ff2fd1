import type { BigIntStats } from 'node:fs';

/** What tells one content of a path from another without reading it. */
export interface Identity {
  /** Bytes. */
  size: number;
  /** Nanoseconds since 1970. */
  mtimeNs: bigint;
  ino: bigint;
}

export const identityOf = (stats: BigIntStats): Identity => ({
  size: Number(stats.size),
  mtimeNs: stats.mtimeNs,
  ino: stats.ino,
});

/** In the place of an inode number: this share gives a file another number each time (some FUSE and SMB mounts do). */
export const anyIno = -1n;

export const sameIdentity = (a: Identity, b: Identity): boolean =>
  sameButIno(a, b) && (a.ino === b.ino || a.ino === anyIno || b.ino === anyIno);

export const sameButIno = (a: Identity, b: Identity): boolean => a.size === b.size && a.mtimeNs === b.mtimeNs;

export const mtimeMs = (identity: Identity): number => Number(identity.mtimeNs / 1_000_000n);
