import { createServer, type Server, type Socket } from 'node:net';
import type { ImageSourceContext } from '../../../agent/intake/instance.ts';
import type { RunningSource, SourceStatus } from '../../../agent/intake/source.ts';
import { codeOf, type ErrorCode, errnoOf, QianzhiError } from '../../../agent/support/errors.ts';
import { isStorageClass } from '../../dicom/dimse/uids.ts';
import { implementationClassUid, implementationVersionName } from '../../dicom/part10.ts';
import { allowList, isLoopback, normalAddress } from '../hl7-mllp/peers.ts';
import { createSenders } from '../hl7-mllp/senders.ts';
import { type Association, type AssociationRules, createAssociation } from './association.ts';
import { type DicomScpConfig, dicomScpConfig } from './config.ts';
import { openSecure } from './secure.ts';

/** Connections beyond the associations, so that whoever comes too many can be told so in DICOM. */
const surplusConnections = 16;
const surplusPerPeer = 4;
const longestTickMs = 250;
/** How often the certificate files are looked at: renewal is by replacing them. */
const renewMs = 60_000;

/** What a DICOM listener is given. */
export interface DicomScpContext extends ImageSourceContext {
  /** How often the certificate files are looked at; default every minute. */
  renewMs?: number;
}

function listenError(error: unknown, name: string): QianzhiError {
  const errno = errnoOf(error);
  if (errno === 'EADDRINUSE') return new QianzhiError('DCM-2231', `sources.${name}.port`, { cause: error });
  const key = errno === 'EACCES' ? 'port' : 'host';
  return new QianzhiError('CFG-5003', `sources.${name}.${key}`, { cause: error });
}

const openTls = (tls: NonNullable<DicomScpConfig['tls']>, handshakeMs: number, name: string) =>
  openSecure(tls, handshakeMs).catch((error: unknown) => {
    const where = error instanceof QianzhiError ? error.where : undefined;
    throw new QianzhiError('TLS-1209', `sources.${name}.${where ?? 'tls'}`, { cause: error });
  });

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
 * The DICOM listener: C-STORE and C-ECHO as an SCP (reference/dicom.md §2). Success is answered only after the
 * instance's `commit` resolved (invariant 1). Starting rejects with CFG-5011 (off loopback without peers), DCM-2231
 * (port in use), TLS-1209 (certificate files) or CFG-5003 (address not ours, port not permitted).
 */
export const dicomScp = {
  kind: 'dicom-scp',
  config: dicomScpConfig,
  async start(context: DicomScpContext, config: DicomScpConfig): Promise<RunningSource> {
    const { clock, log, name } = context;
    const host = config.host === 'localhost' ? '127.0.0.1' : config.host;
    if (!isLoopback(host) && config.peers === undefined) throw new QianzhiError('CFG-5011', `sources.${name}.peers`);
    const allowed = config.peers === undefined ? isLoopback : allowList(config.peers);
    const further = new Set(config.further_sop_classes);
    const rules: AssociationRules = {
      called: new Set(config.ae_titles),
      calling: new Set(config.calling_ae_titles),
      takesClass: (uid) => isStorageClass(uid) || further.has(uid),
      us: {
        maxPduBytes: config.max_pdu_bytes,
        implementationClass: implementationClassUid,
        implementationVersion: implementationVersionName,
      },
      associationMs: config.association_timeout_seconds * 1000,
      idleMs: config.idle_timeout_seconds * 1000,
      pduMs: config.pdu_timeout_seconds * 1000,
    };
    const secure = config.tls === undefined ? undefined : await openTls(config.tls, rules.associationMs, name);
    const senders = createSenders(clock);
    /** Every connection; the association on it once there is one. */
    const connections = new Map<Socket, { peer: string; association?: Association; admitted: boolean }>();
    let state: SourceStatus['state'] = 'starting';
    let address: string | undefined;
    let problem: SourceStatus['problem'];
    let refusedConnections = 0;
    let unreported = false;
    let stopping = false;
    let allClosed: (() => void) | undefined;

    const note = (peer: string, code: ErrorCode) => {
      unreported = true;
      if (senders.problem(peer, code)) log.warn('dicom-scp problem', { source: name, peer, code });
    };
    const storeState = (failure: ErrorCode | undefined) => {
      unreported = true;
      if (failure === problem?.code) return;
      problem = failure === undefined ? undefined : { code: failure, sinceMs: clock.now() };
      if (failure !== undefined) log.error('dicom-scp cannot store', { source: name, code: failure });
      else log.info('dicom-scp stores again', { source: name });
    };
    const mayAssociate = (peer: string): boolean => {
      const admitted = [...connections.values()].filter((connection) => connection.admitted);
      const own = admitted.filter((connection) => connection.peer === peer);
      return admitted.length < config.max_associations && own.length < config.max_associations_per_peer;
    };

    const serve = (raw: Socket) => {
      const peer = normalAddress(raw.remoteAddress ?? '');
      raw.on('error', () => {});
      const refuse = (code: ErrorCode) => {
        refusedConnections += 1;
        note(peer, code);
        raw.destroy();
      };
      if (peer === '') return void raw.destroy();
      if (!allowed(peer)) return refuse('DCM-2232');
      const full = connections.size >= config.max_associations + surplusConnections;
      if (full || senders.connections(peer) >= config.max_associations_per_peer + surplusPerPeer)
        return refuse('DCM-2233');

      senders.connected(peer);
      unreported = true;
      const connection: { peer: string; association?: Association; admitted: boolean } = { peer, admitted: false };
      connections.set(raw, connection);
      const closed = () => {
        if (!connections.delete(raw)) return;
        senders.disconnected(peer);
        unreported = true;
        if (connections.size === 0) allClosed?.();
      };
      const associate = (socket: Socket) => {
        connection.association = createAssociation({
          socket,
          rules,
          instances: context.instances,
          clock,
          admit: () => {
            connection.admitted = mayAssociate(peer);
            return connection.admitted;
          },
          notes: {
            problem: (code) => note(peer, code),
            refused: () => {
              refusedConnections += 1;
            },
            instance: () => senders.message(peer),
            answered: (status) => senders.answered(peer, status),
            stored: storeState,
            closed,
          },
        });
      };
      if (secure === undefined) return associate(raw);
      secure.handshake(raw, (socket) => {
        if (socket !== undefined) return associate(socket);
        if (!stopping) note(peer, 'DCM-2249');
        closed();
      });
    };

    // allowHalfOpen: a device that ends its side right after the dataset still gets its response.
    const server = createServer({ allowHalfOpen: true }, serve);
    try {
      await listen(server, host, config.port);
    } catch (error) {
      throw listenError(error, name);
    }
    // After listening, an error is about one connection that could not be taken (out of descriptors).
    server.on('error', (error) => log.error('dicom-scp accept failed', { source: name, errno: errnoOf(error) ?? '' }));
    state = 'listening';
    address = boundAddress(server);
    log.info('dicom-scp listening', { source: name });
    context.changed();

    const shortest = Math.min(rules.associationMs, rules.idleMs, rules.pduMs);
    const tickMs = Math.max(10, Math.min(longestTickMs, shortest / 4));
    let lastTick = clock.monotonic();
    const ticker = setInterval(() => {
      const now = clock.monotonic();
      // When we ourselves stood still, bytes may have come that nobody has looked at: that is not the peer's time.
      const passedMs = Math.min(now - lastTick, 2 * tickMs);
      lastTick = now;
      for (const { association } of [...connections.values()]) association?.tick(passedMs);
      if (!unreported) return;
      unreported = false;
      context.changed();
    }, tickMs);

    let unusable = false;
    const renew = async () => {
      try {
        if ((await secure?.renew()) === true) log.info('certificates-read', { source: name });
        unusable = false;
      } catch (error) {
        if (!unusable) log.error('certificate-files-unusable', { source: name, code: codeOf(error, 'TLS-1209') });
        unusable = true;
      }
    };
    const renewer = secure === undefined ? undefined : setInterval(renew, context.renewMs ?? renewMs);

    let stopped: Promise<void> | undefined;
    const stop = async (graceMs: number) => {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [raw, { association }] of [...connections]) {
        if (association === undefined) raw.destroy();
        else association.stop();
      }
      if (connections.size > 0) {
        let grace: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          allClosed = resolve;
          grace = setTimeout(resolve, graceMs);
        });
        clearTimeout(grace);
        for (const { association } of [...connections.values()]) association?.abort();
      }
      await closed;
      clearInterval(ticker);
      clearInterval(renewer);
      state = 'stopped';
      log.info('dicom-scp stopped', { source: name });
      context.changed();
    };

    return {
      status: () => ({
        name,
        kind: 'dicom-scp',
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
