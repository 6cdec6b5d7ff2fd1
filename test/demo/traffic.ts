import iconv from 'iconv-lite';
import { type MllpClient, makeMllpClient } from './mllp-client.ts';
import { playScenes, type Scene, senders } from './script.ts';

export interface Traffic {
  /** Messages acknowledged with AA or CA. */
  acknowledged(): number;
  /** Ends; a message on its way may stay without its answer. */
  stop(): void;
}

export interface TrafficOptions {
  host: string;
  port: number;
  startMs?: number;
  seed?: number;
  /** Pause between messages; default one second. */
  pauseMs?: number;
  /** Ends after so many scenes; endless when absent. */
  count?: number;
  /** After each acknowledged message. */
  onAcknowledged?: (scene: Scene) => void;
}

/** The bytes of a scene as its sender writes them. */
export const encodeScene = (scene: Scene): Buffer => iconv.encode(scene.text, scene.sender.encoding);

/**
 * Plays the hospital: scene after scene in order, each sender over its own connection. What is not
 * acknowledged positively is sent again, the same bytes, until it is, as real senders do.
 */
export function startTraffic(options: TrafficOptions): Traffic {
  const { host, port, pauseMs = 1000 } = options;
  const clients = new Map<string, MllpClient>(
    senders.map(({ application }, index) => [
      application,
      makeMllpClient({ host, port }, host === '127.0.0.1' ? { localAddress: `127.0.0.${index + 1}` } : {}),
    ]),
  );
  let acknowledged = 0;
  let stopped = false;
  let wake = () => {};
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function deliver(scene: Scene): Promise<void> {
    const bytes = encodeScene(scene);
    const client = clients.get(scene.sender.application)!;
    for (let again = 0; !stopped; again++) {
      const code = await client.send(bytes, scene.controlId).catch(() => 'none');
      if (code === 'AA' || code === 'CA') {
        acknowledged++;
        options.onAcknowledged?.(scene);
        return;
      }
      if (!stopped) await pause(Math.min(200 * 2 ** again, 3000));
    }
  }

  async function play(): Promise<void> {
    let played = 0;
    for (const scene of playScenes(options.startMs ?? Date.now(), options.seed)) {
      if (stopped || played === options.count) return;
      played++;
      await deliver(scene);
      if (!stopped) await pause(pauseMs);
    }
  }
  void play();

  return {
    acknowledged: () => acknowledged,
    stop() {
      stopped = true;
      wake();
      for (const client of clients.values()) client.close();
    },
  };
}
