import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { errnoOf, isErrorCode, QianzhiError } from '../support/errors.ts';
import { PIPE_FILE, type Place, socketPlace } from './place.ts';
import type { ControlAnswer, ControlBody, ControlPath } from './routes.ts';

/** A study of many thousand images is withdrawn in seconds; whoever waits longer asks an agent that hangs. */
const PATIENCE_MS = 120_000;

/** No agent runs with that data folder. */
export class NotRunning extends Error {
  override name = 'NotRunning';
}

/** The agent was asked and its answer did not come: what was asked for may have been done. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
}

export type AskControl = <P extends ControlPath>(path: P, body: ControlBody<P>) => Promise<ControlAnswer<P>>;

/**
 * Asks the agent that runs with a data folder. Rejects with NotRunning, with NoAnswer, with SYS-6008 where this user may not, or with the
 * code the agent answered.
 */
export const controlOf =
  (dataFolder: string): AskControl =>
  async (path, body) => {
    let place: Place | undefined;
    try {
      place = process.platform === 'win32' ? pipePlace(dataFolder) : socketPlace(dataFolder);
      const { status, text } = await post(place.address, path, JSON.stringify(body));
      const said = JSON.parse(text) as unknown;
      if (status === 200) return said as ControlAnswer<typeof path>;
      const { code } = said as { code?: unknown };
      throw new QianzhiError(typeof code === 'string' && isErrorCode(code) ? code : 'SYS-6004');
    } catch (error) {
      throw asOurs(error);
    } finally {
      place?.release();
    }
  };

function asOurs(error: unknown): unknown {
  const errno = errnoOf(error);
  if (error instanceof QianzhiError || errno === undefined) return error;
  if (errno === 'EACCES' || errno === 'EPERM') return new QianzhiError('SYS-6008', undefined, { cause: error });
  return new NotRunning();
}

function pipePlace(dataFolder: string): Place {
  const file = join(dataFolder, PIPE_FILE);
  return { address: readFileSync(file, 'utf8').trim(), file, release() {} };
}

function post(socketPath: string, path: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const failed = (error: Error) => reject(connected ? new NoAnswer(undefined, { cause: error }) : error);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const asking = request(
      { socketPath, path, method: 'POST', headers, timeout: PATIENCE_MS, agent: false },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
        );
        answer.on('error', failed);
      },
    );
    asking.on('socket', (socket) =>
      socket.once('connect', () => {
        connected = true;
      }),
    );
    asking.on('timeout', () => asking.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    asking.on('error', failed);
    asking.end(body);
  });
}
