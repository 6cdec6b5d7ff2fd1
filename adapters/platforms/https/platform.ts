import type { PlatformConnection, SendResult } from '../../../agent/delivery/platform.ts';
import type { OutboxDocument } from '../../../agent/store/contract.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import type { Log } from '../../../agent/support/log.ts';
import { version } from '../../../agent/support/version.ts';
import { type Answer, plainBody, rejectsCertificate, waitAskedMs } from '../mutual-tls/answer.ts';
import { defaultTiming, type Timing } from '../mutual-tls/exchange.ts';
import { isStop } from '../mutual-tls/faults.ts';
import { keepLine } from '../mutual-tls/identity.ts';
import { createTrustMemory } from '../mutual-tls/trust.ts';
import { type Compression, compress, compressions, documentLines, receiptLines } from './batch.ts';
import type { HttpsConfig } from './config.ts';
import { readHello } from './hello.ts';
import { readReceipts } from './receipts.ts';

/** As many requests as delivery has under way at most. */
const connections = 4;

export interface HttpsContext {
  name: string;
  clock: Clock;
  log: Log;
  agentId: string;
}

/**
 * Opens the platform. Does not reject for certificate files that cannot be used: invariant 9 wants the
 * agent up and the uploads stopped, so every call answers TLS-1209 (or TLS-1205 outside our
 * certificate's validity) until good files lie there, and then goes on by itself.
 */
export async function openHttps(
  context: HttpsContext,
  config: HttpsConfig,
  timing: Timing = defaultTiming,
): Promise<PlatformConnection> {
  const { name: platform, clock, log } = context;
  const base = new URL(config.url).pathname.replace(/\/+$/, '');
  const memory = createTrustMemory(clock);
  const lines = keepLine(context, config, timing, memory, connections);
  const identification = { 'user-agent': `qianzhi/${version}`, 'qianzhi-agent': context.agentId };
  let compression: Compression = 'zstd';
  let lookAgain = false;

  /** A fault as a result of the batch; remembers to look at the certificate files before the next call. */
  function faulted(code: string, errno?: string): SendResult {
    lookAgain = isStop(code);
    if (errno !== undefined) log.warn('platform-request-failed', { platform, code, errno });
    return isStop(code) ? { kind: 'stop', code } : { kind: 'retry', code };
  }

  function judge(answer: Answer, documents: OutboxDocument[], stage: 'documents' | 'receipts'): SendResult {
    const { status } = answer;
    const wait = waitAskedMs(answer, clock);
    const retry = (code: string): SendResult =>
      wait === undefined ? { kind: 'retry', code } : { kind: 'retry', code, retryAfterMs: wait };
    if (status === 200) {
      if (!plainBody(answer)) return retry('PLT-1307');
      const { items, strange } = readReceipts(answer.body, documents, answer.complete, stage);
      if (strange > 0 || items.length < documents.length) {
        log.warn('platform-answer-not-understood', {
          platform,
          code: 'PLT-1307',
          count: documents.length - items.length,
        });
      }
      return items.length === 0 ? retry('PLT-1307') : { kind: 'items', items };
    }
    if (status === 400 && rejectsCertificate(answer.body)) return faulted('TLS-1204');
    if (status === 400 || status === 422) return { kind: 'refused-whole', code: 'PLT-1308' };
    if (status === 401 || status === 403) return faulted('PLT-1301');
    if (status === 413) return { kind: 'too-large', code: 'PLT-1302' };
    if (status === 429) return retry('PLT-1303');
    if (status >= 500) return retry('PLT-1304');
    if (status >= 300 && status < 400) return retry('PLT-1306');
    return retry('PLT-1307');
  }

  async function post(documents: OutboxDocument[], stage: 'documents' | 'receipts', signal: AbortSignal) {
    const taken = await lines.take(lookAgain);
    if ('code' in taken) return faulted(taken.code);
    lookAgain = false;
    const plain = stage === 'documents' ? documentLines(documents) : receiptLines(documents);
    for (;;) {
      const used = compression;
      const answer = await taken.line.exchange(
        {
          method: 'POST',
          path: `${base}/v1/${stage}`,
          headers: { ...identification, 'content-type': 'application/x-ndjson', 'content-encoding': used },
          body: await compress(plain, used),
        },
        signal,
      );
      if (answer.kind === 'fault') return faulted(answer.code, answer.errno);
      if (answer.status === 415 && used === 'zstd') {
        compression = 'gzip';
        log.info('platform-takes-gzip-only', { platform });
        continue;
      }
      return judge(answer, documents, stage);
    }
  }

  // So that the page can show the certificates at once.
  await lines.take(true);

  return {
    limits: config.batch,
    parentWaitMs: config.parent_wait_hours * 3_600_000,
    send: (documents, signal) => post(documents, 'documents', signal),
    ask: (documents, signal) => post(documents, 'receipts', signal),
    async probe(signal) {
      const taken = await lines.take(true);
      if ('code' in taken) return { ok: false, code: taken.code };
      const asked = clock.now();
      const answer = await taken.line.exchange(
        { method: 'GET', path: `${base}/v1/hello`, headers: identification },
        signal,
      );
      if (answer.kind === 'fault') return { ok: false, code: answer.code };
      const hello = answer.status === 200 && answer.complete && plainBody(answer) ? readHello(answer.body) : undefined;
      if (hello === undefined) {
        const judged = answer.status === 200 ? undefined : judge(answer, [], 'documents');
        return { ok: false, code: judged !== undefined && 'code' in judged ? judged.code : 'PLT-1307' };
      }
      const common = compressions.find((name) => hello.compression.includes(name));
      if (common !== undefined) compression = common;
      const timeMs = hello.timeMs ?? Date.parse(String(answer.headers.date));
      memory.learnTime(timeMs);
      return Number.isFinite(timeMs)
        ? { ok: true, clockOffsetMs: Math.round(timeMs - (asked + clock.now()) / 2) }
        : { ok: true };
    },
    certificates: () => lines.identity()?.certificates ?? [],
    close: () => lines.close(),
  };
}
