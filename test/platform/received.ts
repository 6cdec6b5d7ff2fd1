import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Item, sha256, type Verdict } from './items.ts';

/** The sidecar of an accepted document. */
export interface Sidecar {
  /** Running acceptance number, unique across restarts. */
  n: number;
  key: string;
  operation: Item['operation'];
  type: string;
  setId: string;
  version: number;
  /** Report number. */
  report: string;
  lane: string;
  receivedAt: string;
  /** Deliveries under this key that reached the province. */
  attempt: number;
  /** Subject CN of the certificate it came with; its SHA-256 fingerprint when there is none. */
  clientCertificate: string;
}

/** What the province keeps. Every change is on disk, whole, when the call returns. */
export interface Received {
  /** Folder of bodies and sidecars. */
  folder: string;
  /** How many documents were accepted. */
  count(): number;
  /** The body's hash of a key accepted before. */
  acceptedHash(key: string): string | undefined;
  accept(item: Item, clientCertificate: string): Verdict;
  /** The first verdict of an accepted key again; counts the delivery. */
  repeat(key: string): Verdict;
  /** The verdict of an accepted key, counting nothing. */
  verdict(key: string): Verdict | undefined;
  refusal(key: string): { verdict: Verdict; sha256: string } | undefined;
  refuse(item: Item, code: string): Verdict;
  /** Types of what was accepted in a lane. */
  typesOf(lane: string): ReadonlySet<string>;
  /** Highest version accepted for a report. */
  version(setId: string): number | undefined;
  sidecars(): Sidecar[];
}

const extensions: Record<string, string> = { 'application/xml': 'xml', 'text/xml': 'xml', 'application/json': 'json' };
const extensionOf = (mediaType: string): string => {
  const bare = mediaType.split(';')[0]!.trim().toLowerCase();
  return extensions[bare] ?? (bare.endsWith('+xml') ? 'xml' : bare.endsWith('+json') ? 'json' : 'bin');
};
const sidecarName = /^(\d+)\.[a-z]+\.json$/;

/**
 * Opens the folders `received` (what a checker reads), `writing` (files not yet whole) and the list
 * of refusals below `root`. What was accepted before is known again from the sidecars alone.
 */
export function openReceived(root: string): Received {
  const folder = join(root, 'received');
  const writing = join(root, 'writing');
  const refusals = join(root, 'refused.ndjson');
  rmSync(writing, { recursive: true, force: true });
  for (const path of [folder, writing]) mkdirSync(path, { recursive: true });

  const bodies = new Map<string, { n: number; body: string }>();
  const versions = new Map<string, number>();
  const types = new Map<string, Set<string>>();
  const refused = new Map<string, { verdict: Verdict; sha256: string }>();
  let last = 0;

  const put = (name: string, bytes: string | Uint8Array) => {
    const part = join(writing, name);
    writeFileSync(part, bytes);
    renameSync(part, join(folder, name));
  };
  const readSidecar = (body: string) => JSON.parse(readFileSync(join(folder, `${body}.json`), 'utf8')) as Sidecar;
  const know = (sidecar: Sidecar, body: string) => {
    bodies.set(sidecar.key, { n: sidecar.n, body });
    types.set(sidecar.lane, (types.get(sidecar.lane) ?? new Set()).add(sidecar.type));
    versions.set(sidecar.setId, Math.max(versions.get(sidecar.setId) ?? 0, sidecar.version));
  };

  const names = readdirSync(folder);
  const whole = new Set(names.filter((name) => sidecarName.test(name)).map((name) => name.slice(0, -'.json'.length)));
  for (const name of names) {
    last = Math.max(last, Number(/^\d+/.exec(name)?.[0] ?? 0));
    // A body without its sidecar was never answered for: the agent sends it again. Its number stays unused.
    if (!sidecarName.test(name) && !whole.has(name)) rmSync(join(folder, name));
  }
  for (const body of whole) know(readSidecar(body), body);
  for (const line of readLines(refusals)) {
    const { sha256: hash, ...verdict } = JSON.parse(line) as Verdict & { sha256: string };
    refused.set(verdict.key, { verdict, sha256: hash });
  }

  const accepted = (key: string): Verdict | undefined => {
    const entry = bodies.get(key);
    return entry && { key, status: 'accepted', receipt: `SIM-${entry.n}` };
  };

  return {
    folder,
    count: () => bodies.size,
    acceptedHash: (key) => {
      const entry = bodies.get(key);
      return entry && sha256(readFileSync(join(folder, entry.body)));
    },
    accept(item, clientCertificate) {
      const n = ++last;
      const body = `${String(n).padStart(6, '0')}.${extensionOf(item.mediaType)}`;
      const { key, operation, type, setId, version, report, lane } = item;
      const receivedAt = new Date().toISOString();
      const sidecar = {
        n,
        key,
        operation,
        type,
        setId,
        version,
        report,
        lane,
        receivedAt,
        attempt: 1,
        clientCertificate,
      };
      put(body, item.bytes);
      put(`${body}.json`, `${JSON.stringify(sidecar)}\n`);
      know(sidecar, body);
      return accepted(key)!;
    },
    repeat(key) {
      const { body } = bodies.get(key)!;
      const sidecar = readSidecar(body);
      put(`${body}.json`, `${JSON.stringify({ ...sidecar, attempt: sidecar.attempt + 1 })}\n`);
      return accepted(key)!;
    },
    verdict: accepted,
    refusal: (key) => refused.get(key),
    refuse(item, code) {
      const verdict: Verdict = { key: item.key, status: 'refused', code };
      const hash = sha256(item.bytes);
      appendFileSync(refusals, `${JSON.stringify({ ...verdict, sha256: hash })}\n`);
      refused.set(item.key, { verdict, sha256: hash });
      return verdict;
    },
    typesOf: (lane) => types.get(lane) ?? new Set(),
    version: (setId) => versions.get(setId),
    sidecars: () => [...bodies.values()].map(({ body }) => readSidecar(body)).sort((a, b) => a.n - b.n),
  };
}

function readLines(path: string): string[] {
  try {
    // A last line cut short by a kill was never answered for.
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}
