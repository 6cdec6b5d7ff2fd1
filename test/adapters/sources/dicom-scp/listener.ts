import { rmSync } from 'node:fs';
import type { Test } from 'tap';
import { dicomScpConfig } from '../../../../adapters/sources/dicom-scp/config.ts';
import { dicomScp } from '../../../../adapters/sources/dicom-scp/source.ts';
import type { RunningSource } from '../../../../agent/intake/source.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import type { LogFields } from '../../../../agent/support/log.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { type FolderIntake, folderIntake } from './folder-intake.ts';

export const ourTitle = 'QIANZHI';
export const deviceTitle = 'CT1';

export interface Listener {
  source: RunningSource;
  port: number;
  intake: FolderIntake;
  logged: Array<{ event: string; fields: LogFields }>;
  /** Last problem of each peer. */
  problems(): string[];
}

/** A folder that goes with the test. */
export function folderFor(t: Pick<Test, 'teardown'>, name: string): string {
  const folder = quickFolder(name);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A listener on a free port that takes from `CT1`, with an intake that writes files. */
export async function startListener(
  t: Pick<Test, 'teardown'>,
  config: Record<string, unknown> = {},
  folder = folderFor(t, 'scp'),
): Promise<Listener> {
  const logged: Listener['logged'] = [];
  const write = (event: string, fields: LogFields = {}) => void logged.push({ event, fields });
  const intake = folderIntake(folder);
  const source = await dicomScp.start(
    {
      name: 'ct',
      profile: undefined,
      clock: systemClock,
      log: { info: write, warn: write, error: write },
      accept: () => Promise.reject(new Error('no message comes this way')),
      dataFolder: '',
      pendingBytes: () => 0,
      changed() {},
      instances: intake,
      renewMs: 20,
    },
    dicomScpConfig.parse({ port: 0, ae_titles: [ourTitle], calling_ae_titles: [deviceTitle], ...config }),
  );
  t.teardown(() => source.stop(0));
  return {
    source,
    port: Number(source.status().address?.split(':').at(-1)),
    intake,
    logged,
    problems: () => source.status().senders.flatMap((sender) => (sender.problem ? [sender.problem.code] : [])),
  };
}

/** Waits until a condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
