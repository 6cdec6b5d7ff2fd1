import type { Test } from 'tap';
import type { ImagePlatformConnection, OutgoingInstance } from '../../../agent/delivery/image-platform.ts';
import { type ImageDeliveryParts, startImageDelivery } from '../../../agent/delivery/images.ts';
import type { SendResult } from '../../../agent/delivery/platform.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { type ImageRig, imageRig, sha256 } from '../images/rig.ts';

/** What the platform of these tests says to a request; it has read every byte of it before. */
export type Answer = (instances: OutgoingInstance[], signal: AbortSignal) => SendResult | Promise<SendResult>;

export const all =
  (outcome: 'accepted'): Answer =>
  (instances) => ({ kind: 'items', items: instances.map(({ n }) => ({ n, outcome })) });

/** A platform in memory that keeps what it was sent, as far as one keeps bytes: their sum and hash. */
export class RecordingPlatform implements ImagePlatformConnection {
  limits = { instances: 10, bytes: 16 * 1024 * 1024 };
  concurrency = 4;
  answer: Answer = all('accepted');
  probeAnswer: Awaited<ReturnType<ImagePlatformConnection['probe']>> = { ok: true };
  counted: (studyUid: string) => number | undefined = () => undefined;
  /** Instance → hash of each time it came whole. */
  readonly seen = new Map<number, string[]>();
  readonly requests: number[][] = [];
  /** Instances on the wire, and those that were twice at once. */
  readonly #onWire = new Set<number>();
  readonly twiceAtOnce: number[] = [];
  mostAtOnce = 0;
  #open = 0;

  async send(instances: OutgoingInstance[], signal: AbortSignal): Promise<SendResult> {
    this.requests.push(instances.map(({ n }) => n));
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    for (const { n } of instances) {
      if (this.#onWire.has(n)) this.twiceAtOnce.push(n);
      this.#onWire.add(n);
    }
    try {
      for (const instance of instances) {
        const pieces: Uint8Array[] = [];
        for await (const piece of instance.open()) {
          if (signal.aborted) return { kind: 'retry', code: 'NET-1006' };
          pieces.push(piece);
        }
        const bytes = Buffer.concat(pieces);
        if (bytes.length !== instance.bytes) throw new Error('not as long as it said');
        this.seen.set(instance.n, [...(this.seen.get(instance.n) ?? []), sha256(bytes)]);
      }
      return await this.answer(instances, signal);
    } finally {
      for (const { n } of instances) this.#onWire.delete(n);
      this.#open -= 1;
    }
  }
  async countInstances(studyUid: { reveal(): string }): Promise<number | undefined> {
    return this.counted(studyUid.reveal());
  }
  probes = 0;
  async probe() {
    this.probes += 1;
    return this.probeAnswer;
  }
  certificates = () => [];
  close = async () => {};
}

/** Real store and spool, the real loop, and a platform that answers as told. */
export async function deliveryRig(
  t: Test,
  folder?: string,
): Promise<
  ImageRig & {
    platform: RecordingPlatform;
    start(over?: Partial<ImageDeliveryParts>): ReturnType<typeof startImageDelivery>;
    events: string[];
  }
> {
  const rig = await imageRig(folder);
  const platform = new RecordingPlatform();
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await rig.close();
    open = false;
  };
  const deliveries: Array<ReturnType<typeof startImageDelivery>> = [];
  const events: string[] = [];
  const say = (event: string, fields?: { code?: string }) => void events.push(`${event} ${fields?.code ?? ''}`.trim());
  t.teardown(async () => {
    for (const delivery of deliveries) await delivery.stop();
    await close();
    if (platform.twiceAtOnce.length > 0) throw new Error(`on the wire twice at once: ${platform.twiceAtOnce}`);
  });
  return {
    ...rig,
    close,
    platform,
    events,
    start(over = {}) {
      const delivery = startImageDelivery({
        platform: 'cloud',
        connection: platform,
        store: rig.store,
        spool: rig.spool,
        clock: systemClock,
        log: { info: say, warn: say, error: say },
        changed: () => {},
        timing: {
          retry: { baseMs: 10, maxMs: 40 },
          probeMs: 60,
          heartbeatMs: 1_000,
          closedMs: 20,
          verifyMs: 20,
          graceMs: 2_000,
        },
        ...over,
      });
      deliveries.push(delivery);
      return delivery;
    },
  };
}

/** Figures of the platform once they are as wanted; the limit only keeps a broken build from hanging. */
export async function untilFigures(
  rig: Pick<ImageRig, 'store'>,
  wanted: Partial<Record<'waiting' | 'delivered' | 'held' | 'conflict' | 'withdrawn', number>>,
): Promise<void> {
  const limit = Date.now() + 20_000;
  for (;;) {
    const [figures] = (await rig.store.imageFigures(Date.now())).platforms;
    const entries = Object.entries(wanted) as Array<['waiting', number]>;
    if (figures && entries.every(([key, n]) => figures[key] === n)) return;
    if (Date.now() > limit) throw new Error(`did not come about: ${JSON.stringify(figures)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
