import { lstat, rm } from 'node:fs/promises';
import { createFolder, type Folder, type FolderOptions } from '../watching/folder.ts';
import { type Identity, identityOf, sameIdentity } from '../watching/identity.ts';
import { type BytePath, nameOf, pathIn, placeIn, unsetAside } from '../watching/paths.ts';
import { type PutAway, putAway } from '../watching/put-away.ts';
import type { FileKind, Taking } from '../watching/taking.ts';
import type { Turns } from '../watching/turns.ts';
import { archiveSealed } from './archiving.ts';
import { hl7Decisions, hl7FolderCodes } from './codes.ts';
import { markersOf, type TakeParts, takeFile } from './take.ts';

/** What becomes of files that were taken; folders absolute. */
export type After =
  | { kind: 'seal'; folder: string; source: string; key: Uint8Array }
  | { kind: 'move'; folder: string }
  | { kind: 'delete' }
  | { kind: 'leave' };

export interface Hl7FolderOptions
  extends Omit<FolderOptions, 'files' | 'excluded' | 'concurrency'>,
    Omit<TakeParts, 'markKeyOf' | 'stopping' | 'remembered'> {
  after: After;
  turns: Turns;
  /** Patterns of names that are read; empty: all. */
  include: readonly string[];
  /** A short name of everything by which files are judged; another after each change of it. */
  judgedBy: string;
}

/** Files that are sealed, moved or deleted at the same time; they are taken one after the other. */
const concurrency = 4;

/** A watched folder whose files hold HL7 messages. */
export function createHl7Folder(options: Hl7FolderOptions): Folder {
  const { root, after, seen, clock, progress } = options;
  const keyOf = (path: BytePath, identity: Identity) => seen.keyOf(unsetAside(path), identity);
  const markKeyOf = (path: BytePath) => seen.keyOf(unsetAside(path), { size: 0, mtimeNs: 0n, ino: 0n });
  let stopping = false;
  const parts: TakeParts = { ...options, markKeyOf, stopping: () => stopping, remembered: () => seen.flush() };
  const own = [options.answers?.folder, 'folder' in after ? after.folder : undefined];
  const excluded = own.flatMap((folder) => (folder === undefined ? [] : (placeIn(root, folder) ?? [])));

  let before: Promise<unknown> = Promise.resolve();
  let inLine = 0;
  let refused: Taking | undefined;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = before.then(work);
    before = turn.catch(() => {});
    return turn;
  };
  const putAwayOf = (): NonNullable<FileKind['putAway']> | undefined => {
    switch (after.kind) {
      case 'leave':
        return undefined;
      case 'delete':
        return (path, identity) => putAway(root, path, identity, undefined);
      case 'move':
        return (path, identity) => putAway(root, path, identity, after.folder);
      case 'seal':
        return (path, identity) => archiveSealed({ ...after, root, keyOf, clock }, path, identity);
    }
  };
  const away = putAwayOf();
  const withMarkers = async (path: BytePath, identity: Identity): Promise<PutAway> => {
    // Before the name is free for the sender's next file, or the marker of that one might go with it.
    if (options.marker !== undefined && path === unsetAside(path) && (await isStill(root, path, identity)))
      for (const marker of markersOf(path, options.marker)) await rm(pathIn(root, marker), { force: true });
    const outcome = (await away?.(path, identity)) ?? 'done';
    if (outcome === 'done') progress.done(markKeyOf(path));
    return outcome;
  };

  const folder = createFolder({
    ...options,
    concurrency,
    excluded,
    files: {
      codes: hl7FolderCodes,
      decisions: hl7Decisions,
      rules: options.judgedBy,
      inOrder: true,
      begun: (path) => progress.of(markKeyOf(path))?.whole === false,
      turns: options.turns,
      rememberFirst: true,
      ignoredName: passedOver(options),
      take(path, identity, piece) {
        inLine += 1;
        return inTurn(async () => {
          // Those that stood in line behind one that was refused do not overtake it.
          try {
            const taking = refused ?? (await takeFile(parts, path, identity, piece));
            if (taking.kind === 'refused') refused = taking;
            return taking;
          } finally {
            inLine -= 1;
            if (inLine === 0) refused = undefined;
          }
        });
      },
      ...(away === undefined ? {} : { putAway: withMarkers }),
      remembered: progress.settled,
    },
  });
  return {
    ...folder,
    stop() {
      stopping = true;
      folder.stop();
    },
  };
}

/** A marker that came with another file of the same name is that file's. */
const isStill = (root: string, path: BytePath, taken: Identity): Promise<boolean> =>
  lstat(pathIn(root, path), { bigint: true }).then(
    (stats) => sameIdentity(identityOf(stats), taken),
    () => false,
  );

/** Names of files that are none of messages: markers, our own answers, and what the configuration does not name. */
function passedOver(options: Hl7FolderOptions): (path: BytePath) => string | undefined {
  const { include, marker, answers, root } = options;
  const wanted = include.map(patternOf);
  // One character a byte, as names are.
  const suffixOf = (text: string | undefined) => text && Buffer.from(text).toString('latin1').toLowerCase();
  const markerSuffix = suffixOf(marker);
  const answersAreHere = answers !== undefined && placeIn(root, answers.folder) === '';
  const answerSuffix = answersAreHere ? suffixOf(answers.suffix) : undefined;
  return (path) => {
    // One that was set aside was wanted before, and may have lost the end of a long name.
    if (path !== unsetAside(path)) return undefined;
    const name = nameOf(path).toLowerCase();
    if (markerSuffix && name.endsWith(markerSuffix)) return 'marker';
    if (answerSuffix && name.endsWith(answerSuffix)) return 'answer';
    return wanted.length === 0 || wanted.some((pattern) => pattern.test(name)) ? undefined : 'not-included';
  };
}

function patternOf(pattern: string): RegExp {
  const bytes = Buffer.from(pattern).toString('latin1').toLowerCase();
  const escaped = bytes.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`);
}
