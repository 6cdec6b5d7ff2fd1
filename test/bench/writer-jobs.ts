import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeFiles } from '../../agent/store/sqlite/open.ts';
import { openWriter, type Writer } from '../../agent/store/sqlite/writer.ts';
import { systemClock } from '../../agent/support/clock.ts';
import { tidyMemory } from '../../agent/support/memory.ts';
import { makeMessages } from './messages.ts';
import { serveJobs } from './process.ts';

/** Messages given to the product's own writer within one process, without a listener. */
export type WriterJob =
  /** Fills the store of a site's folder up to `count` messages, without syncs, and syncs once at the end. */
  | { do: 'fill'; folder: string; count: number; withinMs: number }
  /** As durable as always: so many group commits of so many messages. */
  | { do: 'commit'; folder: string; commits: number; messages: number };

export interface WriterResult {
  /** In the store after it. */
  rows: number;
  /** Put in by this job. */
  added: number;
  seconds: number;
}

const fillGroup = 256;
const maker = makeMessages(2000);
const take = (count: number) => Array.from({ length: count }, () => maker.next());

/**
 * The writer keeps its connection to itself. Filling a million rows must not take the disk's time, so the
 * connection is noticed as it is opened; what is measured runs with synchronous=FULL as the writer set it.
 */
let opened: DatabaseSync | undefined;
const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (sql.includes('synchronous=FULL')) opened = this;
  exec.call(this, sql);
};

function open(folder: string): { writer: Writer; db: DatabaseSync } {
  opened = undefined;
  const writer = openWriter({
    folder: join(folder, 'data'),
    keyReference: `file:${join(folder, 'keys', 'data.key')}`,
    demo: false,
    sources: ['lis'],
    platforms: [],
    timeZone: 'Asia/Shanghai',
    clock: systemClock,
  });
  if (opened === undefined) throw new Error('the store was opened otherwise than this expects');
  return { writer, db: opened };
}

/** One group commit. */
function put(writer: Writer, messages: ReturnType<typeof take>): void {
  let stored = 0;
  for (const { framed, controlId } of messages) {
    const message = {
      source: 'lis',
      bytes: framed.subarray(1, -2),
      controlId: Buffer.from(controlId),
      receivedMs: Date.now(),
    };
    writer.post({ op: 'accept', message }, (answer) => {
      if ('ok' in answer && (answer.ok as { outcome: string }).outcome === 'stored') stored++;
    });
  }
  writer.runGroup();
  if (stored !== messages.length) throw new Error(`${messages.length} messages given, ${stored} stored`);
}

async function work(job: WriterJob): Promise<WriterResult> {
  const { writer, db } = open(job.folder);
  const before = writer.state().lastSeq;
  const startedMs = performance.now();
  let seconds = 0;
  if (job.do === 'fill') {
    db.exec('PRAGMA synchronous=OFF');
    for (let have = before; have < job.count && performance.now() - startedMs < job.withinMs; ) {
      const next = Math.min(fillGroup, job.count - have);
      put(writer, take(next));
      have += next;
    }
    seconds = (performance.now() - startedMs) / 1000;
  } else {
    for (let done = 0; done < job.commits; done++) {
      const messages = take(job.messages);
      const fromMs = performance.now();
      put(writer, messages);
      tidyMemory();
      seconds += (performance.now() - fromMs) / 1000;
    }
  }
  const rows = writer.state().lastSeq;
  writer.close();
  // What lies in the page cache only would be written in the time of the next measurement.
  if (job.do === 'fill') {
    const file = openSync(join(job.folder, 'data', storeFiles.database), 'r+');
    fsyncSync(file);
    closeSync(file);
  }
  return { rows, added: rows - before, seconds };
}

if (import.meta.main) serveJobs(work);
