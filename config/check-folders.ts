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
 * CFG-5003: what a source that watches a folder would only find out when it starts, or never. Paths are compared as they are
 * written, taken from `base`, the folder of the configuration: a share that does not answer must not keep the check from ending.
 */
export function checkFolders(config: Config, base: string): SchemaIssue[] {
  return config.sources.flatMap((source, s): SchemaIssue[] => {
    const { folder, archive, answers } = foldersOf(source);
    if (folder === undefined) return [];
    const watched = resolve(base, folder);
    const found: SchemaIssue[] = [];
    const wrong = (path: string[], text: SchemaIssue['message']) =>
      found.push({ code: 'CFG-5003', path: ['sources', s, ...path], atKey: false, message: text });
    if (archive !== undefined && source.after === 'delete') wrong(['archive'], message.archiveUnused());
    else if (archive !== undefined && isWithin(resolve(base, archive.folder), watched)) {
      wrong(archive.path, message.archiveAround());
    }
    if (answers !== undefined && resolve(base, answers) === watched) {
      wrong(['answers', 'folder'], message.answersAmongFiles());
    }
    return found;
  });
}
