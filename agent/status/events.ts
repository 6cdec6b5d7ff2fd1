import type { StatusModel } from './model.ts';

/** Server-sent events of the status model (`status`), a proof of life (`tick`), and comments as heartbeat. */
export interface EventHub {
  /** A new stream, or undefined when there are `maxStreams` already. It begins with the whole model. */
  open(): ReadableStream<Uint8Array> | undefined;
  streams(): number;
  close(): void;
}

export interface EventHubOptions {
  model: () => StatusModel;
  /** Called with a function to be called on every change; gives back how to stop that. */
  subscribe: (changed: () => void) => () => void;
  now: () => number;
  maxStreams?: number;
  /** Shortest time between two `status` events. */
  minGapMs?: number;
  /** A `tick` this often lets the page tell a quiet agent from a hung one. */
  tickMs?: number;
  heartbeatMs?: number;
}

interface Stream {
  controller: ReadableStreamDefaultController<Uint8Array>;
  /** A reader that does not keep up gets the newest model when it reads again; nothing piles up. */
  behind: boolean;
}

const encoder = new TextEncoder();

/** Streams share one serialised model per change; timers run only while somebody listens. */
export function createEventHub(options: EventHubOptions): EventHub {
  const { model, now, maxStreams = 32, minGapMs = 500, tickMs = 2000, heartbeatMs = 15_000 } = options;
  const streams = new Set<Stream>();
  let id = 0;
  let newest = encoder.encode('');
  let gap: NodeJS.Timeout | undefined;
  let dirty = false;
  let closed = false;
  const timers: NodeJS.Timeout[] = [];

  const render = (): Uint8Array<ArrayBuffer> => {
    id += 1;
    newest = encoder.encode(`id: ${id}\nevent: status\ndata: ${JSON.stringify(model())}\n\n`);
    return newest;
  };
  const roomIn = (stream: Stream): boolean => (stream.controller.desiredSize ?? 0) > 0;

  const broadcast = (): void => {
    dirty = false;
    gap = setTimeout(() => {
      gap = undefined;
      if (dirty && streams.size > 0) broadcast();
    }, minGapMs);
    gap.unref();
    render();
    for (const stream of streams) {
      if (roomIn(stream)) stream.controller.enqueue(newest);
      else stream.behind = true;
    }
  };
  const unsubscribe = options.subscribe(() => {
    dirty = true;
    if (gap === undefined && streams.size > 0 && !closed) broadcast();
  });

  const toAllWithRoom = (text: () => string): void => {
    const bytes = encoder.encode(text());
    for (const stream of streams) if (roomIn(stream)) stream.controller.enqueue(bytes);
  };
  const startTimers = (): void => {
    timers.push(setInterval(() => toAllWithRoom(() => `event: tick\ndata: {"atMs":${now()}}\n\n`), tickMs));
    timers.push(setInterval(() => toAllWithRoom(() => ': alive\n\n'), heartbeatMs));
    for (const timer of timers) timer.unref();
  };
  const stopTimers = (): void => {
    for (const timer of timers.splice(0)) clearInterval(timer);
  };
  const drop = (stream: Stream): void => {
    streams.delete(stream);
    if (streams.size === 0) stopTimers();
  };

  return {
    open() {
      if (closed || streams.size >= maxStreams) return undefined;
      let own: Stream | undefined;
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            own = { controller, behind: false };
            streams.add(own);
            if (streams.size === 1) startTimers();
            controller.enqueue(encoder.encode('retry: 2000\n\n'));
            controller.enqueue(render());
          },
          pull() {
            if (own?.behind !== true) return;
            own.behind = false;
            own.controller.enqueue(newest);
          },
          cancel() {
            if (own !== undefined) drop(own);
          },
        },
        // Two chunks: the greeting and one model. A stalled reader costs no more than that.
        { highWaterMark: 2 },
      );
    },
    streams: () => streams.size,
    close() {
      closed = true;
      unsubscribe();
      clearTimeout(gap);
      stopTimers();
      for (const stream of streams) stream.controller.close();
      streams.clear();
    },
  };
}
