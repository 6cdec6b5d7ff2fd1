import { resolve } from 'node:path';
import { message } from './messages.ts';
import { isWithin } from './places.ts';
import type { Config } from './schema.ts';
import type { SchemaIssue } from './schema-issues.ts';

/** The folders a source that watches one is configured with, as they are written there. */
export interface SourceFolders {
  folder?: string;
  /** Where it stands: an entry of its own, or one of the entries of `archive`. */
  archive?: { folder: string; path: string[] };
  answers?: string;
}

export function foldersOf(source: Readonly<Record<string, unknown>>): SourceFolders {
  const { folder, archive, answers } = source;
  const inner = (value: unknown) => (value as { folder?: unknown } | undefined)?.folder;
  const [own, sealed, answered] = [archive, inner(archive), inner(answers)];
  return {
    ...(typeof folder === 'string' && { folder }),
    ...(typeof own === 'string' && { archive: { folder: own, path: ['archive'] } }),
    ...(typeof sealed === 'string' && { archive: { folder: sealed, path: ['archive', 'folder'] } }),
    ...(typeof answered === 'string' && { answers: answered }),
  };
}

/**
 * CFG-5003: what sources that watch folders would only find out when they start, or never. Paths are compared as they are
 * written, taken from `base`, the folder of the configuration: a share that does not answer must not keep the check from ending.
 */
export function checkFolders(config: Config, base: string): SchemaIssue[] {
  const watching = config.sources.flatMap((source, at) => {
    const folders = foldersOf(source);
    return folders.folder === undefined ? [] : [{ source, at, folders, watched: resolve(base, folders.folder) }];
  });
  return watching.flatMap(({ source, at, watched, folders: { archive, answers } }): SchemaIssue[] => {
    const others = watching.filter((other) => other.at !== at && other.source.kind === source.kind);
    const rival = others.find(
      (other) =>
        readTheSame(other.source, source) && (isWithin(other.watched, watched) || isWithin(watched, other.watched)),
    );
    /** Of what another source would read where it is put; where two read the same files, that is what is told. */
    const amongFiles = (put: string): SchemaIssue['message'] | undefined => {
      const reads = ({ source: { include }, watched: by }: (typeof others)[number]) =>
        namesIn(include).length === 0 && isWithin(by, resolve(base, put));
      const reader = rival === undefined ? others.find(reads) : undefined;
      return reader && message.putAmongFiles(String(reader.source.name));
    };
    const ofArchive = (folder: string): SchemaIssue['message'] | undefined => {
      if (source.after === 'delete') return message.archiveUnused();
      return isWithin(resolve(base, folder), watched) ? message.archiveAround() : amongFiles(folder);
    };
    const ofAnswers = (folder: string): SchemaIssue['message'] | undefined =>
      resolve(base, folder) === watched ? message.answersAmongFiles() : amongFiles(folder);
    const found: SchemaIssue[] = [];
    const tell = (path: string[], text: SchemaIssue['message'] | undefined) => {
      if (text !== undefined)
        found.push({ code: 'CFG-5003', path: ['sources', at, ...path], atKey: false, message: text });
    };
    if (rival !== undefined && rival.at < at) tell(['folder'], message.folderTaken(String(rival.source.name)));
    if (archive !== undefined) tell(source.after === 'delete' ? ['archive'] : archive.path, ofArchive(archive.folder));
    if (answers !== undefined) tell(['answers', 'folder'], ofAnswers(answers));
    return found;
  });
}

type Source = Config['sources'][number];

/** Names of files, of `include`; empty: all. */
const namesIn = (include: unknown): string[] =>
  Array.isArray(include) ? include.map((name) => String(name).toLowerCase()) : [];

/** Whether two sources are sure to read the same files where they watch the same folder. */
function readTheSame(one: Source, other: Source): boolean {
  const [names, others] = [namesIn(one.include), namesIn(other.include)];
  return names.length === 0 || others.length === 0 || names.some((name) => others.includes(name));
}
