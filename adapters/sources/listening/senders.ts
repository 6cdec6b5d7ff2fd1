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
  day: string;
  loggedMs: Map<string, number>;
}

const logEveryMs = 60_000;

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
      const sender = touch(address);
      const day = today();
      if (sender.day !== day) {
        sender.day = day;
        sender.messagesToday = 0;
      }
      sender.messagesToday += 1;
      sender.lastMessageMs = clock.now();
    },
    answered(address, code) {
      const sender = senders.get(address);
      if (sender !== undefined) sender.lastAck = code;
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
      [...senders.values()].map(({ day, loggedMs: _, ...status }) => ({
        ...status,
        messagesToday: day === today() ? status.messagesToday : 0,
      })),
  };
}
