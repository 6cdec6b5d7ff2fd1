import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { Identity } from './identity.ts';
import type { Decision } from './key-table.ts';
import type { BytePath, IgnoredName } from './paths.ts';
import type { PutAway } from './put-away.ts';
import type { Turns } from './turns.ts';

/** Why something in a folder is passed over; nothing is wrong with it. */
export type IgnoredReason = string;
export type IgnoredEntry = IgnoredName | 'link' | 'special';

/** What was durably taken, as the figures of a folder count it. */
export type TakenOutcome = 'stored' | 'duplicate' | 'conflict';

/** What became of the look at one file. */
export type Taking =
  /** What the file says is durable in the store. */
  | { kind: 'taken'; outcome: TakenOutcome }
  | { kind: 'ignored'; reason: IgnoredReason }
  /** What the file says can never be taken; nothing but other content helps. */
  | { kind: 'held'; code: ErrorCode }
  /** Not whole, or its structure cannot be followed: perhaps it will be. Held with the code after a while. */
  | { kind: 'incomplete'; code: ErrorCode }
  /** It has other content than at the last look: `identity` is that of now. */
  | { kind: 'changed'; identity: Identity }
  /** It cannot be taken now and may be at any time, without a trace in the file itself: never remembered for longer; tried at growing pauses, or at equal ones of `everyMs`. */
  | { kind: 'unreadable'; code: ErrorCode; everyMs?: number }
  | { kind: 'gone' }
  /** The intake does not take it, or anything, now. */
  | { kind: 'refused'; code: ErrorCode };

/** What is wrong with a folder, in the codes of its kind of source. */
export interface FolderCodes {
  /** The folder itself cannot be read. */
  lost: ErrorCode;
  /** Something in it cannot be read. */
  unreadable: ErrorCode;
  /** A file that was taken cannot be moved or deleted. */
  notPutAway: ErrorCode;
  /** The archive is missing, or is the folder or around it. */
  archive: ErrorCode;
  /** What is remembered of files cannot be written. */
  notRemembered: ErrorCode;
  /** More files than can be remembered. */
  tooMany: ErrorCode;
  /** A file that is not finished yet, or whose writer lets nobody else open it. */
  unfinished: ErrorCode;
}

/** What a decision that was remembered says. */
export type Meaning =
  | { kind: 'taken' }
  | { kind: 'ignored'; reason: IgnoredReason }
  | { kind: 'held'; code: ErrorCode };

/** Decisions about a content as `seen.ts` keeps them; the numbers stand in files and never change their meaning. */
export interface Decisions {
  ignored(reason: IgnoredReason): Decision;
  held(code: ErrorCode): Decision;
  /** undefined for what another version of the agent decided: the file is read again. */
  meaningOf(decision: Decision): Meaning | undefined;
}

/** What one kind of source knows of its files; all else about a folder is the same for all kinds. */
export interface FileKind {
  codes: FolderCodes;
  decisions: Decisions;
  /**
   * Names the rules by which files are held: a file is held only under the rules it was looked at with, and read again under
   * others.
   */
  rules?: string;
  /** Files are taken one after the other, the oldest first, and one that the intake refuses keeps its place for a while. */
  inOrder?: boolean;
  /** Part of the file was taken before: in order it comes before those that are new. */
  begun?(path: BytePath, identity: Identity): boolean;
  /** Where the intake recognises only what it stored last: what may be stored comes first after a crash. Needs `inOrder`. */
  turns?: Turns;
  /** A decision is written down before the file is put away: a file met again after a crash is not read again. */
  rememberFirst?: boolean;
  /** Names that are passed over beside those no kind looks at. */
  ignoredName?(path: BytePath): IgnoredReason | undefined;
  /**
   * Looks at one file and takes it if it can be. `piece` is a buffer of `pieceBytes` that nobody else uses meanwhile.
   * Never rejects: whatever is wrong with the file is the answer (invariant 11).
   */
  take(path: BytePath, identity: Identity, piece: Uint8Array): Promise<Taking>;
  /** Moves or deletes a file that was taken; undefined where files stay. Rejects when it cannot be done now. */
  putAway?(path: BytePath, identity: Identity): Promise<PutAway>;
  /** What was decided until now is written down. */
  remembered?(): void;
}
