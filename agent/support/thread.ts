import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { isSea } from 'node:sea';
import { type MessagePort, receiveMessageOnPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { readAsset } from './assets.ts';
import { type ErrorCode, isErrorCode, QianzhiError } from './errors.ts';

/**
 * Threads and the questions they ask each other. A question is answered exactly once; when the other
 * side is gone every open question fails with SYS-6004.
 */
export interface Question {
  id: number;
  request: unknown;
}
export interface Reply {
  id: number;
  ok?: unknown;
  failed?: ErrorCode;
}

const YOUNG_GENERATION_MB = 4;

/** Where a thread's entry lies: beside this file when bundled (installer/build-agent.ts), else at its place in the sources. */
function entryUrl(entry: string): URL {
  if (import.meta.url.endsWith('.ts')) return new URL(`../../${entry}`, import.meta.url);
  return new URL(`./${basename(entry, '.ts')}.js`, import.meta.url);
}

/**
 * Starts a thread from its entry file, given relative to the repository's root
 * (`agent/store/sqlite/writer-thread.ts`). The builds take every `*-thread.ts` for an entry; the single
 * binary has no files and holds each entry's bundled text (installer/build-binary.ts).
 */
export function startThread(entry: string): Worker {
  const name = basename(entry, '.ts');
  const options: WorkerOptions = {
    name,
    // Almost all of it is garbage at once: a large young generation only makes the process larger.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  };
  if (isSea()) return new Worker(readAsset(`threads/${name}.js`), { ...options, eval: true });
  return new Worker(entryUrl(entry), options);
}

/** Of niceness, beyond the process's own: a quarter of the processor's time beside a thread that wants all of it. */
const STEPS_BACK = 5;

/**
 * The thread that calls this lets the others go first where there are more of them than processors: what
 * a sender waits for comes before what can wait. Linux alone tells the threads of a process apart in this.
 */
export function standBack(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(19, getPriority(thread) + STEPS_BACK));
  } catch {
    // Without /proc, or where it may not be done: it works all the same, only not behind the others.
  }
}

export interface Asker<Request> {
  /** Questions of one turn of the event loop travel together, in order. */
  ask(request: Request, handOver?: ArrayBuffer[]): Promise<unknown>;
  /** Fails all open questions; later ones fail at once. */
  abandon(code: ErrorCode): void;
}

export function askThrough<Request>(port: MessagePort): Asker<Request> {
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let outgoing: Question[] = [];
  let handed: ArrayBuffer[] = [];
  let next = 1;
  let gone: ErrorCode | undefined;
  port.on('message', (replies: Reply[]) => {
    for (const reply of replies) {
      const waiting = open.get(reply.id);
      open.delete(reply.id);
      if (reply.failed !== undefined) {
        waiting?.reject(new QianzhiError(isErrorCode(reply.failed) ? reply.failed : 'SYS-6004'));
      } else waiting?.resolve(reply.ok);
    }
  });
  return {
    ask(request, handOver = []) {
      if (gone) return Promise.reject(new QianzhiError(gone));
      return new Promise((resolve, reject) => {
        const id = next++;
        open.set(id, { resolve, reject });
        outgoing.push({ id, request });
        handed.push(...handOver);
        if (outgoing.length === 1) {
          // After all sockets that are readable now: each message between threads costs both some 20 µs.
          setImmediate(() => {
            port.postMessage(outgoing, handed);
            outgoing = [];
            handed = [];
          });
        }
      });
    },
    abandon(code) {
      gone = code;
      for (const waiting of open.values()) waiting.reject(new QianzhiError(code));
      open.clear();
    },
  };
}

/** Everything that waits on a port now, without returning to the event loop. */
export function drain(port: MessagePort): Question[] {
  const all: Question[] = [];
  for (;;) {
    const got = receiveMessageOnPort(port) as { message: Question[] } | undefined;
    if (!got) return all;
    all.push(...got.message);
  }
}
