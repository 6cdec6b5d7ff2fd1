import type { LoadedImagePlatform, LoadedPlatform } from '../../config/load.ts';
import type { Registry } from '../registry.ts';
import type { DeliveryStore } from '../store/contract.ts';
import type { ImageDeliveryStore } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { QianzhiError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { rateBySchedule } from './bandwidth.ts';
import { startDelivery } from './deliver.ts';
import { startImageDelivery } from './images.ts';
import { type KeptOpen, keepOpen } from './keep-open.ts';
import type { Delivery } from './loop.ts';
import type { WayOut, WayOutAdapter } from './platform.ts';

/** What all platforms are given. */
export interface PlatformParts {
  store: DeliveryStore & ImageDeliveryStore & { agentId: string };
  clock: Clock;
  log: Log;
  changed(): void;
}

/** A configured platform, opened or about to be. */
export interface RunningPlatform {
  wake(): void;
  status(): { platform: string; kind: string; url: string } & ReturnType<KeptOpen['status']>;
  stop(): Promise<void>;
}

/** Uploads documents to a platform. @throws QianzhiError CFG-5003 when nobody knows its kind. */
export function startPlatform(platform: LoadedPlatform, registry: Registry, parts: PlatformParts): RunningPlatform {
  return keepRunning(platform, registry.platforms, parts, (connection) =>
    startDelivery({ ...parts, platform: platform.name, connection }),
  );
}

/**
 * Uploads images to a platform.
 * @param timeZone of the site: its schedule is meant by that clock.
 * @throws QianzhiError CFG-5003 when nobody knows its kind.
 */
export function startImagePlatform(
  platform: LoadedImagePlatform,
  registry: Registry,
  parts: PlatformParts & { spool: Spool; timeZone: string },
): RunningPlatform {
  const { name, schedule, verify } = platform;
  return keepRunning(platform, registry.imagePlatforms, parts, (connection) =>
    startImageDelivery({
      ...parts,
      platform: name,
      connection,
      rateAt: rateBySchedule(schedule, parts.timeZone),
      urgentAlways: schedule.urgentAlways ?? false,
      verify,
    }),
  );
}

function keepRunning<C extends WayOut>(
  { name, kind, settings }: { name: string; kind: string; settings: Record<string, unknown> },
  adapters: ReadonlyArray<WayOutAdapter<C>>,
  { store, clock, log, changed }: PlatformParts,
  deliver: (connection: C) => Delivery,
): RunningPlatform {
  const adapter = adapters.find((a) => a.kind === kind);
  if (!adapter) throw new QianzhiError('CFG-5003', `platforms.${name}.kind`);
  const kept = keepOpen({
    platform: name,
    open: () => adapter.open({ name, clock, log, agentId: store.agentId }, settings),
    deliver,
    clock,
    log,
    changed,
  });
  return {
    wake: kept.wake,
    status: () => ({ platform: name, kind, url: String(settings.url ?? ''), ...kept.status() }),
    stop: kept.stop,
  };
}
