import { createHash } from 'node:crypto';
import type { Accepted, Verdict } from '../../../agent/store/contract.ts';

export const loadSources = ['lis', 'his'];
export const loadPlatforms = ['province', 'city'];

export const defaultKey = 'keys/data.key';

/** Where images come from and go to. */
export const imageSources = ['pacs', 'move', 'delete'];
export const imagePlatform = 'cloud';

/** What the recorded process does: a session for each opening of the store. */
export interface Plan {
  /** `count`: so many messages, or images. */
  sessions: Array<{ count: number; end: 'close' | 'crash' }>;
  /** Path of the key below the root; `defaultKey` when it is not said. */
  key?: string;
}

/** What the recorded process tells, in the one order of the recording. */
export type Mark =
  | { at: 'opening' | 'opened' | 'closing' | 'closed' }
  | { acked: { seq: number; sha: string; source: string; outcome: Accepted['outcome'] } }
  | { mapped: number }
  | { rendered: number; platform: string; again: boolean }
  | { claimed: Array<{ n: number; key: string; attempt: number; sha: string }>; platform: string }
  | { settled: Array<{ n: number; outcome: Verdict['outcome'] }>; platform: string }
  /** An image answered with success; `sha` is of its file. */
  | { stored: { uid: string; sha: string } }
  /** A file of a sender: durable where it was made, and not yet in the watched folder. */
  | { dropped: { uid: string; sha: string } }
  /** Images whose acceptance by the platform is booked. */
  | { delivered: string[] };

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Bytes that prove by themselves that the driver made them: their end is the hash of the rest. */
export const certified = (text: string): Buffer => Buffer.from(`${text}|${sha(Buffer.from(text))}`);
export function isCertified(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString();
  const cut = text.lastIndexOf('|');
  return cut > 0 && text.slice(cut + 1) === sha(Buffer.from(text.slice(0, cut)));
}

/** Everything the store has promised up to a moment of the recording. */
export interface Promised {
  /** seq → hash of the bytes and source. */
  acked: Map<number, { sha: string; source: string }>;
  mappedThrough: number;
  /** platform → cursor. */
  renderedThrough: Map<string, number>;
  /** Idempotency keys ever handed out → what they stood for. */
  keys: Map<string, { n: number; sha: string }>;
  /** n → highest attempt handed out. */
  attempts: Map<number, number>;
  /** n → last verdict booked. */
  settled: Map<number, Verdict['outcome']>;
  /** UID of an image that was answered with success → hash of its file. */
  stored: Map<string, string>;
  /** The same of files that are in a watched folder as long as they are not stored. */
  dropped: Map<string, string>;
  /** UIDs of images that are booked as delivered. */
  delivered: Set<string>;
}

export const nothingPromised = (): Promised => ({
  acked: new Map(),
  mappedThrough: 0,
  renderedThrough: new Map(),
  keys: new Map(),
  attempts: new Map(),
  settled: new Map(),
  stored: new Map(),
  dropped: new Map(),
  delivered: new Set(),
});

export const copyOf = (p: Promised): Promised => structuredClone(p);

/** Adds one mark. Returns what is wrong already while the process ran: a key or a seq used twice. */
export function promise(p: Promised, m: Mark): string[] {
  const wrong: string[] = [];
  if ('acked' in m) {
    const known = p.acked.get(m.acked.seq);
    if (known && known.sha !== m.acked.sha) wrong.push(`seq ${m.acked.seq} given to other bytes`);
    p.acked.set(m.acked.seq, { sha: m.acked.sha, source: m.acked.source });
  } else if ('mapped' in m) p.mappedThrough = Math.max(p.mappedThrough, m.mapped);
  else if ('rendered' in m) {
    if (!m.again) p.renderedThrough.set(m.platform, m.rendered);
  } else if ('claimed' in m) {
    for (const { n, key, attempt, sha } of m.claimed) {
      const known = p.keys.get(key);
      if (known && (known.sha !== sha || known.n !== n)) wrong.push(`key of document ${n} repeats for other content`);
      if (p.settled.get(n) === 'accepted') wrong.push(`document ${n} handed out after it was accepted`);
      p.keys.set(key, { n, sha });
      p.attempts.set(n, Math.max(p.attempts.get(n) ?? 0, attempt));
    }
  } else if ('settled' in m) {
    for (const { n, outcome } of m.settled) p.settled.set(n, outcome);
  } else if ('stored' in m) p.stored.set(m.stored.uid, m.stored.sha);
  else if ('dropped' in m) p.dropped.set(m.dropped.uid, m.dropped.sha);
  else if ('delivered' in m) {
    for (const uid of m.delivered) {
      if (p.delivered.has(uid)) wrong.push('an image was handed out after it was delivered');
      p.delivered.add(uid);
    }
  }
  return wrong;
}
