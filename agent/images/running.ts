import { join } from 'node:path';
import type { InstanceIntake } from '../intake/instance.ts';
import type { ImageStore } from '../store/image-contract.ts';
import { openSpool, type Spool } from '../store/spool.ts';
import type { Clock } from '../support/clock.ts';
import { codeOf } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { forgetDelivered } from './forget.ts';
import { reconcileSpool } from './reconcile.ts';
import { takeInInstances } from './take-in.ts';

const HOUR_MS = 3_600_000;

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
  /** This start found that rows were lost. */
  rowsLost: boolean;
  /** True while the disk is too full to take more. */
  full(): boolean;
  clock: Clock;
  log: Log;
  /** Called when a new instance is durable. */
  accepted(): void;
}): Promise<RunningImages> {
  const { store, clock, log, keepMs } = parts;
  const spool = openSpool({ folder: spoolFolder(parts.dataFolder), full: parts.full });
  await reconcileSpool({ spool, store, log, rowsLost: parts.rowsLost });
  const forget = () =>
    void forgetDelivered({ spool, store, clock, log, keepMs }).catch((error: unknown) =>
      log.error('images-not-forgotten', { code: codeOf(error, 'QUE-4007') }),
    );
  const timer = setInterval(forget, HOUR_MS);
  timer.unref();
  return {
    spool,
    intakeOf: (source) => takeInInstances({ source, spool, store, accepted: parts.accepted }),
    stop: () => clearInterval(timer),
  };
}
