import { randomBytes } from 'node:crypto';
import { type FileHandle, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { errnoOf } from '../../../agent/support/errors.ts';
import { buildAck } from '../../hl7v2/ack.ts';
import { ackProfiles, answersTo } from '../../hl7v2/ack-profiles.ts';
import { isTaken, type Outcome } from '../../hl7v2/answer.ts';
import { batchHeader, batchTrailer } from '../../hl7v2/batch.ts';
import { frame } from '../../hl7v2/framing.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import type { Msh } from '../../hl7v2/msh.ts';
import type { TakenApart } from '../../hl7v2/take-apart.ts';
import { asidePrefix, type BytePath, folderOf, joinPath, nameOf, pathIn } from '../watching/paths.ts';
import { numberedName } from '../watching/put-away.ts';

/** What is to be said about one message, and by which rules. */
export interface Said {
  msh: Msh | undefined;
  outcome: Outcome;
  rules: IntakeRules;
}

/** The file of acknowledgements of one file. It gets its name when all of it is written. */
export interface AnswerFile {
  say(said: Said, envelope: TakenApart['envelope']): Promise<void>;
  /** What was said until here belongs together: a frame, or a file without frames. */
  endOfPayload(): Promise<void>;
  /** Gives the file its name, durable; where there was nothing to say there is no file. Rejects with the system's error. */
  finish(): Promise<void>;
  discard(): Promise<void>;
}

export interface AnswerParts {
  /** Absolute. */
  folder: string;
  suffix: string;
  /** The rules of the folder itself, by which several messages are answered. */
  rules: IntakeRules;
  ackId(): string;
  now(): number;
}

/** Answers wait for so many bytes before they are written. */
const atOnce = 64 * 1024;
const mostOfOneName = 1000;
const longestName = 255;

/**
 * Answers to the file at `path`, below the answer folder in the same tree: the acknowledgements as over MLLP, in the sender's
 * delimiters and charset, in frames where the file came in frames. Never held whole: a file may have a million messages.
 */
export function answerFile(parts: AnswerParts, path: BytePath, framed: boolean): AnswerFile {
  const { folder, rules, ackId, now } = parts;
  const partial = pathIn(folder, joinPath(folderOf(path), `${asidePrefix}${randomBytes(6).toString('hex')}.part`));
  let file: FileHandle | undefined;
  let unwritten: Uint8Array[] = [];
  let unwrittenBytes = 0;
  /** Of the payload: the batch that is being answered, and the acknowledgements in it. */
  let batch: { envelope: NonNullable<TakenApart['envelope']>; count: number } | undefined;
  let first: Said | undefined;
  let firstRefused: Said | undefined;
  /** Said of what stands outside of messages: told only where there is no message. */
  let outside: Said | undefined;

  const flush = async () => {
    if (unwrittenBytes === 0) return;
    if (file === undefined) {
      await mkdir(pathIn(folder, folderOf(path)), { recursive: true });
      file = await open(partial, 'wx');
    }
    await file.writeFile(Buffer.concat(unwritten));
    unwritten = [];
    unwrittenBytes = 0;
  };
  const write = async (bytes: Uint8Array) => {
    const written = framed && rules.answer_framing === 'mllp' && batch === undefined ? frame(bytes) : bytes;
    unwritten.push(written);
    unwrittenBytes += written.length;
    if (unwrittenBytes >= atOnce) await flush();
  };
  const answersOf = ({ msh, outcome, rules: theirs }: Said): Uint8Array[] => {
    const profile = ackProfiles[theirs.ack];
    return answersTo(profile, msh, outcome).map((answer) => buildAck(msh, answer, ackId(), now(), profile));
  };
  const open_ = async (envelope: NonNullable<TakenApart['envelope']>) => {
    if (batch !== undefined) return batch;
    batch = { envelope, count: 0 };
    await write(framed && rules.answer_framing === 'mllp' ? Buffer.of(0x0b) : new Uint8Array(0));
    await write(batchHeader(envelope, ackId(), now()));
    return batch;
  };

  return {
    async say(said, envelope) {
      if (said.msh === undefined && envelope === undefined) {
        outside ??= said;
        return;
      }
      if (envelope !== undefined) {
        for (const answer of answersOf(said)) {
          const { count } = await open_(envelope);
          await write(answer);
          batch = { envelope, count: count + 1 };
        }
        return;
      }
      first ??= said;
      if (!isTaken(said.outcome)) firstRefused ??= said;
      if (rules.several_messages === 'each') for (const answer of answersOf(said)) await write(answer);
    },
    async endOfPayload() {
      if (batch !== undefined) {
        await write(batchTrailer(batch.envelope, batch.count));
        if (framed && rules.answer_framing === 'mllp') await write(Buffer.of(0x1c, 0x0d));
      } else if (first === undefined && outside !== undefined) {
        for (const answer of answersOf(outside)) await write(answer);
      } else if (first !== undefined && rules.several_messages === 'first') {
        const outcome = (firstRefused ?? first).outcome;
        for (const answer of answersOf({ ...first, outcome })) await write(answer);
      }
      batch = first = firstRefused = outside = undefined;
    },
    async finish() {
      await flush();
      if (file === undefined) return;
      await file.datasync();
      await file.close();
      file = undefined;
      await nameIt(folder, partial, joinPath(folderOf(path), answerName(nameOf(path), parts.suffix)));
    },
    async discard() {
      await file?.close().catch(() => {});
      file = undefined;
      await rm(partial, { force: true }).catch(() => {});
    },
  };
}

/** `X.hl7.ack`, and no longer than a name may be: a file is not to stand for ever because its own is that long. */
const answerName = (name: BytePath, suffix: string): BytePath => name.slice(0, longestName - suffix.length) + suffix;

/** Renames to a name that is free: an answer that nobody has fetched yet is not overwritten. */
async function nameIt(folder: string, partial: Buffer | string, wanted: BytePath): Promise<void> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? nameOf(wanted) : numberedName(nameOf(wanted), number);
    const target = pathIn(folder, joinPath(folderOf(wanted), name));
    try {
      await link(partial, target);
      return await rm(partial, { force: true });
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EEXIST') {
        if (number > mostOfOneName) throw error;
        continue;
      }
      if (errno === 'ENOENT' || errno === 'ENOSPC' || errno === 'EACCES') throw error;
    }
    // Some shares have no links; then a look before the renaming has to do.
    const there = await lstat(target).then(
      () => true,
      () => false,
    );
    if (!there) return await rename(partial, target);
    if (number > mostOfOneName) throw new Error('no free name');
  }
}
