import { createHash } from 'node:crypto';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openArchived, writeArchived } from '../../../agent/security/archive.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { errnoOf } from '../../../agent/support/errors.ts';
import { syncShare } from '../../../agent/support/folders.ts';
import { type Identity, mtimeMs } from '../watching/identity.ts';
import type { SeenKey } from '../watching/key-table.ts';
import { type BytePath, unsetAside } from '../watching/paths.ts';
import { type PutAway, putAwayBy } from '../watching/put-away.ts';

export interface ArchivingParts {
  /** Absolute: the watched folder, and where its files are archived. */
  root: string;
  folder: string;
  source: string;
  key: Uint8Array;
  keyOf(path: BytePath, identity: Identity): SeenKey;
  clock: Clock;
}

/** What archived files end in. */
const archivedSuffix = '.qza';
const pieceBytes = 256 * 1024;

/**
 * Moves a taken file into the sealed archive: `2026-11-22/1f0c…9a.qza`, by the day it was written and a name made of what tells
 * it from others, under the salt of the folder's memory. The original goes when the sealed file has been read back; after a crash
 * in between the same name is met again, and what is in it recognised. Rejects with the system's error, or QUE-4003 where the
 * sealed file does not read back.
 */
export async function archiveSealed(parts: ArchivingParts, path: BytePath, identity: Identity): Promise<PutAway> {
  const day = join(parts.folder, dayOf(mtimeMs(identity)));
  // First what can fail for good, so that a folder of files that cannot be moved is not stirred each time.
  const made = await mkdir(day, { recursive: true, mode: 0o700 });
  for (let at = day; made !== undefined && at.length >= made.length; at = dirname(at)) await syncShare(dirname(at));
  const name = Buffer.from(parts.keyOf(unsetAside(path), identity)).toString('hex', 0, 12);
  return await putAwayBy(parts.root, path, identity, async (aside) => {
    for (let number = 1; ; number += 1) {
      const sealed = join(day, `${number === 1 ? name : `${name}-${number}`}${archivedSuffix}`);
      const there = await lstat(sealed).then(
        () => true,
        () => false,
      );
      if (!there) return await seal(parts, aside, sealed, path, identity);
      if (await holds(parts.key, sealed, aside, identity.size)) return await syncShare(day);
    }
  });
}

async function seal(parts: ArchivingParts, aside: Buffer | string, sealed: string, path: BytePath, identity: Identity) {
  const part = `${sealed}.part`;
  const hash = createHash('sha256');
  const content = async function* () {
    for await (const piece of bytesOf(aside, identity.size)) {
      hash.update(piece);
      yield piece;
    }
  };
  const { source, key, clock } = parts;
  const what = {
    source,
    path: unsetAside(path),
    size: identity.size,
    mtimeMs: mtimeMs(identity),
    archivedMs: clock.now(),
  };
  try {
    await writeArchived(key, part, what, content());
    const { digest } = await archivedDigest(key, part);
    if (digest !== hash.digest('hex')) throw new Error('the sealed file reads back as another');
    await rename(part, sealed);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
  await syncShare(join(sealed, '..'));
}

/** Whether a sealed file is that of this original. One that is damaged is none; it stays where it is. */
async function holds(key: Uint8Array, sealed: string, original: Buffer | string, size: number): Promise<boolean> {
  const hash = createHash('sha256');
  for await (const piece of bytesOf(original, size)) hash.update(piece);
  try {
    const { digest } = await archivedDigest(key, sealed);
    return digest === hash.digest('hex');
  } catch (error) {
    if (errnoOf(error) === undefined) return false;
    throw error;
  }
}

async function archivedDigest(key: Uint8Array, sealed: string): Promise<{ digest: string }> {
  const { content, close } = await openArchived(key, sealed);
  try {
    const hash = createHash('sha256');
    for await (const piece of content) hash.update(piece);
    return { digest: hash.digest('hex') };
  } finally {
    await close();
  }
}

async function* bytesOf(path: Buffer | string, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size));
    for (let offset = 0; offset < size; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, size - offset), offset);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** `2026-11-22`, in local time. */
function dayOf(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '0000-00-00';
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
