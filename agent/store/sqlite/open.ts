import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadKek } from '../../security/kek.ts';
import type { Vault } from '../../security/vault.ts';
import { errnoOf, QianzhiError } from '../../support/errors.ts';
import { makeFolder, syncFolderNow } from '../../support/folders.ts';
import { identify, META, readMeta, vaultOf, writeMeta } from './identity.ts';
import { migrations } from './schema.ts';

/** Names of the files in the data folder. */
export const storeFiles = {
  database: 'qianzhi.db',
  lock: 'lock.db',
  highWater: 'high-water',
  keyCopy: 'key-copy',
  ballast: 'ballast',
  damaged: 'damaged',
};

/** SQLite before this has the WAL-reset corruption bug (3.7.0 – 3.51.2). */
const SQLITE_FLOOR = [3, 51, 3] as const;
/** statfs types of network file systems: WAL needs shared memory of this machine. NFS, SMB, CIFS, SMB2. */
const NETWORK_FILE_SYSTEMS = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42]);

export interface OpenedStore {
  db: DatabaseSync;
  vault: Vault;
  agentId: string;
  /** True when this start made the store. */
  created: boolean;
  /** True when the row with the store's keys was damaged and this start restored it from its copy. */
  restored: boolean;
  /** Folder that a damaged database was moved to and that nobody has been told of; to be given to `toldAside`. */
  movedAside?: string;
  /** Call it in the transaction that tells of it. */
  toldAside(name: string): void;
  /**
   * Call it instead of close() with what ends the process: marks the store when that may be a damage, and closes
   * nothing, for SQLite would fold the WAL into the database and delete it. Returns the error to end with.
   */
  leave(error: unknown): unknown;
  close(): void;
}

function assertSqliteVersion(db: DatabaseSync): void {
  const row = db.prepare('SELECT sqlite_version() AS v').get() as { v: string };
  const have = row.v.split('.').map(Number);
  for (let i = 0; i < SQLITE_FLOOR.length; i++) {
    const h = have[i] ?? 0;
    const floor = SQLITE_FLOOR[i] ?? 0;
    if (h > floor) return;
    if (h < floor) throw new QianzhiError('SYS-6003', 'sqlite');
  }
}

/** sqlite result code without its extension; undefined when the error is not SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}
export const SQLITE_BUSY = 5;
export const SQLITE_NOMEM = 7;
export const SQLITE_READONLY = 8;
export const SQLITE_IOERR = 10;
export const SQLITE_CORRUPT = 11;
export const SQLITE_FULL = 13;
export const SQLITE_NOTADB = 26;

/** What `isDamage` recognises, where bytes are found damaged that SQLite itself would read. */
export const damage = (): Error => Object.assign(new Error('damaged'), { errcode: SQLITE_CORRUPT });

/** Whether SQLite met bytes in its files that it did not write. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** Errors after which nothing more of the transaction can be believed; any other is one unit's own. */
export const breaksTransaction = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code !== undefined && BREAKING.has(code);
};
const BREAKING = new Set([
  SQLITE_FULL,
  SQLITE_IOERR,
  SQLITE_CORRUPT,
  SQLITE_NOTADB,
  SQLITE_BUSY,
  SQLITE_NOMEM,
  SQLITE_READONLY,
]);

/**
 * Whether an error while a store opens may come of damaged bytes, and the next start shall look at all of it: a letter
 * of the schema that was hit reads as a missing table, a row that was wiped as a null. It may as well be our own mistake:
 * what the look does not find damaged is not moved.
 */
function maybeDamage(error: unknown): boolean {
  if (error instanceof QianzhiError || typeof (error as { syscall?: unknown } | null)?.syscall === 'string')
    return false;
  const code = sqliteCode(error);
  return code === undefined || code === SQLITE_ERROR || code === SQLITE_READONLY || isDamage(error);
}
const SQLITE_ERROR = 1;

/** One process a store: a second file held in BEGIN EXCLUSIVE; the system frees it when the process dies. */
function takeLock(folder: string): DatabaseSync {
  const lock = new DatabaseSync(join(folder, storeFiles.lock), { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (sqliteCode(cause) !== SQLITE_BUSY) throw cause;
    throw new QianzhiError('QUE-4005', undefined, { cause });
  }
  return lock;
}

function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  try {
    // Order matters: page size and vacuum mode before WAL, synchronous after it. The vacuum mode only once: setting it
    // writes, and what lies behind a damage in the WAL would be written over before anybody has looked (keepTail).
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
    if (pages === 0) db.exec('PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL');
    db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
      PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=16777216; PRAGMA cache_size=-16384; PRAGMA mmap_size=0;
      PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF`);
    assertSqliteVersion(db);
    db.exec(META);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Returns the version that was there; 0 when there was none. */
function migrate(db: DatabaseSync): number {
  const have = (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
  if (have > migrations.length) throw isAsMade(db, have) ? damage() : new QianzhiError('QUE-4008');
  migrations.slice(have).forEach((sql, i) => {
    db.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version=${have + i + 1}; COMMIT`);
    // Each has written its share twice: on a small disk the next one needs what the WAL holds.
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  });
  return have;
}

/**
 * Opens (or makes) the store for writing, as the one process that may.
 * @param demo whether the demo opens it: a store made by the demo is refused elsewhere and vice versa (CFG-5007).
 * Throws QUE-4004, QUE-4005, QUE-4008, CFG-5007, CFG-5003 (network file system), SYS-6003. Call under `withBallast`.
 */
export function openForWriting(folder: string, keyReference: string, demo: boolean, nowMs: number): OpenedStore {
  const path = join(folder, storeFiles.database);
  const existed = existsSync(path);
  // The key comes first: a store without its key is left untouched.
  const kek = loadKek(keyReference, existed);
  if (!existed) makeFolder(folder);
  if (NETWORK_FILE_SYSTEMS.has(statfsSync(folder).type >>> 0)) throw new QianzhiError('CFG-5003', 'data.folder');
  const lock = takeLock(folder);
  let movedAside: string | undefined;
  let db: DatabaseSync | undefined;
  try {
    if (vanished(folder)) movedAside = moveAside(folder, nowMs);
    try {
      db = openWhole(folder);
    } catch (error) {
      if (!isDamage(error)) throw error;
      movedAside = moveAside(folder, nowMs);
      db = openDatabase(path);
    }
    const created = migrate(db) === 0;
    const { vault, identity, restored } = identify(db, kek, folder, { created, demo });
    if (identity.demo !== demo) throw new QianzhiError('CFG-5007', 'data.folder');
    const { agentId } = identity;
    const open = db;
    return {
      db,
      vault,
      agentId,
      created,
      restored,
      movedAside: movedAside ?? untold(folder, db),
      toldAside: (name) => writeMeta(open, TOLD, name),
      leave(error) {
        const suspect = maybeDamage(error);
        if (suspect) markDamaged(folder);
        lock.close();
        return suspect ? new QianzhiError('QUE-4007', undefined, { cause: error }) : error;
      },
      close() {
        open.close();
        lock.exec('ROLLBACK');
        lock.close();
      },
    };
  } catch (error) {
    db?.close();
    lock.close();
    if (!maybeDamage(error)) throw error;
    markDamaged(folder);
    throw new QianzhiError('QUE-4007', undefined, { cause: error });
  }
}

/**
 * On a full disk even opening fails, and so may an upgrade or the first writes of a start; the ballast is what lets deliveries
 * go on. Throws QUE-4002 where the ballast is not enough.
 */
export function withBallast<T>(folder: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const ballast = join(folder, storeFiles.ballast);
    if (!isFull(error)) throw error;
    if (!existsSync(ballast)) throw new QianzhiError('QUE-4002', undefined, { cause: error });
    unlinkSync(ballast);
    return withBallast(folder, open);
  }
}

/** Whether the disk had no room, for SQLite or for a file beside it. */
function isFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_FULL || errnoOf(error) === 'ENOSPC';
}

/**
 * Somebody met what looks damaged: the next start looks at the whole file before it believes it. A folder that takes no
 * mark is one nothing can be moved aside in.
 */
export function markDamaged(folder: string): void {
  try {
    closeSync(openSync(join(folder, storeFiles.damaged), 'a', 0o600));
  } catch (error) {
    if (typeof (error as { syscall?: unknown }).syscall !== 'string') throw error;
  }
}

/**
 * Opens the database; after a mark, checks all of it first. Throws SQLITE_CORRUPT or SQLITE_NOTADB when it is
 * damaged, its files untouched: a connection that only reads is open beside the other one, because the last one to
 * close folds the WAL into the database and deletes it.
 */
function openWhole(folder: string): DatabaseSync {
  const path = join(folder, storeFiles.database);
  if (!existsSync(path)) return openDatabase(path);
  rollBackFirst(path);
  const beside = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    const mark = join(folder, storeFiles.damaged);
    if (existsSync(mark)) {
      if (!isWhole(beside, path)) throw damage();
      unlinkSync(mark);
    } else beside.prepare('SELECT count(*) FROM sqlite_schema').get();
    return openDatabase(path);
  } finally {
    beside.close();
  }
}

/**
 * A power cut while the database was being made leaves its rollback journal (there is none later, in WAL mode), and
 * a connection that only reads may not apply it.
 */
function rollBackFirst(path: string): void {
  if (!existsSync(`${path}-journal`)) return;
  const db = new DatabaseSync(path, { timeout: 5000 });
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } finally {
    db.close();
  }
}

/** Every page reads, and every table is as it was made. */
function isWhole(db: DatabaseSync, path: string): boolean {
  try {
    // The quick one reads every page; the other also finds an index that does not fit its table, which only shows when
    // something is changed there, at every start again.
    const quick = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (quick.quick_check !== 'ok') return false;
    const whole = db.prepare('PRAGMA integrity_check(1)').get() as { integrity_check: string };
    if (whole.integrity_check !== 'ok') return false;
  } catch (error) {
    // A header that was hit may name a format there is none of, which SQLite calls an error like any other.
    if (sqliteCode(error) === SQLITE_ERROR) return false;
    throw error;
  }
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  return isAsMade(db, version) === version <= migrations.length && writeFormat(path) <= WAL_FORMAT;
}

/** Whether the tables are those of this version; of our last one when it is beyond it: then the number is wrong. */
function isAsMade(db: DatabaseSync, version: number): boolean {
  const made = new DatabaseSync(':memory:');
  try {
    made.exec(`${META}; ${migrations.slice(0, version).join(';')}`);
    const schema = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name';
    return JSON.stringify(db.prepare(schema).all()) === JSON.stringify(made.prepare(schema).all());
  } finally {
    made.close();
  }
}

/** Byte 18 of the file's header, while no WAL holds a later one: SQLite only reads a file of a format beyond WAL's. */
function writeFormat(path: string): number {
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (wal && wal.size > 0) return WAL_FORMAT;
  const header = Buffer.alloc(19);
  const file = openSync(path, 'r');
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  return header[18] ?? 0;
}
const WAL_FORMAT = 2;

/** True when a database was here, as its side file shows, and is gone or empty. */
function vanished(folder: string): boolean {
  const database = join(folder, storeFiles.database);
  if (!existsSync(join(folder, storeFiles.highWater))) return false;
  return !existsSync(database) || statSync(database).size === 0;
}

/**
 * Nothing damaged is ever deleted: database and side files go to a folder of their own. What shows the next start
 * that something was here goes last: after a power cut in between it finds that and moves the rest aside as well,
 * where SQLite would delete a WAL without its database.
 */
function moveAside(folder: string, nowMs: number): string {
  const name = `${ASIDE}${new Date(nowMs).toISOString().replace(/[:.]/g, '')}`;
  mkdirSync(join(folder, name), { mode: 0o700 });
  const { database, highWater, keyCopy } = storeFiles;
  const move = (file: string): void => {
    if (existsSync(join(folder, file))) renameSync(join(folder, file), join(folder, name, file));
  };
  for (const file of [database, `${database}-wal`, `${database}-shm`]) move(file);
  syncFolderNow(folder);
  for (const file of [keyCopy, highWater, storeFiles.damaged]) move(file);
  syncFolderNow(folder);
  return name;
}
const ASIDE = 'damaged-';

/**
 * The WAL of a store whose tail is gone, before anything is written over it: the commits behind the damage may still be
 * in it, and SQLite will use its space again. Call it before the first write. Without room for it the store goes on.
 */
export function keepTail(folder: string, nowMs: number): void {
  const wal = join(folder, `${storeFiles.database}-wal`);
  if (!existsSync(wal) || statSync(wal).size === 0) return;
  try {
    copyFileSync(wal, join(folder, `lost-tail-${new Date(nowMs).toISOString().replace(/[:.]/g, '')}.wal`));
  } catch {
    // A full disk is told elsewhere.
  }
}

/** The newest folder set aside that this store has not told of yet: the start that made it may have ended before it could. */
function untold(folder: string, db: DatabaseSync): string | undefined {
  const newest = readdirSync(folder)
    .filter((name) => name.startsWith(ASIDE))
    .sort()
    .at(-1);
  const told = readMeta(db, TOLD);
  return newest !== undefined && (typeof told !== 'string' || newest > told) ? newest : undefined;
}
const TOLD = 'told_aside';

/** A second, read-only connection: for mapping and for the page. Short reads only, or checkpoints starve. */
export function openForReading(
  folder: string,
  keyReference: string,
): { db: DatabaseSync; vault: Vault; close(): void } {
  const kek = loadKek(keyReference, true);
  const db = new DatabaseSync(join(folder, storeFiles.database), { readOnly: true, timeout: 5000 });
  db.exec('PRAGMA cache_size=-2048; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY');
  return { db, vault: vaultOf(db, kek, false), close: () => db.close() };
}
