import { usualConcurrency } from '../../../agent/delivery/pace.ts';
import type { PlatformConnection, SendResult } from '../../../agent/delivery/platform.ts';
import type { OutboxDocument } from '../../../agent/store/contract.ts';
import { giveBack } from '../../../agent/support/memory.ts';
import { type Answer, plainBody } from '../mutual-tls/answer.ts';
import { defaultTiming, type Timing } from '../mutual-tls/exchange.ts';
import { openService, type ServiceContext } from '../mutual-tls/service.ts';
import { type Compression, compress, compressions, documentLines, receiptLines } from './batch.ts';
import type { HttpsConfig } from './config.ts';
import { readHello } from './hello.ts';
import { readReceipts } from './receipts.ts';

/** Opens the platform (docs/platform-api.md); does not reject for certificate files (service.ts). */
export async function openHttps(
  context: ServiceContext,
  config: HttpsConfig,
  timing: Timing = defaultTiming,
): Promise<PlatformConnection> {
  const { name: platform, clock, log, agentId } = context;
  const service = await openService(context, config, timing, usualConcurrency);
  const identification = { 'qianzhi-agent': agentId };
  let compression: Compression = 'zstd';

  function judge(answer: Answer, documents: OutboxDocument[], stage: 'documents' | 'receipts'): SendResult {
    // Also 200 in a form we did not ask for, or without a receipt in it: PLT-1307.
    if (answer.status !== 200 || !plainBody(answer)) return service.judgeStatus(answer);
    const { items, strange } = readReceipts(answer.body, documents, answer.complete, stage);
    if (strange > 0 || items.length < documents.length) {
      const count = documents.length - items.length;
      log.warn('platform-answer-not-understood', { platform, code: 'PLT-1307', count });
    }
    return items.length === 0 ? service.judgeStatus(answer) : { kind: 'items', items };
  }

  async function post(documents: OutboxDocument[], stage: 'documents' | 'receipts', signal: AbortSignal) {
    const plain = stage === 'documents' ? documentLines(documents) : receiptLines(documents);
    try {
      for (;;) {
        const used = compression;
        const answer = await service.request(
          {
            method: 'POST',
            path: `/v1/${stage}`,
            headers: { ...identification, 'content-type': 'application/x-ndjson', 'content-encoding': used },
            body: await compress(plain, used),
          },
          signal,
        );
        if (answer.kind === 'fault') return service.faulted(answer.code, answer.errno);
        if (answer.status === 415 && used === 'zstd') {
          compression = 'gzip';
          log.info('platform-takes-gzip-only', { platform });
          continue;
        }
        return judge(answer, documents, stage);
      }
    } finally {
      giveBack(plain);
    }
  }

  return {
    limits: config.batch,
    parentWaitMs: config.parent_wait_hours * 3_600_000,
    send: (documents, signal) => post(documents, 'documents', signal),
    ask: (documents, signal) => post(documents, 'receipts', signal),
    async probe(signal) {
      const asked = clock.now();
      const answer = await service.request(
        { method: 'GET', path: '/v1/hello', headers: identification },
        signal,
        'look',
      );
      if (answer.kind === 'fault') return { ok: false, code: answer.code };
      const hello = answer.status === 200 && answer.complete && plainBody(answer) ? readHello(answer.body) : undefined;
      if (hello === undefined) {
        const judged = answer.status === 200 ? undefined : service.judgeStatus(answer);
        return { ok: false, code: judged !== undefined && 'code' in judged ? judged.code : 'PLT-1307' };
      }
      const common = compressions.find((name) => hello.compression.includes(name));
      if (common !== undefined) compression = common;
      return service.proved(asked, hello.timeMs ?? Date.parse(String(answer.headers.date)));
    },
    certificates: service.certificates,
    close: service.close,
  };
}
