import type { ImagePlatformConnection, OutgoingInstance } from '../../../agent/delivery/image-platform.ts';
import type { ItemReceipt, SendResult } from '../../../agent/delivery/platform.ts';
import { codeOf, errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import { type Answer, plainBody, waitAskedMs } from '../mutual-tls/answer.ts';
import type { Timing } from '../mutual-tls/exchange.ts';
import { openService, type ServiceContext } from '../mutual-tls/service.ts';
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

/** Opens the platform; does not reject for certificate files (service.ts). */
export async function openDicomweb(
  context: ServiceContext,
  config: DicomwebConfig,
  timing: Timing = dicomwebTiming,
): Promise<ImagePlatformConnection> {
  const { name: platform, clock, log } = context;
  // One more than uploads need, so that probe and count wait for none of them.
  const service = await openService(context, config, timing, config.concurrency + 1);
  const headers = { accept: 'application/dicom+json' };

  /** What an answer says that names no instance, or none may be looked for in. */
  function judgeStatus(answer: Answer): SendResult {
    const { status } = answer;
    if (status === 409) return { kind: 'refused-whole', code: 'DCM-2275' };
    if (status === 415) return { kind: 'refused-whole', code: 'DCM-2274' };
    const judged = service.judgeStatus(answer);
    return status >= 200 && status < 300 && judged.kind === 'retry' ? { ...judged, code: 'DCM-2271' } : judged;
  }

  function judge(answer: Answer, instances: readonly OutgoingInstance[]): SendResult {
    const { status } = answer;
    // These come from whoever stands before the store, so nothing in them speaks of instances.
    const another = status === 401 || status === 403 || (status >= 300 && status < 400);
    const said = another || !answer.complete || !plainBody(answer) ? undefined : readStoreAnswer(answer.body);
    const items = said === undefined ? undefined : judgeItems(said, instances, status, waitAskedMs(answer, clock));
    const result: SendResult = items === undefined ? judgeStatus(answer) : { kind: 'items', items };
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
    const answer = await service.request(
      {
        method: 'POST',
        path: '/studies',
        headers: { ...headers, 'content-type': body.contentType, 'content-length': String(body.length) },
        body: pieces(),
      },
      halt.signal,
    );
    signal.removeEventListener('abort', stop);
    if (answer.kind === 'answer') return judge(answer, instances);
    const failed = body.failed();
    return failed === undefined ? service.faulted(answer.code, answer.errno) : unreadable(failed, instances);
  }

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
      const answer =
        query === undefined ? undefined : await service.request({ method: 'GET', path: query, headers }, signal);
      if (answer?.kind !== 'answer' || !answer.complete || !plainBody(answer)) return undefined;
      const { status } = answer;
      return status === 200 || status === 204 ? readStudyCount(status, answer.body, studyUid) : undefined;
    },
    async probe(signal) {
      const asked = clock.now();
      const answer = await service.request({ method: 'GET', path: emptySearch, headers }, signal, 'look');
      if (answer.kind === 'fault') return { ok: false, code: answer.code };
      const { status } = answer;
      const list = status === 200 && answer.complete && plainBody(answer) && datasetsOf(answer.body) !== undefined;
      if (status === 204 || list) return service.proved(asked, Date.parse(String(answer.headers.date)));
      const judged = judgeStatus(answer);
      const tells = status >= 300 && (judged.kind === 'retry' || judged.kind === 'stop');
      return { ok: false, code: tells ? judged.code : 'PLT-1307' };
    },
    certificates: service.certificates,
    close: service.close,
  };
}
