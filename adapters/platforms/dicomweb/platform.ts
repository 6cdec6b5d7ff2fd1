import type { ImagePlatformConnection, OutgoingInstance } from '../../../agent/delivery/image-platform.ts';
import type { ItemReceipt, SendResult } from '../../../agent/delivery/platform.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import type { Log } from '../../../agent/support/log.ts';
import { version } from '../../../agent/support/version.ts';
import { type Answer, plainBody, rejectsCertificate, waitAskedMs } from '../mutual-tls/answer.ts';
import type { Exchange, Timing } from '../mutual-tls/exchange.ts';
import { isStop } from '../mutual-tls/faults.ts';
import { keepLine } from '../mutual-tls/identity.ts';
import { createTrustMemory } from '../mutual-tls/trust.ts';
import type { DicomwebConfig } from './config.ts';
import { storeBody } from './multipart.ts';
import { datasetsOf, readStoreAnswer } from './store-answer.ts';
import { emptySearch, readStudyCount, studyCountQuery } from './study-count.ts';
import { judgeItems, retryItem } from './verdict.ts';

/**
 * A platform may need long for an answer: Orthanc took 17 s for 1 GB (reference/dicom.md §1.6). An upload itself has
 * no limit as long as it moves.
 */
export const dicomwebTiming: Timing = {
  connectMs: 10_000,
  answerMs: 120_000,
  exchangeMs: 300_000,
  certificateCheckMs: 30_000,
};

export interface DicomwebContext {
  name: string;
  clock: Clock;
  log: Log;
  agentId: string;
}

/**
 * Opens the platform. Does not reject for certificate files that cannot be used: as with `https`, every call answers
 * TLS-1209 or TLS-1205 until good files lie there (invariant 9).
 */
export async function openDicomweb(
  context: DicomwebContext,
  config: DicomwebConfig,
  timing: Timing = dicomwebTiming,
): Promise<ImagePlatformConnection> {
  const { name: platform, clock, log } = context;
  const base = new URL(config.url).pathname.replace(/\/+$/, '');
  const memory = createTrustMemory(clock);
  // One more than uploads need, so that probe and count wait for none of them.
  const lines = keepLine(context, config, timing, memory, config.concurrency + 1);
  const headers = { 'user-agent': `qianzhi/${version}`, accept: 'application/dicom+json' };
  let lookAgain = false;

  /** A fault as a result of the request; remembers to look at the certificate files before the next call. */
  function faulted(code: string, errno?: string): SendResult {
    if (isStop(code)) lookAgain = true;
    if (errno !== undefined) log.warn('platform-request-failed', { platform, code, errno });
    return isStop(code) ? { kind: 'stop', code } : { kind: 'retry', code };
  }

  /** What an answer says that names no instance, or none may be looked for in. */
  function judgeStatus(status: number, wait: number | undefined): SendResult {
    const retry = (code: string): SendResult =>
      wait === undefined ? { kind: 'retry', code } : { kind: 'retry', code, retryAfterMs: wait };
    if (status >= 200 && status < 300) return retry('DCM-2271');
    if (status === 400 || status === 422) return { kind: 'refused-whole', code: 'PLT-1308' };
    if (status === 401 || status === 403) return faulted('PLT-1301');
    if (status === 409) return { kind: 'refused-whole', code: 'DCM-2275' };
    if (status === 413) return { kind: 'too-large', code: 'PLT-1302' };
    if (status === 415) return { kind: 'refused-whole', code: 'DCM-2274' };
    if (status === 429) return retry('PLT-1303');
    if (status >= 500) return retry('PLT-1304');
    if (status >= 300 && status < 400) return retry('PLT-1306');
    return retry('PLT-1307');
  }

  function judge(answer: Answer, instances: readonly OutgoingInstance[]): SendResult {
    const { status } = answer;
    if (status === 400 && rejectsCertificate(answer.body)) return faulted('TLS-1204');
    const wait = waitAskedMs(answer, clock);
    // These come from whoever stands before the store, so nothing in them speaks of instances.
    const another = status === 401 || status === 403 || (status >= 300 && status < 400);
    const said = another || !answer.complete || !plainBody(answer) ? undefined : readStoreAnswer(answer.body);
    const items = said === undefined ? undefined : judgeItems(said, instances, status, wait);
    const result: SendResult = items === undefined ? judgeStatus(status, wait) : { kind: 'items', items };
    const unnamed = (items ?? [result]).filter((one) => 'code' in one && one.code === 'DCM-2271').length;
    if (unnamed > 0) {
      const count = items === undefined ? instances.length : unnamed;
      log.warn('platform-answer-names-not-all', { platform, status, count });
    }
    const warned = instances.filter(({ sopInstanceUid }) => said?.stored.get(sopInstanceUid.reveal()) !== undefined);
    if (warned.length > 0) log.warn('platform-stored-with-warning', { platform, status, count: warned.length });
    return result;
  }

  /** One request failed because one instance could not be read here: only that one is settled. */
  function unreadable({ n, error }: { n: number; error: unknown }, instances: readonly OutgoingInstance[]): SendResult {
    const code = codeOf(error, 'QUE-4003');
    const errno = errnoOf(error);
    log.error('instance-unreadable', errno === undefined ? { platform, n, code } : { platform, n, code, errno });
    // Any other error may pass, as a lack of file handles does.
    const damaged = error instanceof QianzhiError && code === 'QUE-4003';
    const items = instances.map((instance): ItemReceipt => {
      if (instance.n !== n) return retryItem(instance.n, 'DCM-2278');
      return damaged ? { n, outcome: 'refused', code } : retryItem(n, code);
    });
    return { kind: 'items', items };
  }

  async function store(instances: readonly OutgoingInstance[], signal: AbortSignal): Promise<SendResult> {
    const taken = await lines.take(lookAgain);
    if ('code' in taken) return faulted(taken.code);
    lookAgain = false;
    const body = storeBody(instances);
    const halt = new AbortController();
    const stop = (): void => halt.abort();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        yield* body.pieces();
      } catch (error) {
        // The line must not take it for a fault of the network.
        stop();
        throw error;
      }
    }
    const answer = await taken.line.exchange(
      {
        method: 'POST',
        path: `${base}/studies`,
        headers: { ...headers, 'content-type': body.contentType, 'content-length': String(body.length) },
        body: pieces(),
      },
      halt.signal,
    );
    signal.removeEventListener('abort', stop);
    if (answer.kind === 'answer') return judge(answer, instances);
    const failed = body.failed();
    return failed === undefined ? faulted(answer.code, answer.errno) : unreadable(failed, instances);
  }

  async function search(query: string, look: boolean, signal: AbortSignal): Promise<Exchange> {
    const taken = await lines.take(look);
    if ('code' in taken) return { kind: 'fault', code: taken.code, errno: undefined };
    return taken.line.exchange({ method: 'GET', path: `${base}${query}`, headers }, signal);
  }

  // So that the page can show the certificates at once.
  await lines.take(true);

  return {
    limits: config.batch,
    concurrency: config.concurrency,
    async send(instances, signal) {
      // The answer speaks of instances by UID: two of one UID, kept because their content differs, go one after the other.
      const first = new Map<string, OutgoingInstance>();
      for (const instance of instances) {
        const uid = instance.sopInstanceUid.reveal();
        if (!first.has(uid)) first.set(uid, instance);
      }
      const result = await store([...first.values()], signal);
      if (result.kind !== 'items') return result;
      const sent = new Set([...first.values()].map(({ n }) => n));
      const later = instances.filter(({ n }) => !sent.has(n)).map(({ n }) => retryItem(n, 'DCM-2278'));
      return { kind: 'items', items: [...result.items, ...later] };
    },
    async countInstances(studyUid, signal) {
      const query = studyCountQuery(studyUid);
      const answer = query === undefined ? undefined : await search(query, false, signal);
      if (answer?.kind !== 'answer' || !answer.complete || !plainBody(answer)) return undefined;
      const { status } = answer;
      return status === 200 || status === 204 ? readStudyCount(status, answer.body, studyUid) : undefined;
    },
    async probe(signal) {
      const asked = clock.now();
      const answer = await search(emptySearch, true, signal);
      if (answer.kind === 'fault') return { ok: false, code: answer.code };
      const { status } = answer;
      if (
        status !== 204 &&
        !(status === 200 && answer.complete && plainBody(answer) && datasetsOf(answer.body) !== undefined)
      ) {
        const judged = rejectsCertificate(answer.body) ? faulted('TLS-1204') : judgeStatus(status, undefined);
        const tells = status >= 300 && (judged.kind === 'retry' || judged.kind === 'stop');
        return { ok: false, code: tells ? judged.code : 'PLT-1307' };
      }
      const timeMs = Date.parse(String(answer.headers.date));
      memory.learnTime(timeMs);
      return Number.isFinite(timeMs)
        ? { ok: true, clockOffsetMs: Math.round(timeMs - (asked + clock.now()) / 2) }
        : { ok: true };
    },
    certificates: () => lines.identity()?.certificates ?? [],
    close: () => lines.close(),
  };
}
