import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { errnoOf } from '../../../agent/support/errors.ts';
import { type Identity, identityOf, sameIdentity } from './identity.ts';
import { asidePrefix, type BytePath, folderOf, joinPath, nameOf, pathIn, unsetAside } from './paths.ts';

/**
 * done: it is where it belongs. other: what lies there now is not what was taken, and stays for the scan.
 * gone: nothing lies there now; perhaps the whole share is away and comes back with the file.
 */
export type PutAway = 'done' | 'other' | 'gone';

const longestName = 255;
const copyBytes = 256 * 1024;

/** `IM1.dcm` → `IM1 (2).dcm`; the dots of a UID are no extension. Never longer than a name may be. */
export function numberedName(name: BytePath, number: number | string): BytePath {
  const extension = /\.[a-z]{1,5}$/i.exec(name)?.[0] ?? '';
  const end = ` (${number})${extension}`;
  return name.slice(0, Math.min(name.length - extension.length, longestName - end.length)) + end;
}

/**
 * Moves or deletes a file that is stored. The sender may have put another file under the same name at any moment, so it
 * is first renamed to a name nobody else uses, then looked at: only what was taken goes. A crash in between leaves it
 * under that name, where the scan finds it; the intake recognises it then.
 * Rejects with the system's error when it cannot be done now.
 */
export async function putAway(
  root: string,
  path: BytePath,
  taken: Identity,
  archive: string | undefined,
): Promise<PutAway> {
  const name = nameOf(unsetAside(path));
  const aside = asideOf(path);
  // First what can fail for good, so that a folder of files that cannot be moved is not stirred each time.
  const target = archive === undefined ? undefined : await reserve(archive, joinPath(folderOf(path), name));
  let moved = false;
  try {
    const found = await setAside(root, path, aside, taken);
    if (found !== 'done') return found;
    const stats = await lstat(pathIn(root, aside), { bigint: true });
    if (!stats.isFile() || !sameIdentity(identityOf(stats), taken)) return 'other';
    if (archive === undefined || target === undefined) await unlink(pathIn(root, aside));
    else await moveOver(pathIn(root, aside), archive, target);
    moved = true;
    return 'done';
  } catch (error) {
    await giveBack(root, aside, path);
    throw error;
  } finally {
    if (archive !== undefined && target !== undefined && !moved) await release(pathIn(archive, target));
  }
}

/**
 * Puts a taken file away in a way of the caller's: set aside as by `putAway`, handed to `keep` under the name it has then, and
 * removed when that resolved and it still is what was taken.
 */
export async function putAwayBy(
  root: string,
  path: BytePath,
  taken: Identity,
  keep: (aside: Buffer | string) => Promise<void>,
): Promise<PutAway> {
  const aside = asideOf(path);
  const isStill = async () => {
    const stats = await lstat(pathIn(root, aside), { bigint: true });
    return stats.isFile() && sameIdentity(identityOf(stats), taken);
  };
  try {
    const found = await setAside(root, path, aside, taken);
    if (found !== 'done') return found;
    if (!(await isStill())) return 'other';
    await keep(pathIn(root, aside));
    // Somebody who had it open may have written to it meanwhile.
    if (!(await isStill())) return 'other';
    await unlink(pathIn(root, aside));
    return 'done';
  } catch (error) {
    await giveBack(root, aside, path);
    throw error;
  }
}

/** A name beside a file that nobody else uses. */
function asideOf(path: BytePath): BytePath {
  const asideName = `${asidePrefix}${randomBytes(6).toString('hex')}-`;
  return joinPath(folderOf(path), asideName + nameOf(unsetAside(path)).slice(0, longestName - asideName.length));
}

async function setAside(root: string, path: BytePath, aside: BytePath, taken: Identity): Promise<PutAway> {
  try {
    if (!sameIdentity(identityOf(await lstat(pathIn(root, path), { bigint: true })), taken)) return 'other';
    await rename(pathIn(root, path), pathIn(root, aside));
    return 'done';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/** Under its old name again, unless there is a new file of that name. Where it was not renamed yet this does nothing. */
async function giveBack(root: string, aside: BytePath, path: BytePath): Promise<void> {
  const there = await lstat(pathIn(root, path)).then(
    () => true,
    () => false,
  );
  if (!there) await rename(pathIn(root, aside), pathIn(root, path)).catch(() => {});
}

/** Renames over the file that keeps the name free. Onto another disk: a copy that gets the name when it is whole and written. */
async function moveOver(source: Buffer | string, archive: string, target: BytePath): Promise<void> {
  try {
    return await rename(source, pathIn(archive, target));
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
  }
  const name = `${asidePrefix}${randomBytes(6).toString('hex')}.part`;
  const partial = pathIn(archive, joinPath(folderOf(target), name));
  try {
    await copy(source, partial);
    await rename(partial, pathIn(archive, target));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await unlink(source);
}

/** An empty file of a name that was free: renaming over it can then hit nobody else's. */
async function reserve(archive: string, place: BytePath): Promise<BytePath> {
  await mkdir(pathIn(archive, folderOf(place)), { recursive: true });
  for (let number = 1; ; number += 1) {
    // Where many have the same name, counting on would take a look at each of them.
    const label = number < 10 ? number : randomBytes(4).toString('hex');
    const target = number === 1 ? place : joinPath(folderOf(place), numberedName(nameOf(place), label));
    try {
      await (await open(pathIn(archive, target), 'wx')).close();
      return target;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || number > 20) throw error;
    }
  }
}

/** Gives up a reserved name. A file that did come there, though the system said it did not, stays. */
async function release(target: Buffer | string): Promise<void> {
  const size = await lstat(target).then(
    (stats) => stats.size,
    () => -1,
  );
  if (size === 0) await rm(target, { force: true });
}

async function copy(source: Buffer | string, target: Buffer | string): Promise<void> {
  const from = await open(source, 'r');
  try {
    const to = await open(target, 'wx');
    try {
      for (const piece = new Uint8Array(copyBytes); ; ) {
        const { bytesRead } = await from.read(piece, 0, copyBytes, null);
        if (bytesRead === 0) break;
        await to.writeFile(piece.subarray(0, bytesRead));
      }
      await to.datasync();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
