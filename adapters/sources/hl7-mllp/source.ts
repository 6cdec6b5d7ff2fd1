import { createServer, type Server, type Socket } from 'node:net';
import type { SourceAdapter, SourceStatus } from '../../../agent/intake/source.ts';
import { type ErrorCode, errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import { createAckIds } from '../../hl7v2/ack.ts';
import type { Profile } from '../../hl7v2/profile/schema.ts';
import { hl7MllpConfig } from './config.ts';
import { type Connection, createConnection } from './connection.ts';
import { createLargeFrames } from './large-frames.ts';
import { allowList, isLoopback, normalAddress } from './peers.ts';
import { createSenders } from './senders.ts';

/** Bytes on their way to the disk, over all sources, above which no listener reads on. */
const mostPendingBytes = 32 * 1024 * 1024;
/** Memory for unfinished large messages of one listener, and what each connection has free. */
const largeFrameBudget = 64 * 1024 * 1024;
const freeFrameBytes = 256 * 1024;
const longestTickMs = 250;

function listenError(error: unknown, name: string): QianzhiError {
  const errno = errnoOf(error);
  if (errno === 'EADDRINUSE') return new QianzhiError('MLLP-2001', `sources.${name}.port`, { cause: error });
  const key = errno === 'EACCES' ? 'port' : 'host';
  return new QianzhiError('CFG-5003', `sources.${name}.${key}`, { cause: error });
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });

const boundAddress = (server: Server): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
};

/**
 * The MLLP listener (reference/hl7v2.md §3.2). An AA is written only after `context.accept` resolved;
 * when it rejects the answer is AE 207 and the listener goes on. Starting rejects with CFG-5011 (off
 * loopback without peers), MLLP-2001 (port in use) or CFG-5003
 * (address not ours, port not permitted).
 */
export const hl7Mllp: SourceAdapter<typeof hl7MllpConfig> = {
  kind: 'hl7-mllp',
  config: hl7MllpConfig,
  async start(context, config) {
    const { clock, log, name } = context;
    const host = config.host === 'localhost' ? '127.0.0.1' : config.host;
    if (!isLoopback(host) && config.peers === undefined) throw new QianzhiError('CFG-5011', `sources.${name}.peers`);
    const rules = (context.profile as Pick<Profile, 'intake'>).intake;
    const allowed = config.peers === undefined ? isLoopback : allowList(config.peers);
    const ackId = createAckIds(clock);
    const senders = createSenders(clock);
    const largeFrames = createLargeFrames(largeFrameBudget, config.max_message_bytes, freeFrameBytes);
    const limits = {
      maxMessageBytes: config.max_message_bytes,
      idleMs: config.idle_timeout_seconds * 1000,
      frameMs: config.frame_timeout_seconds * 1000,
      firstByteMs: config.first_byte_timeout_seconds * 1000,
    };
    const connections = new Set<Connection>();
    let state: SourceStatus['state'] = 'starting';
    let address: string | undefined;
    let problem: SourceStatus['problem'];
    let refusedConnections = 0;
    let unreported = false;
    let allClosed: (() => void) | undefined;

    const note = (peer: string, code: ErrorCode, count = 1) => {
      unreported = true;
      if (!senders.problem(peer, code, count)) return;
      if (code === 'HL7-2103') log.info('hl7-mllp problem', { source: name, peer, code });
      else log.warn('hl7-mllp problem', { source: name, peer, code });
    };
    let somebodyWaits = false;
    const storeIsBehind = () => {
      const behind = context.pendingBytes() > mostPendingBytes;
      somebodyWaits ||= behind;
      return behind;
    };
    const wakeWaiting = () => {
      if (!somebodyWaits || storeIsBehind()) return;
      somebodyWaits = false;
      for (const connection of [...connections]) connection.wake();
    };
    const storeState = (failure: ErrorCode | undefined) => {
      unreported = true;
      if (failure === problem?.code) return;
      problem = failure === undefined ? undefined : { code: failure, sinceMs: clock.now() };
      if (failure !== undefined) log.error('hl7-mllp cannot store', { source: name, code: failure });
      else log.info('hl7-mllp stores again', { source: name });
    };

    const serve = (socket: Socket) => {
      const peer = normalAddress(socket.remoteAddress ?? '');
      const refuse = (code: ErrorCode) => {
        refusedConnections += 1;
        note(peer, code);
        socket.on('error', () => {});
        socket.destroy();
      };
      if (peer === '') return void socket.destroy();
      if (!allowed(peer)) return refuse('MLLP-2002');
      const full = connections.size >= config.max_connections;
      if (full || senders.connections(peer) >= config.max_connections_per_peer) return refuse('MLLP-2007');
      senders.connected(peer);
      unreported = true;
      const connection = createConnection({
        socket,
        peer,
        rules,
        limits,
        largeFrames,
        clock,
        accept: (message) => context.accept(message),
        storeIsBehind,
        ackId,
        notes: {
          problem: (code, count) => note(peer, code, count),
          message: () => senders.message(peer),
          answered: (code) => senders.answered(peer, code),
          stored(failure) {
            storeState(failure);
            wakeWaiting();
          },
          closed() {
            connections.delete(connection);
            senders.disconnected(peer);
            unreported = true;
            if (connections.size === 0) allClosed?.();
          },
        },
      });
      connections.add(connection);
    };

    // allowHalfOpen: a sender that ends its side right after the frame still gets its answer (point 10).
    const server = createServer({ allowHalfOpen: true }, serve);
    try {
      await listen(server, host, config.port);
    } catch (error) {
      throw listenError(error, name);
    }
    // After listening, an error is about one connection that could not be taken (out of descriptors).
    server.on('error', (error) => log.error('hl7-mllp accept failed', { source: name, errno: errnoOf(error) ?? '' }));
    state = 'listening';
    address = boundAddress(server);
    log.info('hl7-mllp listening', { source: name });
    context.changed();

    const shortest = Math.min(limits.frameMs, limits.idleMs, limits.firstByteMs);
    const ticker = setInterval(
      () => {
        for (const connection of [...connections]) connection.tick();
        if (!unreported) return;
        unreported = false;
        context.changed();
      },
      Math.max(10, Math.min(longestTickMs, shortest / 4)),
    );

    let stopped: Promise<void> | undefined;
    const stop = async (graceMs: number) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of [...connections]) connection.stop();
      if (connections.size > 0) {
        let grace: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          allClosed = resolve;
          grace = setTimeout(resolve, graceMs);
        });
        clearTimeout(grace);
        for (const connection of [...connections]) connection.destroy();
      }
      await closed;
      clearInterval(ticker);
      state = 'stopped';
      log.info('hl7-mllp stopped', { source: name });
      context.changed();
    };

    return {
      status: () => ({
        name,
        kind: 'hl7-mllp',
        state,
        ...(address === undefined ? {} : { address }),
        ...(problem === undefined ? {} : { problem }),
        senders: senders.list(),
        refusedConnections,
      }),
      stop(graceMs) {
        stopped ??= stop(graceMs);
        return stopped;
      },
    };
  },
};
