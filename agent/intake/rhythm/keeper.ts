import type { Arrivals, ArrivalsAfter, RhythmStore } from '../../store/contract.ts';
import type { Clock } from '../../support/clock.ts';
import { codeOf } from '../../support/errors.ts';
import type { Log } from '../../support/log.ts';
import { localHours } from './local-hour.ts';
import { advance, isSilent, mayMiss, newRhythm, type Rhythm, readRhythm, usualGapMs } from './rhythm.ts';

/** How often what was learned is kept; more than twice as long between two looks is not ours. */
const EVERY_MS = 60_000;
/** How often the inbox is looked at: the counts stand beside others that are of this moment. The first look waits for the start's own work. */
const LOOK_MS = 5_000;
/** After a message of a sender that was silent: mapping has seen it by then. */
const SOON_MS = 1_000;

/** What is known of when a source sends, as people see it. */
export interface SourceRhythm {
  source: string;
  lastMs?: number;
  /** Listened in vain since the last message. */
  quietMs: number;
  /** Enough was seen of it to judge a silence. */
  known: boolean;
  /** Usual time between messages at this hour; absent where there are usually none, or too little was seen. */
  usualMs?: number;
  /** Silent for longer than is usual. */
  silent: boolean;
  /** Today's messages by type, most first. */
  types: Array<{ type: string; count: number }>;
}

export interface WatchedSource {
  name: string;
  /** Instances are what counts; its messages are our own manifests. */
  images: boolean;
  /** The source through which this sender comes in, where it is one of several. */
  via?: string;
  /** Whether a sender could reach us now. */
  listens(): boolean;
}

export interface RhythmKeeper {
  current(): SourceRhythm[];
  /** Something came from the source: if it was missed, that is over. */
  received(source: string): void;
  /** Looks at once. `keep`: and writes down what is known now. */
  look(keep?: boolean): Promise<void>;
  /** Keeps what is known and ends. */
  stop(): Promise<void>;
}

/**
 * Learns from the inbox when each source usually sends. It reads what is durable, some seconds after it was answered, and
 * keeps together with what it learned up to where it read: after a crash nothing is lost but the minute not listened to the end.
 */
export function startRhythmKeeper(parts: {
  store: RhythmStore;
  sources: WatchedSource[];
  timeZone: string;
  clock: Clock;
  log: Log;
  changed(): void;
}): RhythmKeeper {
  const { store, sources, clock, log } = parts;
  const hourOf = localHours(parts.timeZone);
  const rhythms = new Map<string, Rhythm>();
  let after: ArrivalsAfter | undefined;
  let lookedAt = clock.monotonic();
  let keptAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let soon = false;
  let stopped = false;
  let failed: string | undefined;

  async function load(): Promise<ArrivalsAfter> {
    const kept = await store.rhythms();
    const texts = new Map(kept.states.map(({ source, state }) => [source, state]));
    // What a source is used to counts those who came under its name until now: without them it would seem silent for weeks.
    const left = new Set(sources.flatMap(({ name, via }) => (via !== undefined && !texts.has(name) ? [via] : [])));
    for (const { name } of sources) {
      const text = texts.get(name);
      const known = text === undefined ? undefined : readRhythm(text);
      if (text !== undefined && !known) log.warn('rhythm-learned-anew', { source: name });
      const { lastMs, today } = known ?? {};
      rhythms.set(name, known && !left.has(name) ? known : { ...newRhythm(), lastMs, today });
    }
    return kept.after;
  }

  async function arrived(from: ArrivalsAfter): Promise<{ rows: Arrivals['rows']; through: ArrivalsAfter }> {
    const rows: Arrivals['rows'] = [];
    let through = from;
    for (let more = true; more; ) {
      const next = await store.arrivals(through, clock.now());
      rows.push(...next.rows);
      ({ through, more } = next);
    }
    return { rows, through };
  }

  async function observe(keep: boolean): Promise<void> {
    after ??= await load();
    const { rows, through } = await arrived(after);
    after = through;
    const monotonic = clock.monotonic();
    const passedMs = monotonic - lookedAt;
    lookedAt = monotonic;
    // A machine that slept, or a thread that was held up: nobody was there to be sent to.
    const listenedMs = passedMs > 2 * EVERY_MS ? 0 : passedMs;
    const nowMs = clock.now();
    for (const { name, images, listens } of sources) {
      const rhythm = rhythms.get(name);
      if (!rhythm) continue;
      const arrivals = rows.filter((row) => row.source === name && row.images === images);
      advance(rhythm, { nowMs, listenedMs: listens() ? listenedMs : 0, arrivals }, hourOf);
    }
    parts.changed();
    if (!keep || monotonic - keptAt < EVERY_MS - SOON_MS) return;
    keptAt = monotonic;
    const states = [...rhythms].map(([source, rhythm]) => ({ source, state: JSON.stringify(rhythm) }));
    await store.keepRhythms({ after, states });
  }

  const look = (keep = true): Promise<void> => {
    looking = looking
      .then(() => observe(keep))
      .then(() => {
        failed = undefined;
      })
      .catch((error) => {
        // It is tried again; what stands in the way of the store is told elsewhere.
        const code = codeOf(error, 'SYS-6004');
        if (code !== failed && !stopped) log.warn('rhythm-not-kept', { code });
        failed = code;
      });
    return looking;
  };
  const turn = async (): Promise<void> => {
    soon = false;
    await look();
    // What came meanwhile may have asked for the next one already.
    if (!soon) schedule(LOOK_MS);
  };
  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void turn(), ms);
    timer.unref();
  };
  schedule(LOOK_MS);

  return {
    current: () =>
      sources.flatMap(({ name, listens }) => {
        const rhythm = rhythms.get(name);
        if (!rhythm) return [];
        const now = hourOf(clock.now());
        const usualMs = usualGapMs(rhythm, now);
        const types = rhythm.today?.day === now.day ? Object.entries(rhythm.today.types) : [];
        return [
          {
            source: name,
            ...(rhythm.lastMs !== undefined && { lastMs: rhythm.lastMs }),
            quietMs: rhythm.quietMs,
            known: mayMiss(rhythm) !== undefined,
            ...(usualMs !== undefined && { usualMs }),
            silent: listens() && isSilent(rhythm),
            types: types.map(([type, count]) => ({ type, count })).sort((a, b) => b.count - a.count),
          },
        ];
      }),
    received(source) {
      const rhythm = rhythms.get(source);
      if (!rhythm || soon || !isSilent(rhythm)) return;
      soon = true;
      schedule(SOON_MS);
    },
    look,
    async stop() {
      clearTimeout(timer);
      stopped = true;
      // Where nothing was read yet there is nothing to keep, and perhaps nobody left who answers.
      if (!after) return;
      keptAt = Number.NEGATIVE_INFINITY;
      await look();
    },
  };
}
