import { createHash } from 'node:crypto';

/** One line of `POST /v1/documents`, checked and decoded (docs/platform-api.md). */
export interface Item {
  key: string;
  operation: 'publish' | 'replace' | 'retract';
  type: string;
  mediaType: string;
  setId: string;
  version: number;
  report: string;
  lane: string;
  attempt: number;
  /** As claimed by the agent, hex. */
  sha256: string;
  bytes: Buffer;
}

/** One line of an answer. */
export interface Verdict {
  key: string;
  status: 'accepted' | 'received' | 'refused' | 'wait-for-parent' | 'retry' | 'unknown';
  receipt?: string;
  code?: string;
  retryAfterSeconds?: number;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const text = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= most;

/** An item, or undefined when the line breaks the protocol: the whole batch is then answered 400. */
function readItem(value: Record<string, unknown>): Item | undefined {
  const { key, operation, type, mediaType, setId, version, report, lane, attempt, content, content64 } = value;
  if (!text(key, 128) || !/^[\x21-\x7e]+$/.test(key)) return undefined;
  if (operation !== 'publish' && operation !== 'replace' && operation !== 'retract') return undefined;
  if (!text(type, 64) || !text(mediaType, 128) || !text(setId, 64) || !text(lane, 128) || !text(report, 200)) {
    return undefined;
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) return undefined;
  if (!Number.isSafeInteger(attempt) || (attempt as number) < 1) return undefined;
  if (!text(value.sha256, 64) || !/^[0-9a-f]{64}$/.test(value.sha256)) return undefined;
  if ((typeof content === 'string') === (typeof content64 === 'string')) return undefined;
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content64 as string, 'base64');
  return {
    key,
    operation,
    type,
    mediaType,
    setId,
    version: version as number,
    report,
    lane,
    attempt: attempt as number,
    sha256: value.sha256,
    bytes,
  };
}

function lines(body: string): Array<Record<string, unknown>> | undefined {
  try {
    const values = body
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown);
    const objects = values.filter((value): value is Record<string, unknown> => typeof value === 'object' && !!value);
    return objects.length > 0 && objects.length === values.length ? objects : undefined;
  } catch {
    return undefined;
  }
}

/** The items of a documents request; undefined when any line, or a key given twice, breaks the protocol. */
export function readItems(body: string): Item[] | undefined {
  const items = lines(body)?.map(readItem);
  if (items === undefined || items.includes(undefined)) return undefined;
  const whole = items as Item[];
  return new Set(whole.map((item) => item.key)).size === whole.length ? whole : undefined;
}

/** The keys of a receipts request. */
export function readKeys(body: string): string[] | undefined {
  const keys = lines(body)?.map((line) => line.key);
  return keys?.every((key): key is string => text(key, 128)) ? (keys as string[]) : undefined;
}
