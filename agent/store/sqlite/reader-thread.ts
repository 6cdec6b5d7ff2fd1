import { type MessagePort, workerData } from 'node:worker_threads';
import { codeOf } from '../../support/errors.ts';
import { tidyMemory } from '../../support/memory.ts';
import type { Question, Reply } from '../../support/thread.ts';
import { openForReading } from './open.ts';
import { openReader, type ReaderOptions, type ReadRequest } from './reader.ts';

/** The reader worker: a read-only connection, one question after the other. */
const { folder, keyReference, options, port } = workerData as {
  folder: string;
  keyReference: string;
  options: ReaderOptions;
  port: MessagePort;
};
const { db, vault } = openForReading(folder, keyReference);
const reader = openReader(db, vault, options);

const answer = (request: ReadRequest): unknown => {
  switch (request.op) {
    case 'documents':
      return reader.documents(request.numbers);
    case 'figures':
      return reader.figures(request.nowMs, request.freeBytes, request.mode);
    case 'messages':
      return reader.messages(request.limit, request.before);
    case 'problems':
      return reader.problems(request.limit);
  }
};

const documentBuffer = (row: unknown): ArrayBuffer[] => {
  const bytes = (row as Partial<{ bytes: unknown }> | null)?.bytes;
  return bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
};

port.on('message', (questions: Question[]) => {
  const replies: Reply[] = questions.map(({ id, request }) => {
    try {
      return { id, ok: answer(request as ReadRequest) };
    } catch (error) {
      return { id, failed: codeOf(error, 'QUE-4003') };
    }
  });
  // Documents are handed over, not copied.
  const handed = replies.flatMap(({ ok }) => (Array.isArray(ok) ? ok.flatMap((d) => documentBuffer(d)) : []));
  port.postMessage(replies, handed);
  tidyMemory();
});
port.on('close', () => db.close());
