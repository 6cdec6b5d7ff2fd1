import type { Socket } from 'node:net';
import type { InstanceIntake } from '../../../agent/intake/instance.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { codeOf, type ErrorCode, QianzhiError } from '../../../agent/support/errors.ts';
import {
  type AssociateRequest,
  associateAc,
  type Ourselves,
  readAssociateRequest,
} from '../../dicom/dimse/associate.ts';
import { negotiate } from '../../dicom/dimse/negotiate.ts';
import {
  type AbortReason,
  abort,
  associateRj,
  pduType,
  type Rejection,
  releaseRp,
  releaseRq,
} from '../../dicom/dimse/pdu.ts';
import { createPduReader } from '../../dicom/dimse/pdu-reader.ts';
import { applicationContext, isStandard, verificationClass } from '../../dicom/dimse/uids.ts';
import { createMessages, type MessageNotes, type Messages } from './messages.ts';
import { createSocketBytes } from './socket-bytes.ts';

export interface AssociationRules {
  /** Titles that may be called, and those that may call. */
  called: ReadonlySet<string>;
  calling: ReadonlySet<string>;
  takesClass(sopClassUid: string): boolean;
  us: Ourselves;
  associationMs: number;
  idleMs: number;
  pduMs: number;
}

/** What an association tells its listener. */
export interface AssociationNotes extends MessageNotes {
  /** The request was rejected. */
  refused(): void;
  /** Something was thrown that cannot be; the association is aborted. */
  fault(error: unknown): void;
  closed(): void;
}

export interface AssociationParts {
  socket: Socket;
  rules: AssociationRules;
  instances: InstanceIntake;
  clock: Clock;
  /** Asked with a good request: false when there are too many associations. */
  admit(): boolean;
  notes: AssociationNotes;
}

export interface Association {
  /** Looks at the timeouts; called regularly, with the time since the last call. */
  tick(passedMs: number): void;
  /** Finishes the message under way, then releases. */
  stop(): void;
  /** Ends it now, with an A-ABORT if the peer can still hear it. */
  abort(): void;
}

const abortReasons: Partial<Record<ErrorCode, AbortReason>> = {
  'DCM-2234': 'unexpectedPdu',
  'DCM-2235': 'invalidParameter',
  'DCM-2236': 'invalidParameter',
  'DCM-2237': 'unexpectedPdu',
  'DCM-2238': 'invalidParameter',
  'DCM-2239': 'invalidParameter',
};

/** A title as a person can compare it with the configured ones; whatever else came in its place is not shown. */
const printable = (title: string): string => title.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 16);

/**
 * One device's association as its acceptor (PS3.8 §9.2). Whatever goes wrong here ends here (invariant 11), and an
 * instance that did not come to its end leaves nothing behind.
 *
 * `requesting` until the request is answered; `open` takes messages; `releasing` has sent our A-RELEASE-RQ; `ending`
 * has said its last word and throws away what still comes until the peer closes, or ARTIM is over (Sta13).
 */
export function createAssociation(parts: AssociationParts): Association {
  const { socket, rules, clock, notes } = parts;
  const bytes = createSocketBytes(socket);
  const reader = createPduReader(() => bytes.next(), rules.us.maxPduBytes);
  let phase: 'requesting' | 'open' | 'releasing' | 'ending' | 'closed' = 'requesting';
  let messages: Messages | undefined;
  let stopping = false;
  /** Both sides asked for release at once. */
  let collided = false;

  let waitedMs = 0;
  /** What the time was waited in: it starts anew with every PDU that begins or ends. */
  let waitedIn = '';
  let blockedMs = 0;

  const enter = (next: typeof phase) => {
    phase = next;
    waitedMs = 0;
  };
  const over = () => phase === 'ending' || phase === 'closed' || socket.destroyed;
  const say = (pdu: Buffer) => void bytes.write(pdu).catch(() => {});
  const end = (last?: Buffer) => {
    if (over()) return;
    enter('ending');
    if (!socket.writable) return;
    if (last === undefined) socket.end();
    else socket.end(last);
  };
  const fail = (code: ErrorCode) => {
    if (over()) return;
    notes.problem(code);
    end(abort(abortReasons[code] ?? 'user'));
  };
  const reject = (why: Rejection, code: ErrorCode, said?: string) => {
    notes.problem(code, said);
    notes.refused();
    end(associateRj(why));
  };
  const releaseIfStopping = () => {
    if (!stopping || phase !== 'open' || messages?.underWay() === true || reader.inPdu()) return;
    enter('releasing');
    say(releaseRq());
  };

  const accept = (request: AssociateRequest) => {
    if ((request.protocolVersion & 1) === 0) return reject('protocolVersion', 'DCM-2235');
    if (request.applicationContext !== applicationContext) return reject('applicationContext', 'DCM-2235');
    if (!rules.called.has(request.called))
      return reject('calledTitle', 'DCM-2201', `called=${printable(request.called)}`);
    if (!rules.calling.has(request.calling))
      return reject('callingTitle', 'DCM-2201', `calling=${printable(request.calling)}`);
    if (!parts.admit()) return reject('localLimit', 'DCM-2233');
    const takes = (uid: string) => uid === verificationClass || rules.takesClass(uid);
    const { answers, accepted } = negotiate(request.contexts, takes);
    // Devices propose queries, worklists and commitment beside storage; only what may hold images is worth a word.
    const missed = request.contexts.some(({ abstractSyntax: uid }) => !takes(uid) && !isStandard(uid));
    if (missed || accepted.size === 0) notes.problem('DCM-2244');
    messages = createMessages({
      reader,
      contexts: accepted,
      peerMaxBytes: request.maxPduBytes,
      takesClass: rules.takesClass,
      instances: parts.instances,
      clock,
      send: (pdus) => bytes.write(pdus),
      notes,
    });
    enter('open');
    say(associateAc(request, answers, rules.us));
  };

  /** P-DATA after our A-RELEASE-RQ is lawful (PS3.8 Table 9-10, Sta7) but too late: never answered, so sent again. */
  const passPdata = async () => {
    for (let pdv = await reader.pdv(); pdv !== undefined; pdv = await reader.pdv())
      while ((await reader.bytes()) !== undefined);
  };
  const brokeOff = () => {
    if (messages?.underWay() === true) notes.problem('DCM-2243');
  };
  const takePdu = async (type: number) => {
    if (phase === 'requesting') {
      if (type === pduType.abort) return end();
      if (type !== pduType.associateRq) throw new QianzhiError('DCM-2234');
      return accept(readAssociateRequest(await reader.body()));
    }
    if (type === pduType.pData) return phase === 'open' ? messages?.pdata() : passPdata();
    await reader.body();
    if (type === pduType.abort) {
      brokeOff();
      return end();
    }
    if (type === pduType.releaseRq && phase === 'open') {
      brokeOff();
      return end(releaseRp());
    }
    if (type === pduType.releaseRq && !collided) {
      // The requestor of the association answers first, then its acceptor (PS3.8 Table 9-8, AR-8).
      collided = true;
      return;
    }
    if (type === pduType.releaseRp && phase === 'releasing') return end(collided ? releaseRp() : undefined);
    throw new QianzhiError('DCM-2237');
  };

  const serve = async () => {
    try {
      for (let header = await reader.next(); header !== undefined && !over(); header = await reader.next()) {
        await takePdu(header.type);
        releaseIfStopping();
        if (over()) break;
      }
      if (!over()) brokeOff();
    } catch (error) {
      const code = codeOf(error, 'DCM-2259');
      if (code === 'DCM-2259' && !over()) notes.fault(error);
      // What is no PDU at all at the very beginning is another protocol.
      fail(phase === 'requesting' && (code === 'DCM-2236' || code === 'DCM-2237') ? 'DCM-2234' : code);
    }
    await messages?.discard();
    end();
    while ((await bytes.next().catch(() => undefined)) !== undefined);
    socket.destroySoon();
  };

  socket.setNoDelay(true);
  // A device that lost power leaves a half-open connection; the probes find out within minutes.
  socket.setKeepAlive(true, 60_000);
  socket.on('close', () => {
    phase = 'closed';
    notes.closed();
  });
  void serve();

  const limitNow = (): [limitMs: number, code: ErrorCode] => {
    if (phase !== 'open') return [rules.associationMs, 'DCM-2240'];
    return reader.inPdu() ? [rules.pduMs, 'DCM-2241'] : [rules.idleMs, 'DCM-2242'];
  };
  return {
    tick(passedMs) {
      if (phase === 'closed') return;
      blockedMs = bytes.blocked() ? blockedMs + passedMs : 0;
      if (blockedMs > rules.pduMs) {
        notes.problem('DCM-2248');
        return void socket.destroy();
      }
      const at = `${reader.pdus()} ${reader.inPdu()}`;
      if (phase === 'open' && at !== waitedIn) waitedMs = 0;
      waitedIn = at;
      // Only time in which we were waiting counts against the peer.
      if (bytes.waiting() || phase === 'ending') waitedMs += passedMs;
      const [limitMs, code] = limitNow();
      if (waitedMs <= limitMs) return;
      if (phase === 'ending') socket.destroy();
      else if (phase === 'releasing') end(abort('user'));
      else bytes.fail(new QianzhiError(code));
    },
    stop() {
      stopping = true;
      if (phase === 'requesting') end(abort('user'));
      else releaseIfStopping();
    },
    abort() {
      // Who does not read would never let the last word out.
      if (socket.writableLength > 0) return void socket.destroy();
      if (socket.writable && !over()) socket.write(abort('user'));
      socket.destroySoon();
    },
  };
}
