import { hash, randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncShare } from '../../../agent/support/folders.ts';
import type { Identity } from './identity.ts';
import { createKeyTable, type Decision, entryBytes, type SeenKey } from './key-table.ts';
import type { BytePath } from './paths.ts';

/**
 * The memory of what needs no second reading, kept in a file so that a restart does not read everything again. Paths
 * may hold names of patients, so neither memory nor file holds any: only hashes under a salt of this folder.
 * Nothing is lost with the file: a file read twice is a duplicate to the intake.
 */
export interface Seen {
  keyOf(path: BytePath, identity: Identity): SeenKey;
  /** The decision, or 0. Also notes that this content still lies in the folder. */
  get(key: SeenKey): Decision;
  /** False when there is no room: the file must not be read then, or it would be read again and again. */
  hasRoom(): boolean;
  set(key: SeenKey, decision: Decision): void;
  forget(key: SeenKey): void;
  /** Between these two the whole folder is looked at; then what was not there is forgotten, once that is worth it. */
  beginPass(): void;
  endPass(): void;
  /** Writes what is new. Never rejects: `writable` says whether it worked. */
  flush(): Promise<void>;
  writable(): boolean;
  size(): number;
}

const magic = 'QZSEEN1\n';
const saltBytes = 24;
const headBytes = magic.length + saltBytes;
const pieceBytes = 1024 * 1024;
/** 35 MB of memory and 24 MB on disk, or the double of that while it is written anew. */
const mostEntries = 1_500_000;
/** Below this a table is not worth sweeping. */
const sweepFrom = 10_000;

const nameOf = (key: SeenKey): string => Buffer.from(key).toString('latin1', 0, entryBytes - 1);

/**
 * Opens or makes the memory in `file`. What cannot be read there is as good as forgotten. Never rejects. `durable`: what a flush
 * wrote outlasts a power cut; without it, for files whose second reading is always recognised, only a crash of the agent.
 */
export async function openSeen(file: string, most = mostEntries, durable = false): Promise<Seen> {
  const table = createKeyTable();
  let salt: Buffer = randomBytes(saltBytes);
  let inFile = 0;
  /** The file is to be written anew, because it has a torn end or cannot be read, or holds too much of the past. */
  let rewrite = true;
  let works = true;
  /** Entries that are not in the file yet, by key. What is forgotten before it was written never is. */
  const added = new Map<string, Buffer>();
  let writing: Promise<void> = Promise.resolve();

  const load = async () => {
    const handle = await open(file, 'r');
    try {
      const head = Buffer.alloc(headBytes);
      const { bytesRead } = await handle.read(head, 0, headBytes, 0);
      if (bytesRead < headBytes || head.toString('latin1', 0, magic.length) !== magic) return;
      salt = head.subarray(magic.length);
      const piece = Buffer.alloc(pieceBytes);
      for (let offset = headBytes; ; ) {
        const read = (await handle.read(piece, 0, pieceBytes, offset)).bytesRead;
        const whole = read - (read % entryBytes);
        for (let i = 0; i < whole && table.count() < most; i += entryBytes) {
          const entry = piece.subarray(i, i + entryBytes);
          // A zero is what a power cut leaves of what was not written yet.
          if (entry[15] !== 0) table.set(entry, entry[15] ?? 0);
          inFile += 1;
        }
        offset += whole;
        if (whole === read && read > 0) continue;
        rewrite = read !== 0 || inFile > 2 * table.count() + sweepFrom;
        return;
      }
    } finally {
      await handle.close();
    }
  };

  const writeAnew = async () => {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      // What changes from here on goes into `added` and comes after it.
      const entries = table.entries();
      added.clear();
      rewrite = false;
      await handle.writeFile(Buffer.concat([Buffer.from(magic, 'latin1'), salt, entries]));
      await handle.datasync();
      inFile = entries.length / entryBytes;
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
    if (durable) await syncShare(dirname(file));
  };

  const append = async () => {
    const entries = [...added.values()];
    added.clear();
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.writeFile(Buffer.concat(entries));
      if (durable) await handle.datasync();
      inFile += entries.length;
    } finally {
      await handle.close();
    }
  };

  const write = async () => {
    try {
      if (rewrite || inFile > 2 * table.count() + sweepFrom) await writeAnew();
      else if (added.size > 0) await append();
      works = true;
    } catch {
      // Part of an entry may stand at the end now; the next time all of it is written anew.
      added.clear();
      rewrite = true;
      works = false;
    }
  };

  await load().catch(() => {});
  await write();

  return {
    keyOf(path, { size, mtimeNs, ino }) {
      const said = Buffer.from(`${size} ${mtimeNs} ${ino} ${path}`, 'latin1');
      return hash('sha256', Buffer.concat([salt, said]), 'buffer').subarray(0, entryBytes);
    },
    get: (key) => table.get(key),
    hasRoom: () => table.count() < most,
    set(key, decision) {
      table.set(key, decision);
      if (rewrite) return;
      const entry = Buffer.from(key);
      entry[15] = decision;
      added.set(nameOf(key), entry);
    },
    forget(key) {
      table.forget(key);
      added.delete(nameOf(key));
    },
    beginPass: () => table.clearPresent(),
    endPass() {
      const presentCount = table.countPresent();
      const gone = table.count() - presentCount;
      if (gone === 0) return;
      // A share that is not mounted looks like an empty folder: nothing is forgotten then while there is room.
      const notWorthIt = gone < sweepFrom || gone < presentCount || presentCount === 0;
      if (table.count() < most && notWorthIt) return;
      table.keepPresent(presentCount);
      rewrite = true;
    },
    flush() {
      writing = writing.then(write);
      return writing;
    },
    writable: () => works,
    size: () => table.count(),
  };
}
