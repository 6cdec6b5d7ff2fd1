import type { SourceAdapter } from '../../../agent/intake/source.ts';
import { createAckIds } from '../../hl7v2/ack.ts';
import type { Profile } from '../../hl7v2/profile/schema.ts';
import { createListener, tickFor } from '../listening/listener.ts';
import { hl7MllpConfig } from './config.ts';
import { type Connection, createConnection } from './connection.ts';
import { createLargeFrames } from './large-frames.ts';
import { openParties } from './parties.ts';

/** Bytes on their way to the disk, over all sources, above which no listener reads on. */
const mostPendingBytes = 32 * 1024 * 1024;
/** A device that wants to speak shakes hands at once, even a slow one. */
const longestHandshakeMs = 30_000;
/** Memory for unfinished large messages of one listener, and what each connection has free. */
const largeFrameBudget = 64 * 1024 * 1024;
const freeFrameBytes = 256 * 1024;

/** What a connection has before its first message says who sends: one for the port. */
const ofConnection = ['framing', 'answer_framing', 'require_end'] as const;

/**
 * The MLLP listener (reference/hl7v2.md §3.2). An AA is written only after `context.accept` resolved;
 * when it rejects the answer is AE 207 and the listener goes on. Starting rejects with CFG-5011 (off
 * loopback without peers or client certificates), MLLP-2001 (port in use), TLS-1209 (certificate files) or CFG-5003
 * (address not ours, port not permitted).
 */
export const hl7Mllp: SourceAdapter<typeof hl7MllpConfig> = {
  kind: 'hl7-mllp',
  config: hl7MllpConfig,
  differing: (own, ofSender) => {
    const [one, other] = [own, ofSender].map((profile) => (profile as Pick<Profile, 'intake'>).intake);
    return ofConnection.filter((key) => one?.[key] !== other?.[key]).map((key) => `intake.${key}`);
  },
  async start(context, config) {
    const { clock } = context;
    const ackId = createAckIds(clock);
    const largeFrames = createLargeFrames(largeFrameBudget, config.max_message_bytes, freeFrameBytes);
    const limits = {
      maxMessageBytes: config.max_message_bytes,
      idleMs: config.idle_timeout_seconds * 1000,
      frameMs: config.frame_timeout_seconds * 1000,
      firstByteMs: config.first_byte_timeout_seconds * 1000,
    };
    const listener = createListener(context, config, {
      kind: 'hl7-mllp',
      codes: {
        portInUse: 'MLLP-2001',
        notAllowed: 'MLLP-2002',
        tooMany: 'MLLP-2007',
        handshake: { plain: 'MLLP-2013', failed: 'MLLP-2011' },
      },
      handshakeMs: Math.min(longestHandshakeMs, limits.firstByteMs),
      mostConnections: config.max_connections,
      mostPerPeer: config.max_connections_per_peer,
      tickMs: tickFor(Math.min(limits.frameMs, limits.idleMs, limits.firstByteMs)),
      harmless: 'HL7-2103',
    });
    const { note, fault, stored, start } = listener;
    const parties = openParties(context, config, listener);
    const connections = new Set<Connection>();

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

    return start((socket, peer, closed) => {
      const connection = createConnection({
        socket,
        peer,
        parties,
        limits,
        largeFrames,
        clock,
        storeIsBehind,
        ackId,
        notes: {
          problem: (code, count) => note(peer, code, count),
          fault,
          stored(failure) {
            stored(failure);
            wakeWaiting();
          },
          closed() {
            connections.delete(connection);
            closed();
          },
        },
      });
      connections.add(connection);
      return connection;
    });
  },
};
