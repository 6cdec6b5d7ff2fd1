import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hl7FolderConfig } from '../../../../adapters/sources/hl7-folder/config.ts';
import { hl7Folder, type RunningHl7Folder } from '../../../../adapters/sources/hl7-folder/source.ts';
import type { SourceSender } from '../../../../agent/intake/source.ts';
import { archiveKeyOf, openArchived } from '../../../../agent/security/archive.ts';
import type { Accepted, Incoming } from '../../../../agent/store/contract.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import type { LogFields } from '../../../../agent/support/log.ts';
import { quickRig } from '../../../agent/store/rig.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { intakeOf } from '../hl7-mllp/intake-of.ts';

export const archiveKey = archiveKeyOf(Buffer.alloc(32, 7));

export interface Dropped {
  source: RunningHl7Folder;
  base: string;
  inbox: string;
  archive: string;
  /** Puts a file into the watched folder as senders should: it has its name when it is whole. */
  put(name: string, content: string | Uint8Array): void;
  /** What the store holds, in order of arrival, one character a byte. */
  stored(): string[];
  /** The same with the name each is stored under. */
  storedAs(): string[];
  /** Calls of the store. */
  accepted(): number;
  /** Stands before the store: what it throws is what the store rejects with. */
  hinder(step: (message: Omit<Incoming, 'source'>) => void | Promise<void>): void;
  /** Paths below a folder, sorted. */
  files(folder?: string): string[];
  /** What the sealed archive holds: path in the folder, and bytes. */
  archived(): Promise<Array<[path: string, bytes: string]>>;
  /** Waits until no file is waiting and `count` files were decided in all. */
  settled(count: number): Promise<void>;
  logged: Array<{ event: string; fields: LogFields }>;
}

/** The source as the runtime starts it, before a real store, on a folder of its own. */
export async function startFolder(
  t: { teardown(done: () => unknown): void },
  config: Record<string, unknown> = {},
  given: { base?: string; profile?: string; senders?: SourceSender[]; key?: Uint8Array } = {},
): Promise<Dropped> {
  const base = given.base ?? quickFolder('hl7-folder');
  const [inbox, archive] = [join(base, 'inbox'), join(base, 'archive')];
  mkdirSync(inbox, { recursive: true });
  const rig = await quickRig(join(base, 'store'));
  let running: RunningHl7Folder | undefined;
  t.teardown(async () => {
    await running?.stop(2000);
    await rig.close();
  });
  const logged: Dropped['logged'] = [];
  const write = (event: string, fields: LogFields = {}) => void logged.push({ event, fields });
  let step: (message: Omit<Incoming, 'source'>) => void | Promise<void> = () => {};
  let accepted = 0;
  const source = await hl7Folder.start(
    {
      name: 'lis',
      profile: intakeOf(given.profile),
      senders: given.senders ?? [],
      clock: systemClock,
      log: { info: write, warn: write, error: write },
      async accept(message, sender = 'lis'): Promise<Accepted> {
        await step(message);
        accepted += 1;
        return await rig.store.accept({ ...message, source: sender });
      },
      pendingBytes: () => 0,
      changed() {},
      dataFolder: join(base, 'store', 'data'),
      archiveKey: () => given.key ?? archiveKey,
    },
    hl7FolderConfig.parse({
      folder: inbox,
      ...(config.after === undefined ? { archive: { folder: archive } } : {}),
      scan_interval_seconds: 0.2,
      min_age_seconds: 0.1,
      ...config,
    }),
  );
  running = source;
  const files = (below = inbox): string[] => {
    try {
      return readdirSync(below, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(below.length + 1))
        .sort();
    } catch {
      return [];
    }
  };
  const messages = () => [...rig.view.inbox(0, 1_000_000)];
  return {
    source,
    base,
    inbox,
    archive,
    put(name, content) {
      mkdirSync(dirname(join(inbox, name)), { recursive: true });
      writeFileSync(join(base, 'part'), typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
      renameSync(join(base, 'part'), join(inbox, name));
    },
    stored: () =>
      messages().map((message) =>
        'raw' in message ? Buffer.from(message.raw.reveal()).toString('latin1') : 'damaged',
      ),
    storedAs: () => messages().map((message) => message.source),
    accepted: () => accepted,
    hinder(next) {
      step = next;
    },
    files,
    archived: async () => {
      const found: Array<[string, string]> = [];
      for (const name of files(archive)) {
        const { what, content, close } = await openArchived(given.key ?? archiveKey, join(archive, name));
        const bytes: Uint8Array[] = [];
        for await (const piece of content) bytes.push(Uint8Array.from(piece));
        await close();
        found.push([what.path, Buffer.concat(bytes).toString('latin1')]);
      }
      return found.sort(([a], [b]) => (a < b ? -1 : 1));
    },
    async settled(count) {
      await until(() => {
        const { takenToday, ignored, held, waiting } = source.status().folder;
        const counts: number[] = [...Object.values(ignored), ...Object.values(held)].map(Number);
        const decided = counts.reduce((sum, n) => sum + n, takenToday);
        return waiting === 0 && decided >= count;
      });
    },
    logged,
  };
}

/** Waits until a condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

export const bytesOf = (path: string): string => readFileSync(path).toString('latin1');
