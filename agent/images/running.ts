import { join } from 'node:path';
import type { InstanceIntake } from '../intake/instance.ts';
import type { ImageStore } from '../store/image-contract.ts';
import { openSpool, type Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { forgetDelivered } from './forget.ts';
import type { InstanceHead } from './heads.ts';
import { reconcileSpool } from './reconcile.ts';
import { takeInInstances } from './take-in.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** For the associations that usually send at once; half of them are made together. */
const FILES_AHEAD = 16;

export interface RunningImages {
  spool: Spool;
  /** What a source hands its instances to. */
  intakeOf(source: string): InstanceIntake;
  stop(): void;
}

/** Where the bytes of instances lie, in the data folder. */
export const spoolFolder = (dataFolder: string): string => join(dataFolder, 'spool');

/**
 * What every site with images needs: the spool, in agreement with the store before the first instance comes, and its
 * housekeeping. Rejects with the code of what stands in the way.
 */
export async function startImages(parts: {
  dataFolder: string;
  /** How long the file of an instance is kept after it was delivered everywhere. */
  keepMs: number;
  store: ImageStore;
  /** True while the disk is too full to take more. */
  full(): boolean;
  /** True while there is little room: what was delivered everywhere goes before its time. */
  low(): boolean;
  clock: Clock;
  log: Log;
  /** Called when a new instance is durable. */
  accepted(head: InstanceHead): void;
}): Promise<RunningImages> {
  const { store, clock, log, keepMs } = parts;
  const spool = openSpool({ folder: spoolFolder(parts.dataFolder), full: parts.full, ahead: FILES_AHEAD });
  await reconcileSpool({ spool, store, clock, log });
  const naming = new Set<Promise<void>>();
  let forgetting = false;
  async function forget(how: { keepMs: number; wanted?(): boolean }): Promise<void> {
    if (forgetting) return;
    forgetting = true;
    try {
      await forgetDelivered({ spool, store, clock, log, ...how });
    } catch (error) {
      log.error('images-not-forgotten', { code: codeOf(error, 'QUE-4007') });
    } finally {
      forgetting = false;
    }
  }
  let stopped = false;
  const wanted = () => !stopped && parts.low();
  const makeRoom = () => void (wanted() && forget({ keepMs: 0, wanted }));
  const timers = [setInterval(() => void forget({ keepMs }), HOUR_MS), setInterval(makeRoom, MINUTE_MS)];
  for (const timer of timers) timer.unref();
  makeRoom();
  return {
    spool,
    intakeOf: (source) => takeInInstances({ source, spool, store, naming, accepted: parts.accepted }),
    stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
    },
  };
}
