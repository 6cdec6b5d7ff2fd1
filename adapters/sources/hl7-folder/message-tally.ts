import type { SenderStatus, SourceStatus } from '../../../agent/intake/source.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import type { MessageNotes } from './accepting.ts';

/** What the messages of a folder's files came to today; a file has any number of them. */
export interface MessageTally extends MessageNotes {
  /** The figures of the folder's files as a sender, with those of the messages that are nobody else's. */
  onto(folder: SenderStatus): Pick<SourceStatus, 'senders' | 'under'>;
}

interface Figures {
  day: string;
  messagesToday: number;
  lastMessageMs?: number;
  problem?: NonNullable<SenderStatus['problem']>;
}

/** `names`: the logical sources that come in through the folder. */
export function createMessageTally(clock: Clock, names: readonly string[]): MessageTally {
  const own: Figures = { day: '', messagesToday: 0 };
  const under = new Map(names.map((name): [string, Figures] => [name, { day: '', messagesToday: 0 }]));
  const ofToday = (sender: string | undefined): Figures => {
    const figures = (sender === undefined ? undefined : under.get(sender)) ?? own;
    const day = new Date(clock.now()).toDateString();
    if (figures.day !== day) Object.assign(figures, { day, messagesToday: 0 });
    return figures;
  };
  const shown = (sender: string | undefined) => {
    const { messagesToday, lastMessageMs, problem } = ofToday(sender);
    return {
      messagesToday,
      ...(lastMessageMs === undefined ? {} : { lastMessageMs }),
      ...(problem === undefined ? {} : { problem }),
    };
  };
  return {
    stored(sender) {
      const figures = ofToday(sender);
      figures.messagesToday += 1;
      figures.lastMessageMs = clock.now();
    },
    problem(code, sender, said) {
      const figures = ofToday(sender);
      const { problem } = figures;
      // Of a device whose counter restarts this says little; it must not hide what says more.
      if (code === 'HL7-2103' && problem !== undefined && problem.code !== code) return;
      const count = problem?.code === code ? problem.count + 1 : 1;
      figures.problem = { code, atMs: clock.now(), count, ...(said === undefined ? {} : { said }) };
    },
    onto(folder) {
      // What lies in the folder and waits for a person comes before what is over.
      const { lastMessageMs: _ofFiles, problem: held, ...rest } = folder;
      const logical = [...under.keys()].map((name) => ({
        name,
        senders: [{ address: folder.address, ...shown(name) }],
      }));
      return {
        senders: [{ ...rest, ...shown(undefined), ...(held === undefined ? {} : { problem: held }) }],
        ...(logical.length === 0 ? {} : { under: logical }),
      };
    },
  };
}
