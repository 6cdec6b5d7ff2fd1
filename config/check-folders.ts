import { relative, resolve, sep } from 'node:path';
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
  const watching = config.sources.flatMap((source, at): Watching[] => {
    const folders = foldersOf(source);
    if (folders.folder === undefined) return [];
    const own = [folders.archive?.folder, folders.answers].filter((folder) => folder !== undefined);
    const watched = resolve(base, folders.folder);
    return [{ source, at, folders, watched, excluded: own.map((folder) => resolve(base, folder)) }];
  });
  return watching.flatMap((one): SchemaIssue[] => {
    const { source, at, watched, folders } = one;
    const others = watching.filter((other) => other.at !== at && other.source.kind === source.kind);
    const rival = others.find(
      (other) => readTheSame(other.source, source) && (enters(other, watched) || enters(one, other.watched)),
    );
    /** Of what another source would read where it is put; where two read the same files, that is what is told. */
    const amongFiles = (put: string, reads: (other: Source) => boolean): SchemaIssue['message'] | undefined => {
      if (rival !== undefined) return undefined;
      const reader = others.find((other) => enters(other, resolve(base, put)) && reads(other.source));
      return reader && message.putAmongFiles(String(reader.source.name));
    };
    const ofArchive = (folder: string): SchemaIssue['message'] | undefined => {
      if (source.after === 'delete') return message.archiveUnused();
      if (isWithin(resolve(base, folder), watched)) return message.archiveAround();
      // Sealed files have names of ours; others keep theirs.
      const keepsNames = (source.archive as { plain?: unknown }).plain !== undefined;
      return amongFiles(folder, (other) => readsAll(other) || (keepsNames && readTheSame(other, source)));
    };
    const ofAnswers = (folder: string): SchemaIssue['message'] | undefined =>
      resolve(base, folder) === watched ? message.answersAmongFiles() : amongFiles(folder, readsAll);
    const found: SchemaIssue[] = [];
    const tell = (path: string[], text: SchemaIssue['message'] | undefined) => {
      if (text !== undefined)
        found.push({ code: 'CFG-5003', path: ['sources', at, ...path], atKey: false, message: text });
    };
    const { archive, answers } = folders;
    if (rival !== undefined && rival.at < at) tell(['folder'], message.folderTaken(String(rival.source.name)));
    if (archive !== undefined) tell(source.after === 'delete' ? ['archive'] : archive.path, ofArchive(archive.folder));
    if (answers !== undefined) tell(['answers', 'folder'], ofAnswers(answers));
    return found;
  });
}

type Source = Config['sources'][number];
interface Watching {
  source: Source;
  /** Its place among the sources. */
  at: number;
  folders: SourceFolders;
  watched: string;
  /** Its own archive and answers: where they lie in its folder it does not look there. */
  excluded: string[];
}

/** Whether a source looks for files there: not in hidden folders. */
const enters = ({ watched, excluded }: Watching, folder: string): boolean =>
  isWithin(watched, folder) &&
  !excluded.some((own) => isWithin(own, folder)) &&
  !relative(watched, folder)
    .split(sep)
    .some((name) => name.startsWith('.'));

/** Names of files, of `include`; empty: all. */
const namesOf = ({ include }: Source): string[] => {
  const names = Array.isArray(include) ? include.map((name) => String(name).toLowerCase()) : [];
  return names.includes('*') ? [] : names;
};
const readsAll = (source: Source): boolean => namesOf(source).length === 0;

/** Whether two sources read the same files where they watch the same folder, as far as it can be told. */
function readTheSame(one: Source, other: Source): boolean {
  // Where whole files are marked, another mark tells them apart.
  if (one.marker !== undefined && other.marker !== undefined && one.marker !== other.marker) return false;
  return readsAll(one) || readsAll(other) || namesOf(one).some((name) => namesOf(other).includes(name));
}
