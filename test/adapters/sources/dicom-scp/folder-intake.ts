import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceAccepted, InstanceIntake, InstanceOrigin } from '../../../../agent/intake/instance.ts';
import { type ErrorCode, QianzhiError } from '../../../../agent/support/errors.ts';

export interface Kept {
  file: string;
  origin: InstanceOrigin;
  /** Bytes of the dataset; it begins in the file behind the preamble. */
  bytes: number;
}

export type Step = 'begin' | 'write' | 'commit';

/** An intake that keeps each instance in a file of a folder, synced, and can be told to refuse. */
export interface FolderIntake extends InstanceIntake {
  kept: Kept[];
  /** Instances that were begun and neither committed nor discarded. */
  open(): number;
  discarded(): number;
  /** Fails with the code at a step until told otherwise. */
  refuse(code: ErrorCode | undefined, at?: Step): void;
  /** What a commit finds out from now on; default `stored`. */
  findsOut(outcome: InstanceAccepted['outcome']): void;
  /** Called before each step is done; what it gives is waited for. */
  before(hook: (step: Step) => Promise<void> | void): void;
}

export function folderIntake(folder: string, options: { sync?: boolean } = {}): FolderIntake {
  const kept: Kept[] = [];
  let begun = 0;
  let finished = 0;
  let discarded = 0;
  let refusal: { code: ErrorCode; at: Step } | undefined;
  let outcome: InstanceAccepted['outcome'] = 'stored';
  let hook: (step: Step) => Promise<void> | void = () => {};
  const reach = async (step: Step) => {
    await hook(step);
    if (refusal?.at === step) throw new QianzhiError(refusal.code);
  };
  return {
    kept,
    open: () => begun - finished,
    discarded: () => discarded,
    refuse: (code, at = 'begin') => {
      refusal = code === undefined ? undefined : { code, at };
    },
    findsOut: (next) => {
      outcome = next;
    },
    before: (next) => {
      hook = next;
    },
    async begin(origin) {
      await reach('begin');
      const part = join(folder, `${begun++}.part`);
      const handle: FileHandle = await open(part, 'wx');
      await handle.write(origin.preamble);
      let bytes = 0;
      let writing = false;
      let done = false;
      return {
        async write(piece) {
          if (done || writing) throw new Error(done ? 'written after its end' : 'two writes at once');
          writing = true;
          await reach('write');
          await handle.write(piece);
          bytes += piece.length;
          writing = false;
        },
        async commit() {
          if (done || writing) throw new Error('committed twice or while writing');
          await reach('commit');
          if (options.sync !== false) await handle.datasync();
          await handle.close();
          const file = part.replace(/part$/, 'dcm');
          await rename(part, file);
          done = true;
          finished += 1;
          kept.push({ file, origin, bytes });
          return { n: kept.length, outcome };
        },
        async discard() {
          if (done) return;
          done = true;
          finished += 1;
          discarded += 1;
          await handle.close();
          await rm(part);
        },
      };
    },
  };
}
