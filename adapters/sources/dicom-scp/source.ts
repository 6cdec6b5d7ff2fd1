import type { ImageSourceContext } from '../../../agent/intake/instance.ts';
import type { RunningSource } from '../../../agent/intake/source.ts';
import { codeOf, QianzhiError } from '../../../agent/support/errors.ts';
import { isStorageClass } from '../../dicom/dimse/uids.ts';
import { implementationClassUid, implementationVersionName } from '../../dicom/part10.ts';
import { createListener, tickFor } from '../listening/listener.ts';
import { type Association, type AssociationRules, createAssociation } from './association.ts';
import { type DicomScpConfig, dicomScpConfig } from './config.ts';
import { openSecure, type Secure } from './secure.ts';

/** Connections beyond the associations, so that whoever comes too many can be told so in DICOM. */
const surplusConnections = 16;
const surplusPerPeer = 4;
/** How often the certificate files are looked at: renewal is by replacing them. */
const renewMs = 60_000;

/** What a DICOM listener is given. */
export interface DicomScpContext extends ImageSourceContext {
  /** How often the certificate files are looked at; default every minute. */
  renewMs?: number;
}

const openTls = (tls: NonNullable<DicomScpConfig['tls']>, handshakeMs: number, name: string) =>
  openSecure(tls, handshakeMs).catch((error: unknown) => {
    const where = error instanceof QianzhiError ? error.where : undefined;
    throw new QianzhiError('TLS-1209', `sources.${name}.${where ?? 'tls'}`, { cause: error });
  });

function rulesOf(config: DicomScpConfig): AssociationRules {
  const further = new Set(config.further_sop_classes);
  return {
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
}

/** Looks for replaced certificate files now and then; gives what ends that. */
function keepRenewing({ log, name, renewMs: everyMs = renewMs }: DicomScpContext, secure: Secure): () => void {
  let unusable = false;
  const renew = async () => {
    try {
      if (await secure.renew()) log.info('certificates-read', { source: name });
      unusable = false;
    } catch (error) {
      if (!unusable) log.error('certificate-files-unusable', { source: name, code: codeOf(error, 'TLS-1209') });
      unusable = true;
    }
  };
  const renewer = setInterval(renew, everyMs);
  return () => clearInterval(renewer);
}

/**
 * The DICOM listener: C-STORE and C-ECHO as an SCP (reference/dicom.md §2). Success is answered only after the
 * instance's `commit` resolved (invariant 1). Starting rejects with CFG-5011 (off loopback without peers), DCM-2231
 * (port in use), TLS-1209 (certificate files) or CFG-5003 (address not ours, port not permitted).
 */
export const dicomScp = {
  kind: 'dicom-scp',
  config: dicomScpConfig,
  async start(context: DicomScpContext, config: DicomScpConfig): Promise<RunningSource> {
    const { clock, name } = context;
    const rules = rulesOf(config);
    const { senders, note, refused, stored, stopping, start } = createListener(context, config, {
      kind: 'dicom-scp',
      codes: { portInUse: 'DCM-2231', notAllowed: 'DCM-2232', tooMany: 'DCM-2233' },
      mostConnections: config.max_associations + surplusConnections,
      mostPerPeer: config.max_associations_per_peer + surplusPerPeer,
      tickMs: tickFor(Math.min(rules.associationMs, rules.idleMs, rules.pduMs)),
    });
    const secure = config.tls === undefined ? undefined : await openTls(config.tls, rules.associationMs, name);
    /** Of each connection that has an association, whose it is. */
    const admitted = new Map<object, string>();
    const mayAssociate = (peer: string): boolean => {
      const own = [...admitted.values()].filter((other) => other === peer);
      return admitted.size < config.max_associations && own.length < config.max_associations_per_peer;
    };

    const running = await start((raw, peer, gone) => {
      let association: Association | undefined;
      raw.on('error', () => {});
      const closed = () => {
        admitted.delete(raw);
        gone();
      };
      const associate = (socket: typeof raw) => {
        association = createAssociation({
          socket,
          rules,
          instances: context.instances,
          clock,
          admit() {
            const may = mayAssociate(peer);
            if (may) admitted.set(raw, peer);
            return may;
          },
          notes: {
            problem: (code, said) => note(peer, code, 1, said),
            refused,
            instance: () => senders.message(peer),
            answered: (status) => senders.answered(peer, status),
            stored,
            closed,
          },
        });
      };
      if (secure === undefined) associate(raw);
      else
        secure.handshake(raw, (socket) => {
          if (socket !== undefined) return associate(socket);
          if (!stopping()) note(peer, 'DCM-2249');
          closed();
        });
      return {
        tick: (passedMs) => association?.tick(passedMs),
        stop() {
          if (association === undefined) raw.destroy();
          else association.stop();
        },
        destroy: () => association?.abort(),
      };
    });
    const endRenewing = secure === undefined ? () => {} : keepRenewing(context, secure);
    return {
      status: running.status,
      async stop(graceMs) {
        await running.stop(graceMs);
        endRenewing();
      },
    };
  },
};
