import { type MessagePort, parentPort } from 'node:worker_threads';
import { systemClock } from '../../support/clock.ts';
import { codeOf } from '../../support/errors.ts';
import { tidyMemory } from '../../support/memory.ts';
import { drain, type Question, type Reply } from '../../support/thread.ts';
import { giveRequestBack, type WriteRequest } from './requests.ts';
import { openWriter, type Writer, type WriterOptions } from './writer.ts';

/** What the store worker waits for before it touches anything. */
export interface OpenStore {
  open: { options: Omit<WriterOptions, 'clock'>; ports: MessagePort[] };
}

/**
 * The store worker: serves the main thread's port and the mapping worker's, one group commit after the other.
 * @param parent whoever opens, closes and is told of it: the thread that started this one.
 */
export function serveStore(parent: MessagePort): void {
  parent.once('message', ({ open }: OpenStore) => {
    try {
      const writer = openWriter({ ...open.options, clock: systemClock });
      parent.postMessage({ opened: true, agentId: writer.agentId, state: writer.state() });
      serve(writer, open.ports, parent);
    } catch (error) {
      const where = (error as { where?: string }).where;
      parent.postMessage({ fatal: codeOf(error, 'QUE-4007'), where });
    }
  });
}
if (parentPort) serveStore(parentPort);

function serve(writer: Writer, ports: MessagePort[], parent: MessagePort): void {
  const replies = new Map<MessagePort, Reply[]>(ports.map((port) => [port, []]));
  let scheduled = false;
  let closing = false;

  const take = (port: MessagePort, questions: Question[]) => {
    for (const { id, request } of questions as Array<Question & { request: WriteRequest }>) {
      writer.post(request, (answer) => {
        giveRequestBack(request);
        replies.get(port)?.push('ok' in answer ? { id, ok: answer.ok } : { id, failed: answer.failed });
      });
    }
  };
  const fail = (error: unknown) => {
    parent.postMessage({ fatal: codeOf(error, 'QUE-4007') });
    // Nothing more is answered: what was not acknowledged is resent by its sender.
    for (const port of ports) port.close();
    clearInterval(housekeeping);
  };
  const turn = () => {
    scheduled = false;
    if (closing) return;
    for (const port of ports) take(port, drain(port));
    let more = false;
    try {
      more = writer.runGroup() || writer.idle();
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
      parent.postMessage({ state: writer.state() });
      schedule();
    } catch (error) {
      fail(error);
    }
  }, 1000);

  schedule();

  parent.on('message', (message: { close?: boolean }) => {
    if (!message.close) return;
    closing = true;
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
      parent.postMessage({ closed: true });
      parent.close();
    }
  });
}
