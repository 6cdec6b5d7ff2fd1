import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { WriteRequest, WriteResults } from '../../../agent/store/sqlite/requests.ts';
import { type Answer, openWriter, type Writer, type WriterOptions } from '../../../agent/store/sqlite/writer.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { Question, Reply } from '../../../agent/support/thread.ts';

export interface InProcess {
  writer: Writer;
  /** Commits it before it returns. Rejects with the code the writer refused it with, or with what ended the writer. */
  ask<O extends WriteRequest['op']>(request: Extract<WriteRequest, { op: O }>): Promise<WriteResults[O]>;
  /** A port as the stages have one to the store worker; answers with QUE-4007 once the writer has ended. */
  line(): MessagePort;
  /** What ended the writer; undefined as long as it works. */
  fatal(): unknown;
}

/**
 * Opens the writer of a store on this thread and serves it, one group commit after the other, as the store worker
 * serves it on its own. Throws as `openWriter` does. The disk is never too full for it.
 */
export function openInProcess(
  options: Omit<WriterOptions, 'demo' | 'timeZone' | 'disk'> & { ballastBytes?: number },
): InProcess {
  const { ballastBytes = 4096, ...rest } = options;
  const disk = { mapping: 0, intake: 0, ballastBytes };
  const writer = openWriter({ ...rest, demo: false, timeZone: 'Asia/Shanghai', disk });
  let fatal: unknown;
  const groups = (): void => {
    try {
      while (writer.runGroup());
    } catch (error) {
      fatal = error;
      throw error;
    }
  };
  return {
    writer,
    async ask<O extends WriteRequest['op']>(request: Extract<WriteRequest, { op: O }>) {
      const answers: Answer[] = [];
      writer.post(request, (answer) => answers.push(answer));
      groups();
      const [answer] = answers;
      if (!answer) throw new Error(`${request.op} was not answered`);
      if ('failed' in answer) throw new QianzhiError(answer.failed);
      return answer.ok as WriteResults[O];
    },
    line() {
      const { port1, port2 } = new MessageChannel();
      port2.on('message', (questions: Question[]) => {
        const replies: Reply[] = [];
        for (const { id, request } of questions) {
          writer.post(request as WriteRequest, (answer) => replies.push({ id, ...answer }));
        }
        try {
          groups();
        } catch {
          // Told below, to each who asked.
        }
        port2.postMessage(fatal ? questions.map(({ id }) => ({ id, failed: 'QUE-4007' })) : replies);
      });
      return port1;
    },
    fatal: () => fatal,
  };
}
