import { join } from 'node:path';
import { dicomFolderConfig } from '../../../../adapters/sources/dicom-folder/config.ts';
import { dicomFolder } from '../../../../adapters/sources/dicom-folder/source.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { imageRig } from '../../../agent/images/rig.ts';

/** Process of kill.long.test.ts: `<folder> <after>`; real store, real spool, the folder source. Ends when it is killed or told `stop`. */
const [base = '', after = 'move'] = process.argv.slice(2);
const rig = await imageRig(join(base, 'store'));
const source = await dicomFolder.start(
  {
    name: 'pacs',
    profile: undefined,
    clock: systemClock,
    log: silentLog,
    accept: () => Promise.reject(new Error('no messages from here')),
    pendingBytes: () => 0,
    changed() {},
    instances: rig.intake,
    dataFolder: join(base, 'store', 'data'),
  },
  dicomFolderConfig.parse({
    folder: join(base, 'inbox'),
    archive: join(base, 'archive'),
    after,
    scan_interval_seconds: 0.2,
    min_age_seconds: 0.2,
  }),
);
process.on('message', async () => {
  await source.stop(5000);
  await rig.close();
  process.disconnect();
});
process.on('disconnect', () => process.exit(0));
setInterval(() => process.send?.(source.status().folder.takenToday), 100).unref();
process.send?.(0);
