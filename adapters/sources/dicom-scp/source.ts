import type { ImageSourceContext } from '../../../agent/intake/instance.ts';
import type { RunningSource } from '../../../agent/intake/source.ts';
import { isStorageClass } from '../../dicom/dimse/uids.ts';
import { implementationClassUid, implementationVersionName } from '../../dicom/part10.ts';
import { createListener, tickFor } from '../listening/listener.ts';
import { type AssociationRules, createAssociation } from './association.ts';
import { type DicomScpConfig, dicomScpConfig } from './config.ts';

/** Connections beyond the associations, so that whoever comes too many can be told so in DICOM. */
const surplusConnections = 16;
const surplusPerPeer = 4;

/** What a DICOM listener is given. */
export interface DicomScpContext extends ImageSourceContext {
  /** How often the certificate files are looked at; default every minute. */
  renewMs?: number;
}

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

/**
 * The DICOM listener: C-STORE and C-ECHO as an SCP (reference/dicom.md §2). Success is answered only after the
 * instance's `commit` resolved (invariant 1). Starting rejects with CFG-5011 (off loopback without peers or client certificates), DCM-2231
 * (port in use), TLS-1209 (certificate files) or CFG-5003 (address not ours, port not permitted).
 */
export const dicomScp = {
  kind: 'dicom-scp',
  config: dicomScpConfig,
  async start(context: DicomScpContext, config: DicomScpConfig): Promise<RunningSource> {
    const { clock } = context;
    const rules = rulesOf(config);
    const { senders, note, fault, refused, stored, start } = createListener(context, config, {
      kind: 'dicom-scp',
      codes: {
        portInUse: 'DCM-2231',
        notAllowed: 'DCM-2232',
        tooMany: 'DCM-2233',
        handshake: { plain: 'DCM-2249', failed: 'DCM-2249' },
      },
      handshakeMs: rules.associationMs,
      mostConnections: config.max_associations + surplusConnections,
      mostPerPeer: config.max_associations_per_peer + surplusPerPeer,
      tickMs: tickFor(Math.min(rules.associationMs, rules.idleMs, rules.pduMs)),
    });
    /** Of each connection that has an association, whose it is. */
    const admitted = new Map<object, string>();
    const mayAssociate = (peer: string): boolean => {
      const own = [...admitted.values()].filter((other) => other === peer);
      return admitted.size < config.max_associations && own.length < config.max_associations_per_peer;
    };

    return start((socket, peer, gone) => {
      const association = createAssociation({
        socket,
        rules,
        instances: context.instances,
        clock,
        admit() {
          const may = mayAssociate(peer);
          if (may) admitted.set(socket, peer);
          return may;
        },
        notes: {
          problem: (code, said) => note(peer, code, 1, said),
          refused,
          fault,
          instance: () => senders.message(peer),
          answered: (status) => senders.answered(peer, status),
          stored,
          closed() {
            admitted.delete(socket);
            gone();
          },
        },
      });
      return { tick: association.tick, stop: association.stop, destroy: association.abort };
    });
  },
};
