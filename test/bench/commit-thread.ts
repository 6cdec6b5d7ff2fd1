import { parentPort } from 'node:worker_threads';
import type { WriteRequest } from '../../agent/store/sqlite/requests.ts';
import { openWriter } from '../../agent/store/sqlite/writer.ts';
import type { OpenStore } from '../../agent/store/sqlite/writer-thread.ts';
import { systemClock } from '../../agent/support/clock.ts';
import { tidyMemory } from '../../agent/support/memory.ts';
import type { Question } from '../../agent/support/thread.ts';

/**
 * The store worker without group commit, as a measure of what that brings: the same writer, but each message
 * is a group, a commit and a sync of its own, and answered before the next begins.
 */
parentPort?.once('message', ({ open }: OpenStore) => {
  const writer = openWriter({ ...open.options, clock: systemClock });
  parentPort?.postMessage({ opened: true, agentId: writer.agentId, state: writer.state() });
  for (const port of open.ports) {
    port.on('message', (questions: Question[]) => {
      for (const { id, request } of questions) {
        writer.post(request as WriteRequest, (answer) => port.postMessage([{ id, ...answer }]));
        writer.runGroup();
      }
      tidyMemory();
    });
  }
  const housekeeping = setInterval(() => {
    writer.tick();
    parentPort?.postMessage({ state: writer.state() });
  }, 1000);
  parentPort?.on('message', () => {
    clearInterval(housekeeping);
    writer.close();
    for (const port of open.ports) port.close();
    parentPort?.close();
  });
});
