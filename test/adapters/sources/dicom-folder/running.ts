import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dicomFolderConfig } from '../../../../adapters/sources/dicom-folder/config.ts';
import { dicomFolder, type RunningFolder } from '../../../../adapters/sources/dicom-folder/source.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import type { LogFields } from '../../../../agent/support/log.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { type TestIntake, testIntake } from './watched.ts';

export interface Running {
  source: RunningFolder;
  base: string;
  inbox: string;
  archive: string;
  intake: TestIntake;
  logged: Array<{ event: string; fields: LogFields }>;
  told(): number;
}

/** The source as the runtime starts it, on a folder of its own. */
export async function startSource(
  t: { teardown(done: () => unknown): void },
  config: Record<string, unknown> = {},
  given: { base?: string; intake?: TestIntake; makeInbox?: boolean } = {},
): Promise<Running> {
  const base = given.base ?? quickFolder('dicom-folder');
  const intake = given.intake ?? testIntake();
  const [inbox, archive] = [join(base, 'inbox'), join(base, 'archive')];
  if (given.makeInbox !== false) mkdirSync(inbox, { recursive: true });
  const logged: Running['logged'] = [];
  const write = (event: string, fields: LogFields = {}) => void logged.push({ event, fields });
  let told = 0;
  const source = await dicomFolder.start(
    {
      name: 'ct',
      profile: undefined,
      clock: systemClock,
      log: { info: write, warn: write, error: write },
      accept: () => Promise.reject(new Error('no messages from here')),
      pendingBytes: () => 0,
      changed() {
        told += 1;
      },
      instances: intake,
      dataFolder: join(base, 'data'),
    },
    dicomFolderConfig.parse({ folder: inbox, archive, scan_interval_seconds: 0.2, min_age_seconds: 0.2, ...config }),
  );
  t.teardown(async () => {
    await source.stop(1000);
    await rm(base, { recursive: true, force: true });
  });
  return { source, base, inbox, archive, intake, logged, told: () => told };
}

/** Waits until a condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
