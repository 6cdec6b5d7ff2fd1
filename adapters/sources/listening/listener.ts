import { createServer, type Server, type Socket } from 'node:net';
import type { RunningSource, SenderStatus, SourceContext, SourceStatus } from '../../../agent/intake/source.ts';
import { type ErrorCode, errnoOf, placeOf, QianzhiError } from '../../../agent/support/errors.ts';
import { allowList, isLoopback, normalAddress } from './addresses.ts';
import type { ListeningConfig } from './config.ts';
import { keepRenewing } from './renewing.ts';
import { type HandshakeFault, openSecure, type Secure } from './secure.ts';
import { createSenders, type Senders } from './senders.ts';

/** What distinguishes one kind of listener from another before its first byte. */
export interface ListenerRules {
  /** Of the source, and of its lines in the log. */
  kind: string;
  codes: {
    portInUse: ErrorCode;
    notAllowed: ErrorCode;
    tooMany: ErrorCode;
    handshake: Record<HandshakeFault, ErrorCode>;
  };
  /** How long a TLS handshake may take. */
  handshakeMs: number;
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
  /** For how long it has been silent with nothing under way; left out where a silent connection is never given up. */
  silentMs?(): number | undefined;
  /** Finishes what is under way, then closes. */
  stop(): void;
  /** Closes now. */
  destroy(): void;
}

/** What a listener is given. */
export interface ListenerContext extends Pick<SourceContext, 'name' | 'clock' | 'log' | 'changed'> {
  /** How often the certificate files are looked at; default every minute. */
  renewMs?: number;
}

/** Serves a new connection, after its TLS handshake if there is TLS. `closed` is to be called when nothing of it is left. */
export type Serve = (socket: Socket, peer: string, closed: () => void) => ServedConnection;

/** What is known of the senders of one source, or of one logical source under it. */
export interface Ledger {
  senders: Senders;
  /** Notes a problem of a peer, and logs it where it is new; `said` (SenderStatus) is for the status alone. */
  note(peer: string, code: ErrorCode, count?: number, said?: string): void;
}

export interface Listener extends Ledger {
  /** That of a logical source which comes in here; call once for each. */
  under(name: string): Ledger;
  /** A fault of ours in one connection: where it was thrown is logged, each place once. What it means for the peer is noted apart. */
  fault(error: unknown): void;
  /** A peer was turned away. */
  refused(): void;
  /** The store took something, or (with its code) could not. */
  stored(failure: ErrorCode | undefined): void;
  stopping(): boolean;
  /** Rejects with CFG-5003 (address not ours, port not permitted), TLS-1209 (certificate files) or the code for a port in use. */
  start(serve: Serve): Promise<RunningSource>;
}

interface Connection {
  peer: string;
  /** Undefined while it is being made. */
  served?: ServedConnection;
  /** For how long its handshake has been under way, without time in which we stood still; while it is. */
  shakingMs?: number;
}

const longestTickMs = 250;
/** A connection silent for this long makes room for a new one of its peer: as long as until the system probes whether it lives. */
const givenUpMs = 60_000;
/**
 * A handshake under way for this long makes room for a new connection. Not at once: many good senders that connect together
 * would cut one another's off for ever.
 */
const longHandshakeMs = 1000;
/** Places in the program of which a source tells that it failed there. */
const mostFaults = 50;
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

const allowListOf = (peers: string[] | undefined, knownByCertificate: boolean): ((address: string) => boolean) => {
  if (peers !== undefined) return allowList(peers);
  return knownByCertificate ? () => true : isLoopback;
};

const openTls = (tls: NonNullable<ListeningConfig['tls']>, handshakeMs: number, name: string) =>
  openSecure(tls, handshakeMs).catch((error: unknown) => {
    const where = error instanceof QianzhiError ? error.where : undefined;
    throw new QianzhiError('TLS-1209', `sources.${name}.${where ?? 'tls'}`, { cause: error });
  });

const boundAddress = (server: Server): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
};

/**
 * What all sources share that listen on a TCP port: who may connect and how many at a time, what is known of each
 * sender, TLS, regular looks at the time-outs, the status, and an orderly end. Throws CFG-5011 (off loopback, and anybody
 * could connect: neither peers nor client certificates).
 */
export function createListener(context: ListenerContext, config: ListeningConfig, rules: ListenerRules): Listener {
  const { clock, log, name } = context;
  const { kind, codes } = rules;
  const host = config.host === 'localhost' ? '127.0.0.1' : config.host;
  // Who shows a certificate of the site's own CA is known by it, wherever it connects from (config/rules.ts says the same).
  const knownByCertificate = config.tls?.client_certificates === 'required';
  const needsPeers = !isLoopback(host) && !knownByCertificate;
  if (needsPeers && config.peers === undefined) throw new QianzhiError('CFG-5011', `sources.${name}.peers`);
  const allowed = allowListOf(config.peers, knownByCertificate);
  const senders = createSenders(clock);
  const under = new Map<string, Senders>();
  const connections = new Set<Connection>();
  let state: SourceStatus['state'] = 'starting';
  let address: string | undefined;
  let problem: SourceStatus['problem'];
  let certificateProblem: SourceStatus['problem'];
  let refusedConnections = 0;
  const faults = new Set<string>();
  let unreported = false;
  let stopping = false;
  let allClosed: (() => void) | undefined;

  const noteOf =
    (source: string, of: Senders): Ledger['note'] =>
    (peer, code, count = 1, said) => {
      unreported = true;
      if (!of.problem(peer, code, count, said)) return;
      if (code === rules.harmless) log.info(`${kind} problem`, { source, peer, code });
      else log.warn(`${kind} problem`, { source, peer, code });
    };
  const note = noteOf(name, senders);
  /** A connection is the port's: whoever sends over it is connected. */
  const connectionsOf = (sender: SenderStatus): SenderStatus => ({
    ...sender,
    connections: senders.connections(sender.address),
  });

  /** Of all or of one peer, the oldest handshake that takes long. Connections stand in the order in which they came. */
  const cutHandshake = (of?: string): boolean => {
    for (const { peer, shakingMs = 0, served } of connections) {
      if (shakingMs < longHandshakeMs || (of !== undefined && peer !== of)) continue;
      note(peer, codes.tooMany);
      served?.destroy();
      return true;
    }
    return false;
  };

  /** A device that lost power is back before its old connection is known to be dead (reference/hl7v2.md §3.2 point 16). */
  const makeRoom = (peer: string): boolean => {
    if (cutHandshake(peer)) return true;
    let longest: { served: ServedConnection; silentMs: number } | undefined;
    for (const { peer: whose, served } of connections) {
      const silentMs = whose === peer ? served?.silentMs?.() : undefined;
      if (served === undefined || silentMs === undefined || silentMs < givenUpMs) continue;
      if (longest === undefined || silentMs > longest.silentMs) longest = { served, silentMs };
    }
    if (longest === undefined) return false;
    note(peer, codes.tooMany);
    longest.served.destroy();
    return true;
  };

  const take = (socket: Socket, serve: Serve, secure: Secure | undefined) => {
    const peer = normalAddress(socket.remoteAddress ?? '');
    const refuse = (code: ErrorCode) => {
      refusedConnections += 1;
      note(peer, code);
      socket.on('error', () => {});
      socket.destroy();
    };
    if (peer === '') return void socket.destroy();
    if (!allowed(peer)) return refuse(codes.notAllowed);
    // The peer's own limit first: what makes room there makes room among all, at no other peer's cost.
    if (senders.connections(peer) >= rules.mostPerPeer) {
      if (!makeRoom(peer)) return refuse(codes.tooMany);
    } else if (connections.size >= rules.mostConnections && !cutHandshake()) return refuse(codes.tooMany);
    senders.connected(peer);
    unreported = true;
    const connection: Connection = { peer };
    connections.add(connection);
    const closed = () => {
      if (!connections.delete(connection)) return;
      senders.disconnected(peer);
      unreported = true;
      if (connections.size === 0) allClosed?.();
    };
    if (secure === undefined) {
      connection.served = serve(socket, peer, closed);
      return;
    }
    const cut = () => {
      socket.destroy();
      closed();
    };
    const tick = (passedMs: number) => {
      connection.shakingMs = (connection.shakingMs ?? 0) + passedMs;
    };
    connection.served = { tick, stop: cut, destroy: cut };
    socket.on('error', () => {});
    secure.handshake(socket, (shaken, failure) => {
      delete connection.shakingMs;
      if (shaken !== undefined) {
        connection.served = serve(shaken, peer, closed);
        return;
      }
      // One that we cut is no longer among them: that is no failure of the peer's.
      if (failure !== undefined && connections.has(connection)) {
        note(peer, codes.handshake[failure.fault], 1, failure.reason === '' ? undefined : failure.reason);
      }
      closed();
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

  const stop = async (server: Server, endWork: () => void, graceMs: number) => {
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
    endWork();
    state = 'stopped';
    log.info(`${kind} stopped`, { source: name });
    context.changed();
  };

  return {
    senders,
    note,
    under(logical) {
      const own = createSenders(clock);
      under.set(logical, own);
      return { senders: own, note: noteOf(logical, own) };
    },
    fault(error) {
      const at = placeOf(error);
      if (at === undefined || faults.has(at) || faults.size === mostFaults) return;
      faults.add(at);
      log.error(`${kind} fault`, { source: name, at });
    },
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
      const secure = config.tls && (await openTls(config.tls, rules.handshakeMs, name));
      // allowHalfOpen: a sender that ends its side right after its last byte still gets its answer (point 10).
      const server = createServer({ allowHalfOpen: true }, (socket) => take(socket, serve, secure));
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
      const tell = (code: ErrorCode | undefined) => {
        certificateProblem = code && { code, sinceMs: clock.now() };
        unreported = true;
      };
      const endRenewing = secure && keepRenewing(secure, { name, clock, log, everyMs: context.renewMs, tell });
      const endWork = () => {
        clearInterval(ticker);
        endRenewing?.();
      };
      let stopped: Promise<void> | undefined;
      return {
        status: () => ({
          name,
          kind,
          state,
          ...(address === undefined ? {} : { address }),
          ...((problem ?? certificateProblem) && { problem: problem ?? certificateProblem }),
          senders: senders.list(),
          ...(under.size > 0 && {
            under: [...under].map(([of, own]) => ({ name: of, senders: own.list().map(connectionsOf) })),
          }),
          refusedConnections,
        }),
        stop(graceMs) {
          stopped ??= stop(server, endWork, graceMs);
          return stopped;
        },
      };
    },
  };
}
