import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomFillSync,
} from 'node:crypto';
import { QianzhiError } from '../support/errors.ts';
import { compressed, decompressed } from '../support/zstd.ts';

/**
 * At-rest protection. Values are zstd-1 compressed, then sealed with AES-256-GCM under a data key
 * per day; data keys are wrapped by the key-encryption key (KEK), which never lies in the data
 * folder. The tag stands in for a CRC. AAD = store id, kind, row id: a sealed value moved to
 * another row, table or store does not open.
 * Layout of a sealed value: 1 byte format (1 plain, 2 zstd), 12 bytes nonce, ciphertext, 16 bytes tag.
 */
const NONCE = 12;
const TAG = 16;
const MAC_BYTES = 16;
/** Below this, compression costs more than it saves. */
const COMPRESS_FROM = 1024;
const FORMAT_PLAIN = 1;
const FORMAT_ZSTD = 2;

export type SealKind =
  | 'body'
  | 'record'
  | 'report'
  | 'document'
  | 'receipt'
  | 'patient'
  | 'instance'
  | 'study'
  | 'series'
  | 'match';
const kindByte: Record<SealKind, number> = {
  body: 1,
  record: 2,
  report: 3,
  document: 4,
  receipt: 5,
  patient: 6,
  instance: 7,
  study: 8,
  series: 9,
  match: 10,
};

export interface WrappedKey {
  id: number;
  day: number;
  wrapped: Uint8Array;
}

/** A value compressed and not yet sealed: any thread can make one, which saves the one writer the work. */
export interface Packed {
  format: typeof FORMAT_PLAIN | typeof FORMAT_ZSTD;
  bytes: Uint8Array;
}

/** Compresses what is worth it. */
export function pack(plain: Uint8Array): Packed {
  if (plain.length < COMPRESS_FROM) return { format: FORMAT_PLAIN, bytes: plain };
  return { format: FORMAT_ZSTD, bytes: compressed(plain) };
}

export interface Sealed {
  keyId: number;
  sealed: Uint8Array;
}

/** Where wrapped data keys are kept: rows of the store itself. */
export interface KeyTable {
  byId(id: number): WrappedKey | undefined;
  byDay(day: number): WrappedKey | undefined;
  /** Only the writer has it. Returns the new row's id. */
  insert?(day: number, wrapped: Uint8Array): number;
  /** Takes the day from a key that does not open, which stays as it is. */
  retire?(id: number): void;
}

export interface Vault {
  /** Seals under the data key of the day of `nowMs` (UTC). */
  seal(kind: SealKind, row: number, packed: Packed, nowMs: number): Sealed;
  /** Throws QUE-4003 when the value or the key of its day is damaged. */
  open(kind: SealKind, row: number, keyId: number, sealed: Uint8Array): Buffer;
  /** Keyed hash for equality search; the key is derived per field, so equal values of two fields differ. */
  mac(field: string, value: Uint8Array | string): Buffer;
  /** After a rollback: forgets keys that the transaction may have taken with it. */
  forget(): void;
}

const NONCES = 256;
const nonces = Buffer.allocUnsafeSlow(NONCE * NONCES);
let noncesTaken = NONCES;

/** Random, drawn by the hundred: one draw costs as much as sealing a kilobyte. Good until the next call but 255. */
function takeNonce(): Buffer {
  if (noncesTaken === NONCES) {
    randomFillSync(nonces);
    noncesTaken = 0;
  }
  const at = noncesTaken++ * NONCE;
  return nonces.subarray(at, at + NONCE);
}

function gcmSeal(key: KeyObject | Uint8Array, aad: Uint8Array, plain: Uint8Array, format: number): Buffer {
  const nonce = takeNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(aad);
  const body = cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.of(format), nonce, body, cipher.getAuthTag()]);
}

function gcmOpen(key: KeyObject | Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 1 + NONCE + TAG) throw new QianzhiError('QUE-4003');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + NONCE));
  decipher.setAAD(aad);
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
  const plain = decipher.update(bytes.subarray(1 + NONCE, bytes.length - TAG));
  try {
    decipher.final();
  } catch (cause) {
    throw new QianzhiError('QUE-4003', undefined, { cause });
  }
  return plain;
}

const textAad = (storeId: Uint8Array, label: string) => Buffer.concat([storeId, Buffer.from(label)]);

/** Wraps a key by the KEK for the given store and purpose. */
export const wrapKey = (kek: Uint8Array, storeId: Uint8Array, label: string, key: Uint8Array): Buffer =>
  gcmSeal(kek, textAad(storeId, label), key, FORMAT_PLAIN);

/** Unwraps what wrapKey made. Throws QUE-4004 when the KEK is another one. */
export function unwrapKey(kek: Uint8Array, storeId: Uint8Array, label: string, wrapped: Uint8Array): Buffer {
  try {
    return gcmOpen(kek, textAad(storeId, label), wrapped);
  } catch (cause) {
    throw new QianzhiError('QUE-4004', undefined, { cause });
  }
}

/** Day number (UTC) a data key belongs to. */
const dayOf = (ms: number): number => Math.floor(ms / 86_400_000);

/**
 * @param kek 32 bytes; @param storeId 16 bytes; @param indexKey 32 bytes, the unwrapped index master key.
 */
export function createVault(kek: Uint8Array, storeId: Uint8Array, indexKey: Uint8Array, keys: KeyTable): Vault {
  // As key objects: a raw key would be prepared anew for each value, several times the cost of sealing it.
  const opened = new Map<number, KeyObject>();
  const macKeys = new Map<string, KeyObject>();
  let today: { day: number; id: number; key: KeyObject } | undefined;

  const aadOf = (kind: SealKind, row: number): Buffer => {
    const aad = Buffer.allocUnsafe(storeId.length + 9);
    aad.set(storeId, 0);
    aad[storeId.length] = kindByte[kind];
    aad.writeBigUInt64BE(BigInt(row), storeId.length + 1);
    return aad;
  };

  const unwrap = (row: WrappedKey): KeyObject => {
    const key = createSecretKey(unwrapKey(kek, storeId, `data-key:${row.day}`, row.wrapped));
    opened.set(row.id, key);
    return key;
  };

  const keyOfDay = (day: number): { id: number; key: KeyObject } => {
    if (today?.day === day) return today;
    const row = keys.byDay(day);
    if (row) {
      try {
        today = { day, id: row.id, key: opened.get(row.id) ?? unwrap(row) };
        return today;
      } catch (error) {
        // The index key opens under the same key: it is this row that is damaged, and what it sealed with it.
        if (!keys.retire) throw error;
        keys.retire(row.id);
      }
    }
    if (!keys.insert) throw new QianzhiError('QUE-4004');
    const raw = randomBytes(32);
    const id = keys.insert(day, wrapKey(kek, storeId, `data-key:${day}`, raw));
    const key = createSecretKey(raw);
    opened.set(id, key);
    today = { day, id, key };
    return today;
  };

  return {
    seal(kind, row, packed, nowMs) {
      const { id, key } = keyOfDay(dayOf(nowMs));
      return { keyId: id, sealed: gcmSeal(key, aadOf(kind, row), packed.bytes, packed.format) };
    },
    open(kind, row, keyId, sealed) {
      let key = opened.get(keyId);
      if (!key) {
        const wrapped = keys.byId(keyId);
        if (!wrapped) throw new QianzhiError('QUE-4003');
        try {
          key = unwrap(wrapped);
        } catch (cause) {
          throw new QianzhiError('QUE-4003', undefined, { cause });
        }
      }
      const plain = gcmOpen(key, aadOf(kind, row), sealed);
      if (sealed[0] === FORMAT_PLAIN) return plain;
      if (sealed[0] !== FORMAT_ZSTD) throw new QianzhiError('QUE-4003');
      try {
        return decompressed(plain);
      } catch (cause) {
        throw new QianzhiError('QUE-4003', undefined, { cause });
      }
    },
    mac(field, value) {
      let key = macKeys.get(field);
      if (!key) {
        key = createSecretKey(Buffer.from(hkdfSync('sha256', indexKey, storeId, `mac:${field}`, 32)));
        macKeys.set(field, key);
      }
      return createHmac('sha256', key).update(value).digest().subarray(0, MAC_BYTES);
    },
    forget() {
      today = undefined;
      opened.clear();
    },
  };
}
