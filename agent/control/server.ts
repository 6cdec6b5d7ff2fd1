import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { codeOf, errnoOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { PIPE_FILE, type Place, socketPlace } from './place.ts';
import { type ControlPath, controlRoutes } from './routes.ts';
import type { StudyDesk } from './study-desk.ts';

const LONGEST_BODY = 16 * 1024;
const MOST_CONNECTIONS = 16;

export interface RunningControl {
  close(): Promise<void>;
}

/**
 * The channel by which commands on this machine have the agent do something: a unix socket that only the agent's own user
 * may open (0600), on Windows a named pipe with a random name. The operating system says who asks, so there is no token to
 * leak, and no web page can reach it. Undefined, with a warning, where it cannot be made: everything else goes on.
 * Call when the store is open: what lies there then is left of an agent that was killed.
 */
export async function startControl(parts: {
  dataFolder: string;
  desk: StudyDesk;
  log: Log;
  platform?: NodeJS.Platform;
}): Promise<RunningControl | undefined> {
  const { dataFolder, desk, log, platform = process.platform } = parts;
  const server = createServer((request, response) => void answer(desk, log, request, response));
  server.maxConnections = MOST_CONNECTIONS;
  let place: Place | undefined;
  try {
    place = platform === 'win32' ? pipePlace(dataFolder) : socketPlace(dataFolder);
    if (platform !== 'win32') clearStale(place.file);
    await listen(server, place.address);
    if (platform !== 'win32') chmodSync(place.file, 0o600);
  } catch (error) {
    place?.release();
    log.warn('control-not-open', { code: 'SYS-6007', errno: errnoOf(error) ?? 'unknown' });
    return undefined;
  }
  const { release } = place;
  server.on('error', (error) => log.error('control-error', { errno: errnoOf(error) ?? 'unknown' }));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          release();
          resolve();
        });
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 500).unref();
      }),
  };
}

function pipePlace(dataFolder: string): Place {
  const file = join(dataFolder, PIPE_FILE);
  const address = `\\\\.\\pipe\\qianzhi-${randomBytes(16).toString('hex')}`;
  writeFileSync(file, address, { mode: 0o600 });
  return { address, file, release: () => rmSync(file, { force: true }) };
}

/** Only a socket goes: what else bears that name is not ours. */
function clearStale(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSocket()) rmSync(file, { force: true });
}

/**
 * The socket is its user's alone from the first moment. The umask is the whole process's: what another thread makes in the
 * meantime must still be of use, so it takes nothing from the user.
 */
function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(0o077);
    try {
      server.listen(address, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

const isRoute = (path: string): path is ControlPath => Object.hasOwn(controlRoutes, path);

async function answer(desk: StudyDesk, log: Log, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const say = (status: number, body: unknown) => {
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(body));
  };
  try {
    const path = request.url ?? '';
    if (request.method !== 'POST' || !isRoute(path)) return say(404, { error: 'not-found' });
    const text = await bodyOf(request).catch(() => null);
    // Whoever asked has gone.
    if (text === null) return;
    if (text === undefined) {
      response.setHeader('Connection', 'close');
      return say(413, { error: 'too-long' });
    }
    const { body, run } = controlRoutes[path] as { body: Checker; run: Runner };
    const asked = body.safeParse(jsonOf(text));
    if (!asked.success) return say(400, { error: 'bad-request' });
    say(200, await run(desk, asked.data));
  } catch (error) {
    const code = codeOf(error, 'SYS-6004');
    // What a person asked for and cannot have is theirs to read; anything else is ours.
    if (!code.startsWith('DCM-228')) log.error('control-failed', { code });
    say(422, { code });
  }
}

interface Checker {
  safeParse(value: unknown): { success: true; data: unknown } | { success: false };
}
type Runner = (desk: StudyDesk, asked: unknown) => Promise<unknown>;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > LONGEST_BODY) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
