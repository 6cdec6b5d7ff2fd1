import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ImageFacts, ImageReader } from '../../../agent/images/image-reader.ts';
import { type IndexingStage, indexInstances, type SourceRules } from '../../../agent/images/index-instances.ts';
import { reconcileSpool } from '../../../agent/images/reconcile.ts';
import { issueStudies } from '../../../agent/images/studies.ts';
import { takeInInstances } from '../../../agent/images/take-in.ts';
import { openSpool } from '../../../agent/store/spool.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { quickRig } from '../store/rig.ts';

/** What a header of these tests says: the first line of the "file", JSON. The format is the adapters' business. */
export const lineReader: ImageReader = {
  async read(head) {
    const text = Buffer.from(await head.read(16 * 1024)).toString('utf8');
    const end = text.indexOf('\n');
    if (!text.startsWith('{') || end < 0) return { ok: false, code: 'DCM-2201' };
    return { ok: true, header: JSON.parse(text.slice(0, end)) as ImageFacts };
  },
};

export interface Said extends Partial<ImageFacts> {
  uid: string;
  study?: string;
  series?: string;
  /** Bytes behind the header. */
  pixels?: number | string;
  receivedMs?: number;
  /** What the transport says, where it differs. */
  told?: string;
}

const factsOf = ({ uid, study = '1.2.1', series = '1.2.1.1', ...more }: Said): ImageFacts => ({
  sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
  sopInstanceUid: uid,
  transferSyntaxUid: '1.2.840.10008.1.2.1',
  studyUid: study,
  seriesUid: series,
  charset: 'utf-8',
  charsetGuessed: false,
  ...more,
});

export function datasetOf(said: Said): Buffer {
  const { pixels = 10, receivedMs: _received, told: _told, ...facts } = said;
  const body = typeof pixels === 'string' ? Buffer.from(pixels) : Buffer.alloc(pixels, said.uid.length);
  return Buffer.concat([Buffer.from(`${JSON.stringify(factsOf(facts as Said))}\n`), body]);
}

/** Too little is free for mapping: it wants more than all of the disk, for one that holds nothing but the store is nearly all free. */
export const lowDisk = { mapping: 2, intake: 0 };

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Real store, real spool, and short words for what sources and stages do. */
export async function imageRig(folder?: string, more: Parameters<typeof quickRig>[1] = {}) {
  const rig = await quickRig(folder, { sources: ['pacs'], imagePlatforms: ['cloud'], ...more });
  const { store, view } = rig;
  const spool = openSpool({
    folder: join(rig.options.folder, 'spool'),
    full: () => store.state().mode === 'intake-stopped',
  });
  const intake = takeInInstances({ source: 'pacs', spool, store });
  const clock = { stableMs: 60_000, hardCapMs: 600_000 };
  let nowMs = Date.UTC(2026, 10, 22, 6);
  const wall = { now: () => nowMs, monotonic: () => nowMs };
  const reconciled = await reconcileSpool({ spool, store, clock: wall, log: silentLog });
  const rules: SourceRules = { reader: lineReader, urgency: {}, clock };
  const index = {
    store: view,
    spool,
    rulesOf: (source: string) => (source === 'pacs' ? rules : undefined),
    clock: wall,
    log: silentLog,
  } as IndexingStage;
  return {
    ...rig,
    spool,
    reconciled,
    intake,
    rules,
    index,
    tick(ms: number): number {
      nowMs += ms;
      return nowMs;
    },
    now: () => nowMs,
    async begin(said: Said) {
      return intake.begin({
        sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
        sopInstanceUid: phi(said.told ?? said.uid),
        transferSyntaxUid: '1.2.840.10008.1.2.1',
        receivedMs: said.receivedMs ?? nowMs,
        preamble: new Uint8Array(),
      });
    },
    async take(said: Said) {
      const incoming = await this.begin(said);
      await incoming.write(datasetOf(said));
      return incoming.commit();
    },
    async indexAll(): Promise<void> {
      while ((await indexInstances(index)) > 0);
    },
    issue: () => issueStudies({ store: view, clock: wall, log: silentLog }),
    claimImages: (instances = 100, bytes = 1e9, platform = 'cloud') =>
      store.claimInstances(platform, { instances, bytes, nowMs }),
    accepted: (numbers: number[], platform = 'cloud') =>
      store.settleInstances(
        platform,
        numbers.map((n) => ({ n, outcome: 'accepted' as const })),
        nowMs,
      ),
    async content(file: { name: string; key: Uint8Array }): Promise<Buffer> {
      const pieces: Uint8Array[] = [];
      for await (const piece of spool.read(file)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
  };
}
export type ImageRig = Awaited<ReturnType<typeof imageRig>>;
