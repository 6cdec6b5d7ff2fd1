import { parentPort, type Worker } from 'node:worker_threads';
import type { Languages } from '../registry.ts';
import type { JournalContent, Renderer } from '../rendering/format.ts';
import { institutionFor, type Site } from '../rendering/site.ts';
import { type MadeEntry, openReplayView, type ReplayView } from '../store/sqlite/replay/replay-view.ts';
import { type Bare, bare } from '../support/bare.ts';
import { QianzhiError } from '../support/errors.ts';
import { tidyMemory } from '../support/memory.ts';
import { phi } from '../support/phi.ts';
import { startThread } from '../support/thread.ts';

/** Documents that came out as they are stored, and the others. */
export interface DocumentsCompared {
  same: number;
  different: Array<{ seq: number; platform: string }>;
}

export interface ComparingStage {
  view: Pick<ReplayView, 'document'>;
  platforms: Array<{ name: string; renderer: Renderer }>;
  site: Site;
}

/** Renders what documents were made of once more and compares them byte by byte with those that are stored. */
export function compareDocuments({ view, platforms, site }: ComparingStage, entries: MadeEntry[]): DocumentsCompared {
  const found: DocumentsCompared = { same: 0, different: [] };
  for (const entry of entries) {
    const text = entry.content.reveal();
    if (text === '') continue;
    for (const { name: platform, renderer } of platforms) {
      const document = view.document(platform, entry.jseq);
      if (!document) continue;
      if (bytesOf(renderer, text, entry, site)?.equals(document.reveal())) found.same += 1;
      else found.different.push({ seq: entry.seq, platform });
    }
  }
  return found;
}

function bytesOf(renderer: Renderer, text: string, entry: MadeEntry, site: ComparingStage['site']): Buffer | undefined {
  const { action, setId, version } = entry;
  try {
    const content = JSON.parse(text) as JournalContent;
    const institution = institutionFor(site, content.context, action);
    const rendered = renderer.render({ content, action, setId, version, site: institution });
    if (rendered.kind !== 'document') return undefined;
    const bytes = rendered.bytes.reveal();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch {
    // Rendered then and failing now: it differs.
    return undefined;
  }
}

/** What the thread begins with: plain data. */
export interface ComparingData {
  folder: string;
  keyReference: string;
  site: ComparingStage['site'];
  /** `pack` as its check made it. */
  platforms: Array<{ name: string; format: string; pack: unknown }>;
}

/** Compares in a thread of its own while the caller maps: half of a replay is rendering. */
export function startComparing(data: ComparingData): {
  compare(entries: MadeEntry[]): Promise<DocumentsCompared>;
  close(): Promise<void>;
} {
  const thread: Worker = startThread('adapters/replay-thread.ts');
  const waiting: Array<{ resolve(found: DocumentsCompared): void; reject(error: Error): void }> = [];
  const fail = () => {
    for (const one of waiting.splice(0)) one.reject(new QianzhiError('SYS-6004', 'replay'));
  };
  thread.on('message', (found: DocumentsCompared) => waiting.shift()?.resolve(found));
  thread.on('error', fail);
  thread.on('exit', fail);
  thread.postMessage({ begin: data } satisfies ComparingRequest);
  return {
    compare: (entries) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        thread.postMessage({ entries: entries.map(bare) } satisfies ComparingRequest);
      }),
    close: async () => void (await thread.terminate()),
  };
}

interface ComparingRequest {
  begin?: ComparingData;
  entries?: Array<Bare<MadeEntry>>;
}

/** The other end of `startComparing`. */
export function runComparing({ formats }: Languages): void {
  let stage: ComparingStage | undefined;
  parentPort?.on('message', ({ begin, entries }: ComparingRequest) => {
    if (begin) {
      const platforms = begin.platforms.map(({ name, format, pack }) => {
        const adapter = formats.find((f) => f.kind === format);
        if (!adapter) throw new QianzhiError('CFG-5003', `platforms.${name}.format`);
        return { name, renderer: adapter.compile(pack) };
      });
      stage = { view: openReplayView(begin.folder, begin.keyReference), platforms, site: begin.site };
    }
    if (!stage || !entries) return;
    const made = entries.map((entry): MadeEntry => ({ ...entry, content: phi(entry.content) }));
    parentPort?.postMessage(compareDocuments(stage, made));
    tidyMemory();
  });
}
