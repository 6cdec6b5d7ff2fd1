import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../support/clock.ts';
import { codeOf } from '../../support/errors.ts';
import { tidyMemory } from '../../support/memory.ts';
import { drain, type Question, type Reply } from '../../support/thread.ts';
import type { WriteRequest } from './requests.ts';
import { openWriter, type Writer, type WriterOptions } from './writer.ts';

/** The store worker: serves the main thread's port and the mapping worker's, one group commit after the other. */
const { options, ports } = workerData as { options: Omit<WriterOptions, 'clock'>; ports: MessagePort[] };

let writer: Writer;
try {
  writer = openWriter({ ...options, clock: systemClock });
  parentPort?.postMessage({ opened: true, agentId: writer.agentId, state: writer.state() });
  serve(writer);
} catch (error) {
  const where = (error as { where?: string }).where;
  parentPort?.postMessage({ fatal: codeOf(error, 'QUE-4007'), where });
}

function serve(writer: Writer): void {
  const replies = new Map<MessagePort, Reply[]>(ports.map((port) => [port, []]));
  let scheduled = false;

  const take = (port: MessagePort, questions: Question[]) => {
    for (const { id, request } of questions) {
      writer.post(request as WriteRequest, (answer) => {
        replies.get(port)?.push('ok' in answer ? { id, ok: answer.ok } : { id, failed: answer.failed });
      });
    }
  };
  const fail = (error: unknown) => {
    parentPort?.postMessage({ fatal: codeOf(error, 'QUE-4007') });
    // Nothing more is answered: what was not acknowledged is resent by its sender.
    for (const port of ports) port.close();
    clearInterval(housekeeping);
  };
  const turn = () => {
    scheduled = false;
    for (const port of ports) take(port, drain(port));
    let more = false;
    try {
      more = writer.runGroup();
    } catch (error) {
      fail(error);
      return;
    }
    for (const port of ports) {
      const out = replies.get(port);
      if (out && out.length > 0) port.postMessage(out.splice(0));
    }
    tidyMemory();
    if (more) schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  for (const port of ports) {
    port.on('message', (questions: Question[]) => {
      take(port, questions);
      schedule();
    });
  }
  const housekeeping = setInterval(() => {
    try {
      writer.tick();
      parentPort?.postMessage({ state: writer.state() });
    } catch (error) {
      fail(error);
    }
  }, 1000);

  parentPort?.on('message', (message: { close?: boolean }) => {
    if (!message.close) return;
    clearInterval(housekeeping);
    try {
      while (writer.runGroup());
      for (const port of ports) {
        const out = replies.get(port);
        if (out && out.length > 0) port.postMessage(out.splice(0));
      }
      writer.close();
    } finally {
      for (const port of ports) port.close();
      parentPort?.postMessage({ closed: true });
      parentPort?.close();
    }
  });
}
