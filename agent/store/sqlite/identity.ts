import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { createVault, type KeyTable, unwrapKey, type Vault, type WrappedKey, wrapKey } from '../../security/vault.ts';
import { QianzhiError } from '../../support/errors.ts';
import { syncFolderNow } from '../../support/folders.ts';
import { readKeyCopy, type StoreIdentity, writeKeyCopy } from './key-copy.ts';

/** Rows by name: who the store is, and what it has told of itself. Made before everything else. */
export const META = 'CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID';

export const readMeta = (db: DatabaseSync, k: string): unknown =>
  (db.prepare('SELECT v FROM meta WHERE k=?').get(k) as { v: unknown } | undefined)?.v;
export const writeMeta = (db: DatabaseSync, k: string, v: string | number | Uint8Array): void => {
  db.prepare('INSERT INTO meta VALUES(?,?) ON CONFLICT DO UPDATE SET v=excluded.v').run(k, v);
};

function keyTable(db: DatabaseSync, writable: boolean): KeyTable {
  const byId = db.prepare('SELECT id, day, wrapped FROM data_key WHERE id=?');
  const byDay = db.prepare('SELECT id, day, wrapped FROM data_key WHERE day=?');
  const table: KeyTable = {
    byId: (id) => byId.get(id) as WrappedKey | undefined,
    byDay: (day) => byDay.get(day) as WrappedKey | undefined,
  };
  if (writable) {
    const insert = db.prepare('INSERT INTO data_key(day, wrapped) VALUES(?,?)');
    table.insert = (day, wrapped) => Number(insert.run(day, wrapped).lastInsertRowid);
    const retire = db.prepare('UPDATE data_key SET day=-id WHERE id=?');
    table.retire = (id) => void retire.run(id);
  }
  return table;
}

/** Opens the vault of an existing store; throws QUE-4004 when the key is not this store's. */
export function vaultOf(db: DatabaseSync, kek: Uint8Array, writable: boolean): Vault {
  const storeId = readMeta(db, 'store_id') as Uint8Array;
  const indexKey = unwrapKey(kek, storeId, 'index-key', readMeta(db, 'index_key') as Uint8Array);
  return createVault(kek, storeId, indexKey, keyTable(db, writable));
}

/**
 * Who this store is, and its vault. One bit in that one page, and nothing behind its keys could be read again: where it
 * does not open, its copy takes its place.
 * A start that made a store may have died before it gave it an identity.
 */
export function identify(
  db: DatabaseSync,
  kek: Uint8Array,
  folder: string,
  { created, demo }: { created: boolean; demo: boolean },
): { vault: Vault; identity: StoreIdentity; restored: boolean } {
  const copy = readKeyCopy(folder, kek);
  const write = (identity: StoreIdentity) => {
    db.exec('BEGIN IMMEDIATE');
    writeMeta(db, 'store_id', identity.storeId);
    writeMeta(db, 'agent_id', identity.agentId);
    writeMeta(db, 'index_key', identity.indexKey);
    writeMeta(db, 'demo', identity.demo ? 1 : 0);
    db.exec('COMMIT');
    syncFolderNow(folder);
  };
  const isNew = readMeta(db, 'store_id') === undefined && (created || (!copy && isEmpty(db)));
  if (isNew) {
    const storeId = randomBytes(16);
    const indexKey = wrapKey(kek, storeId, 'index-key', randomBytes(32));
    write({ storeId, indexKey, agentId: randomBytes(8).toString('hex'), demo });
  }
  let restored = false;
  let identity = readIdentity(db);
  // Never changed since it was written, and it has a sum: where both are of one store, the copy is right.
  const differs = copy && identity && isSameStore(copy, identity) && copy.agentId !== identity.agentId;
  if (copy && (differs || !identity || !opens(kek, identity))) {
    write(copy);
    identity = copy;
    restored = true;
  }
  if (!identity) throw new QianzhiError('QUE-4004');
  const vault = vaultOf(db, kek, true);
  if (!copy || !isSameStore(copy, identity)) writeKeyCopy(folder, kek, identity);
  return { vault, identity, restored };
}

function readIdentity(db: DatabaseSync): StoreIdentity | undefined {
  const [storeId, indexKey, agentId, demo] = ['store_id', 'index_key', 'agent_id', 'demo'].map((k) => readMeta(db, k));
  const bytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
  if (!bytes(storeId) || !bytes(indexKey) || typeof agentId !== 'string') return undefined;
  return { storeId, indexKey, agentId, demo: demo === 1 };
}

const isSameStore = (a: StoreIdentity, b: StoreIdentity): boolean => Buffer.from(a.storeId).equals(b.storeId);

function opens(kek: Uint8Array, { storeId, indexKey }: StoreIdentity): boolean {
  try {
    unwrapKey(kek, storeId, 'index-key', indexKey);
    return true;
  } catch {
    return false;
  }
}

/** Nothing was ever taken in. */
const isEmpty = (db: DatabaseSync): boolean =>
  (db.prepare('SELECT count(*) AS n FROM (SELECT 1 FROM data_key LIMIT 1)').get() as { n: number }).n === 0;
