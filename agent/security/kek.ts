import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, QianzhiError } from '../support/errors.ts';
import { makeFolder, syncFolderNow } from '../support/folders.ts';

/**
 * The key-encryption key. `file:/path` is a file of 64 hex characters, mode 0600; `systemd:name` a
 * credential that systemd hands over in $CREDENTIALS_DIRECTORY.
 * A key is made only for a store that does not exist yet: for a store that has lost its key nothing
 * is made and nothing is touched (QUE-4004).
 *
 * @returns 32 bytes. Throws QUE-4004 (absent, unreadable, malformed, open to others), CFG-5003 (reference).
 */
export function loadKek(reference: string, storeExists: boolean, env: NodeJS.ProcessEnv = process.env): Buffer {
  const colon = reference.indexOf(':');
  const scheme = reference.slice(0, colon);
  const rest = reference.slice(colon + 1);
  if (scheme === 'systemd') {
    const folder = env.CREDENTIALS_DIRECTORY;
    if (!folder) throw new QianzhiError('QUE-4004', 'systemd');
    return readKey(join(folder, rest), false);
  }
  if (scheme !== 'file' || rest === '') throw new QianzhiError('CFG-5003', 'data.key');
  if (!existsSync(rest)) {
    if (storeExists) throw new QianzhiError('QUE-4004', 'file');
    writeKey(rest);
  }
  return readKey(rest, true);
}

function readKey(path: string, checkMode: boolean): Buffer {
  let text: string;
  try {
    if (checkMode && process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new QianzhiError('QUE-4004', 'mode');
    }
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof QianzhiError) throw error;
    throw new QianzhiError('QUE-4004', errnoOf(error) ?? 'read', { cause: error });
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new QianzhiError('QUE-4004', 'format');
  return Buffer.from(text, 'hex');
}

function writeKey(path: string): void {
  makeFolder(dirname(path));
  // Beside and renamed: a crash in between leaves no half key behind that a store would then wait for.
  const beside = `${path}.new`;
  const file = openSync(beside, 'w', 0o600);
  writeSync(file, `${randomBytes(32).toString('hex')}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(beside, path);
  syncFolderNow(dirname(path));
}
