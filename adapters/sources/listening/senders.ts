import type { SenderStatus } from '../../../agent/intake/source.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import type { ErrorCode } from '../../../agent/support/errors.ts';

/** What is known of each sender, by address; bounded, so that a scan from many addresses costs nothing. */
export interface Senders {
  connected(address: string): void;
  disconnected(address: string): void;
  connections(address: string): number;
  message(address: string): void;
  answered(address: string, code: string): void;
  /** Notes a protocol problem; true when it deserves a log line (the first, then one a minute for each code). */
  problem(address: string, code: ErrorCode, count?: number, said?: string): boolean;
  list(): SenderStatus[];
}

interface Sender extends SenderStatus {
  connections: number;
  day: string;
  acks: Map<string, number>;
  loggedMs: Map<string, number>;
}

const logEveryMs = 60_000;
/** The codes of a protocol are few; what is more is not counted. */
const mostCodes = 12;

export function createSenders(clock: Clock, most = 1000): Senders {
  // In order of last use: Map keeps insertion order, and `touch` inserts anew.
  const senders = new Map<string, Sender>();
  const today = (): string => new Date(clock.now()).toDateString();
  const touch = (address: string): Sender => {
    const sender = senders.get(address) ?? {
      address,
      connections: 0,
      messagesToday: 0,
      day: today(),
      acks: new Map<string, number>(),
      loggedMs: new Map<string, number>(),
    };
    senders.delete(address);
    senders.set(address, sender);
    if (senders.size > most) forgetOne(address);
    return sender;
  };
  /** Forgets the longest unused: those who never sent anything first, never one that is connected. */
  const forgetOne = (keep: string) => {
    let victim: string | undefined;
    for (const [address, sender] of senders) {
      if (sender.connections > 0 || address === keep) continue;
      if (sender.lastMessageMs === undefined) {
        victim = address;
        break;
      }
      victim ??= address;
    }
    if (victim !== undefined) senders.delete(victim);
  };
  /** What is counted by the day begins anew with it. */
  const ofToday = (sender: Sender): Sender => {
    const day = today();
    if (sender.day !== day) Object.assign(sender, { day, messagesToday: 0, acks: new Map<string, number>() });
    return sender;
  };
  return {
    connected(address) {
      const sender = touch(address);
      if (sender.connections === 0) sender.connectedSinceMs = clock.now();
      sender.connections += 1;
    },
    disconnected(address) {
      const sender = senders.get(address);
      if (sender === undefined) return;
      sender.connections -= 1;
      if (sender.connections === 0) delete sender.connectedSinceMs;
    },
    connections: (address) => senders.get(address)?.connections ?? 0,
    message(address) {
      const sender = ofToday(touch(address));
      sender.messagesToday += 1;
      sender.lastMessageMs = clock.now();
    },
    answered(address, code) {
      const sender = senders.get(address);
      if (sender === undefined) return;
      sender.lastAck = code;
      const { acks } = ofToday(sender);
      if (acks.has(code) || acks.size < mostCodes) acks.set(code, (acks.get(code) ?? 0) + 1);
    },
    problem(address, code, count = 1, said) {
      const sender = touch(address);
      const before = sender.problem?.code === code ? sender.problem.count : 0;
      sender.problem = { code, atMs: clock.now(), count: before + count, ...(said === undefined ? {} : { said }) };
      const logged = sender.loggedMs.get(code);
      const nowMs = clock.monotonic();
      if (logged !== undefined && nowMs - logged < logEveryMs) return false;
      sender.loggedMs.set(code, nowMs);
      return true;
    },
    list: () =>
      [...senders.values()].map(ofToday).map(({ day: _day, acks, loggedMs: _, ...status }) => ({
        ...status,
        ...(acks.size > 0 && { acksToday: Object.fromEntries(acks) }),
      })),
  };
}
