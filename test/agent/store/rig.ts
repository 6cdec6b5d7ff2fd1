import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { MessageChannel, type Transferable, type Worker } from 'node:worker_threads';
import type { MappedMessage, OutboxDocument, Part, RecordEntry, Verdict } from '../../../agent/store/contract.ts';
import { openMappingView } from '../../../agent/store/sqlite/mapping-view.ts';
import { openStore, type StoreOptions, startStoreThread } from '../../../agent/store/sqlite/store.ts';
import { serveStore } from '../../../agent/store/sqlite/writer-thread.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';
import { quickFolder } from '../../quick-folder.ts';

/** A real store in a temporary folder, with both views of it, and short words for what a stage would do. */
export async function storeRig(
  folder = quickFolder('store'),
  more: Partial<StoreOptions> = {},
  worker: () => Worker = startStoreThread,
) {
  const fatal: ErrorCode[] = [];
  const options: StoreOptions = {
    folder: join(folder, 'data'),
    keyReference: `file:${join(folder, 'keys', 'data.key')}`,
    demo: false,
    sources: ['lis', 'his'],
    platforms: ['province'],
    timeZone: 'Asia/Shanghai',
    ...more,
    disk: { ballastBytes: 1024 * 1024, ...more.disk },
  };
  const store = await openStore(options, (code) => fatal.push(code), worker());
  const view = openMappingView(store.stages);
  let control = 0;
  return {
    folder,
    options,
    store,
    view,
    fatal,
    accept: (text: string, source = 'lis', controlId = `C${++control}`) =>
      store.accept({ source, bytes: Buffer.from(text), controlId: Buffer.from(controlId), receivedMs: Date.now() }),
    map: (seq: number, ...parts: Part[]) =>
      view.commitMapping({ messages: [mapped(seq, parts)], reports: [], through: seq }),
    render: async (...bytes: Array<string | { held: string } | { filtered: string }>) => {
      const entries = [...view.journal('province', 100)];
      const results = entries.slice(0, bytes.length).map((entry, i) => {
        const made = bytes[i]!;
        if (typeof made === 'string') return { jseq: entry.jseq, rendered: document(made) };
        if ('held' in made) {
          return { jseq: entry.jseq, rendered: { kind: 'held' as const, code: made.held, where: 'specimen' } };
        }
        return { jseq: entry.jseq, rendered: { kind: 'filtered' as const, rule: made.filtered } };
      });
      await view.commitRendering('province', results.at(-1)?.jseq ?? 0, results, 0);
      return results.length;
    },
    claim: (max = 100) => store.claim('province', max, 512 * 1024, Date.now()),
    /** One verdict on what was claimed; what is tried again or asked after is due at once unless told otherwise. */
    settle: (claimed: OutboxDocument | undefined, outcome: Verdict['outcome'], retryAtMs = 0) =>
      store.settle('province', [verdict(claimed!.n, outcome, retryAtMs)]),
    states: async () =>
      Object.fromEntries(
        (await store.messages(100)).map((m) => [m.seq, m.states.map((s) => s.state).join(',') || 'unmapped']),
      ),
    async close() {
      view.close();
      await store.close();
    },
  };
}

/**
 * The same store, whose worker runs in this thread: the same code and the same messages through the same ports,
 * without the third of a second that a thread takes to load it from source. For what is not about threads.
 */
export const quickRig = (folder?: string, more: Partial<StoreOptions> = {}) =>
  storeRig(folder, { ...more, disk: { ballastBytes: 4096, ...more.disk } }, workerInThisThread);

/** The same with one report on the wire: message 1, rendered as `v1` and claimed. */
export async function quickRigClaimed() {
  const rig = await quickRig();
  await rig.accept('one');
  await rig.map(1, record('R1', 1));
  await rig.render('v1');
  const [doc] = await rig.claim();
  return { rig, doc: doc! };
}

function workerInThisThread(): Worker {
  const { port1, port2 } = new MessageChannel();
  serveStore(port1);
  const worker = new EventEmitter();
  port2.on('message', (message) => worker.emit('message', message));
  port2.on('close', () => worker.emit('exit', 0));
  const rest = {
    postMessage: (message: unknown, ports: Transferable[]) => port2.postMessage(message, ports),
    terminate: async () => port2.close(),
  };
  return Object.assign(worker, rest) as unknown as Worker;
}

function verdict(n: number, outcome: Verdict['outcome'], retryAtMs: number): Verdict {
  switch (outcome) {
    case 'accepted':
      return { n, outcome };
    case 'refused':
      return { n, outcome, code: 'PLT-1305' };
    case 'retry':
      return { n, outcome, code: 'NET-1006', retryAtMs };
    default:
      return { n, outcome, retryAtMs };
  }
}

/** What a document says. */
export const textOf = (d: OutboxDocument | undefined): string => Buffer.from(d?.bytes.reveal() ?? []).toString();

export const mapped = (seq: number, parts: Part[]): MappedMessage => ({ seq, type: 'ORU^R01', parts, lookups: [] });

export const setIdOf = (report: string): string => createHash('sha256').update(report).digest('hex').slice(0, 32);

interface Said {
  patient?: string;
  action?: 'publish' | 'retract';
  text?: string;
}

/** One entry of the journal. */
export const entry = (report: string, version: number, more: Said = {}): RecordEntry => ({
  action: more.action ?? 'publish',
  recordKind: 'lab-report',
  reportKey: report,
  // Derived as in the product: what identifies the report to a platform lies open in the database.
  setId: setIdOf(report),
  version,
  patientKey: more.patient ?? 'P1',
  content: phi(JSON.stringify({ text: more.text ?? `${report} v${version}` })),
  findings: [],
});

export const records = (entries: RecordEntry[], absorbs: string[] = []): Part => ({ kind: 'record', entries, absorbs });

export const record = (report: string, version: number, more: Said & { absorbs?: string[] } = {}): Part =>
  records([entry(report, version, more)], more.absorbs);

export const document = (text: string) => ({
  kind: 'document' as const,
  type: 'C0007',
  mediaType: 'application/xml',
  bytes: phi(new Uint8Array(Buffer.from(text))),
  reportNumber: phi('R1'),
  findings: [],
});
