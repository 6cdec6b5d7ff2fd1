import { createServer, type Server, type Socket } from 'node:net';
import type { RunningSource, SourceContext, SourceStatus } from '../../../agent/intake/source.ts';
import { type ErrorCode, errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import { allowList, isLoopback, normalAddress } from './addresses.ts';
import type { ListeningConfig } from './config.ts';
import { createSenders, type Senders } from './senders.ts';

/** What distinguishes one kind of listener from another before its first byte. */
export interface ListenerRules {
  /** Of the source, and of its lines in the log. */
  kind: string;
  codes: { portInUse: ErrorCode; notAllowed: ErrorCode; tooMany: ErrorCode };
  mostConnections: number;
  mostPerPeer: number;
  /** How often connections look at their time-outs. */
  tickMs: number;
  /** Problems that belong to a good day: logged, but not as a warning. */
  harmless?: ErrorCode;
}

export interface ServedConnection {
  /** Looks at the time-outs. `passedMs` leaves out time in which we ourselves stood still. */
  tick(passedMs: number): void;
  /** Finishes what is under way, then closes. */
  stop(): void;
  /** Closes now. */
  destroy(): void;
}

/** Serves a new connection. `closed` is to be called when nothing of it is left. */
export type Serve = (socket: Socket, peer: string, closed: () => void) => ServedConnection;

export interface Listener {
  senders: Senders;
  /** Notes a problem of a peer, and logs it where it is new; `said` (SenderStatus) is for the status alone. */
  note(peer: string, code: ErrorCode, count?: number, said?: string): void;
  /** A peer was turned away. */
  refused(): void;
  /** The store took something, or (with its code) could not. */
  stored(failure: ErrorCode | undefined): void;
  stopping(): boolean;
  /** Rejects with CFG-5003 (address not ours, port not permitted) or the code for a port in use. */
  start(serve: Serve): Promise<RunningSource>;
}

const longestTickMs = 250;
/** Often enough for a time-out of this length. */
export const tickFor = (shortestMs: number): number => Math.max(10, Math.min(longestTickMs, shortestMs / 4));

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
 * What all sources share that listen on a TCP port: who may connect and how many at a time, what is known of each
 * sender, regular looks at the time-outs, the status, and an orderly end. Throws CFG-5011 (off loopback without peers).
 */
export function createListener(
  context: Pick<SourceContext, 'name' | 'clock' | 'log' | 'changed'>,
  config: ListeningConfig,
  rules: ListenerRules,
): Listener {
  const { clock, log, name } = context;
  const { kind, codes } = rules;
  const host = config.host === 'localhost' ? '127.0.0.1' : config.host;
  if (!isLoopback(host) && config.peers === undefined) throw new QianzhiError('CFG-5011', `sources.${name}.peers`);
  const allowed = config.peers === undefined ? isLoopback : allowList(config.peers);
  const senders = createSenders(clock);
  /** Undefined while it is being made. */
  const connections = new Set<{ served?: ServedConnection }>();
  let state: SourceStatus['state'] = 'starting';
  let address: string | undefined;
  let problem: SourceStatus['problem'];
  let refusedConnections = 0;
  let unreported = false;
  let stopping = false;
  let allClosed: (() => void) | undefined;

  const note = (peer: string, code: ErrorCode, count = 1, said?: string) => {
    unreported = true;
    if (!senders.problem(peer, code, count, said)) return;
    if (code === rules.harmless) log.info(`${kind} problem`, { source: name, peer, code });
    else log.warn(`${kind} problem`, { source: name, peer, code });
  };

  const take = (socket: Socket, serve: Serve) => {
    const peer = normalAddress(socket.remoteAddress ?? '');
    const refuse = (code: ErrorCode) => {
      refusedConnections += 1;
      note(peer, code);
      socket.on('error', () => {});
      socket.destroy();
    };
    if (peer === '') return void socket.destroy();
    if (!allowed(peer)) return refuse(codes.notAllowed);
    const full = connections.size >= rules.mostConnections;
    if (full || senders.connections(peer) >= rules.mostPerPeer) return refuse(codes.tooMany);
    senders.connected(peer);
    unreported = true;
    const connection: { served?: ServedConnection } = {};
    connections.add(connection);
    connection.served = serve(socket, peer, () => {
      if (!connections.delete(connection)) return;
      senders.disconnected(peer);
      unreported = true;
      if (connections.size === 0) allClosed?.();
    });
  };

  const listenError = (error: unknown): QianzhiError => {
    const errno = errnoOf(error);
    if (errno === 'EADDRINUSE') return new QianzhiError(codes.portInUse, `sources.${name}.port`, { cause: error });
    const key = errno === 'EACCES' ? 'port' : 'host';
    return new QianzhiError('CFG-5003', `sources.${name}.${key}`, { cause: error });
  };

  const startTicking = (): NodeJS.Timeout => {
    let lastTick = clock.monotonic();
    return setInterval(() => {
      const now = clock.monotonic();
      // When we ourselves stood still, bytes may have come that nobody has looked at: that is not the peer's time.
      const passedMs = Math.min(now - lastTick, 2 * rules.tickMs);
      lastTick = now;
      for (const { served } of [...connections]) served?.tick(passedMs);
      if (!unreported) return;
      unreported = false;
      context.changed();
    }, rules.tickMs);
  };

  const stop = async (server: Server, ticker: NodeJS.Timeout, graceMs: number) => {
    stopping = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const { served } of [...connections]) served?.stop();
    if (connections.size > 0) {
      let grace: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        allClosed = resolve;
        grace = setTimeout(resolve, graceMs);
      });
      clearTimeout(grace);
      for (const { served } of [...connections]) served?.destroy();
    }
    await closed;
    clearInterval(ticker);
    state = 'stopped';
    log.info(`${kind} stopped`, { source: name });
    context.changed();
  };

  return {
    senders,
    note,
    refused() {
      refusedConnections += 1;
    },
    stored(failure) {
      unreported = true;
      if (failure === problem?.code) return;
      problem = failure === undefined ? undefined : { code: failure, sinceMs: clock.now() };
      if (failure !== undefined) log.error(`${kind} cannot store`, { source: name, code: failure });
      else log.info(`${kind} stores again`, { source: name });
    },
    stopping: () => stopping,
    async start(serve) {
      // allowHalfOpen: a sender that ends its side right after its last byte still gets its answer (point 10).
      const server = createServer({ allowHalfOpen: true }, (socket) => take(socket, serve));
      try {
        await listen(server, host, config.port);
      } catch (error) {
        throw listenError(error);
      }
      // After listening, an error is about one connection that could not be taken (out of descriptors).
      server.on('error', (error) => log.error(`${kind} accept failed`, { source: name, errno: errnoOf(error) ?? '' }));
      state = 'listening';
      address = boundAddress(server);
      log.info(`${kind} listening`, { source: name });
      context.changed();
      const ticker = startTicking();
      let stopped: Promise<void> | undefined;
      return {
        status: () => ({
          name,
          kind,
          state,
          ...(address === undefined ? {} : { address }),
          ...(problem === undefined ? {} : { problem }),
          senders: senders.list(),
          refusedConnections,
        }),
        stop(graceMs) {
          stopped ??= stop(server, ticker, graceMs);
          return stopped;
        },
      };
    },
  };
}
