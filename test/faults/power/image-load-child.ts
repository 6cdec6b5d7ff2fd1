import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHeader } from '../../../adapters/dicom/read-header.ts';
import { dicomFolderConfig } from '../../../adapters/sources/dicom-folder/config.ts';
import { dicomFolder } from '../../../adapters/sources/dicom-folder/source.ts';
import { dicomScpConfig } from '../../../adapters/sources/dicom-scp/config.ts';
import { dicomScp } from '../../../adapters/sources/dicom-scp/source.ts';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import { type IndexingStage, indexInstances } from '../../../agent/images/index-instances.ts';
import { type RunningImages, startImages } from '../../../agent/images/running.ts';
import { issueStudies } from '../../../agent/images/studies.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { connectDevice } from '../../adapters/sources/dicom-scp/scu.ts';
import { storeRig } from '../../agent/store/rig.ts';
import { inventedImage } from '../images/invented-image.ts';
import { defaultKey, imagePlatform, imageSources, type Mark, type Plan, sha } from './oracle.ts';

/**
 * Process that is recorded: `<root> <marks file> <plan as JSON>`. The real store with its threads, the real spool, the
 * listener and two watched folders (one moves, one deletes), indexing, issues of studies, delivery and forgetting, all at
 * once. It writes a mark after each answer and before anybody could act on it: what is marked has been promised.
 */
const [root = '', marksFile = '', planText = '{}'] = process.argv.slice(2);
const plan = JSON.parse(planText) as Plan;
const marks = openSync(marksFile, 'a');
const mark = (m: Mark): void => {
  writeSync(marks, `${JSON.stringify(m)}\n`);
};
const titles = { ae_titles: ['QIANZHI'], calling_ae_titles: ['CT1'] };
/** Less than a chunk of the spool, some chunks, and whole chunks. */
const sizes = [700, 40_000, 600_000, 2 * 256 * 1024, 3_000, 270_000];
const tidy = { teardown: () => {} };

type Rig = Awaited<ReturnType<typeof storeRig>>;

for (const [number, session] of plan.sessions.entries()) {
  mark({ at: 'opening' });
  const rig = await storeRig(root, {
    sources: imageSources,
    platforms: [],
    imagePlatforms: [imagePlatform],
    keyReference: `file:${join(root, plan.key ?? defaultKey)}`,
    disk: { mapping: 0, intake: 0, ballastBytes: 64 * 1024 },
  });
  const images = await startImages({
    dataFolder: rig.options.folder,
    keepMs: 24 * 3_600_000,
    store: rig.store,
    full: () => false,
    low: () => false,
    clock: systemClock,
    log: silentLog,
    accepted() {},
  });
  const context = (name: string) => ({
    name,
    profile: undefined,
    clock: systemClock,
    log: silentLog,
    accept: () => Promise.reject(new Error('no messages from here')),
    pendingBytes: () => 0,
    changed() {},
    instances: images.intakeOf(name),
    dataFolder: rig.options.folder,
  });
  const listener = await dicomScp.start(context('pacs'), dicomScpConfig.parse({ port: 0, ...titles }));
  const folders = await Promise.all(
    (['move', 'delete'] as const).map((after) => {
      const config = {
        folder: join(root, 'inbox', after),
        archive: join(root, 'archive'),
        after,
        scan_interval_seconds: 0.2,
        min_age_seconds: 0.1,
        watch: false,
      };
      return dicomFolder.start(context(after), dicomFolderConfig.parse(config));
    }),
  );
  mark({ at: 'opened' });
  let over = false;
  const working = work(rig, images, () => over);
  const port = Number(listener.status().address?.split(':').at(-1));
  // No two sessions have a UID in common, also not with those that a recording goes on from.
  const name = `${Date.now()}.${number + 1}`;
  await Promise.all([
    ...[1, 2, 3].map((device) => push(port, `${name}.${device}`, Math.ceil(session.count / 6))),
    ...(['move', 'delete'] as const).map((after, i) => drop(after, `${name}.${7 + i}`, Math.ceil(session.count / 4))),
  ]);
  if (session.end === 'crash') process.exit(0);
  // What was dropped is taken before the end.
  while (folders.some((folder) => folder.status().folder.takenToday < Math.ceil(session.count / 4))) await sleep(20);
  over = true;
  await working;
  if (rig.fatal.length > 0) throw new Error(rig.fatal.join());
  mark({ at: 'closing' });
  await Promise.all([listener, ...folders].map((source) => source.stop(2_000)));
  images.stop();
  await rig.close();
  mark({ at: 'closed' });
}
process.exit(0);

/** A device on an association of its own; each fifth instance is sent twice. */
async function push(port: number, name: string, count: number): Promise<void> {
  const device = await connectDevice(tidy, port);
  await device.associate();
  for (let i = 1; i <= count; i++) {
    const image = inventedImage({ name: `${name}.${i}`, study: name, bytes: sizes[i % sizes.length] ?? 0 });
    for (let sends = i % 5 === 0 ? 2 : 1; sends > 0; sends--) {
      const status = await device.store(image.dataset, { sopInstance: image.uid });
      if (status !== '0000') throw new Error(`answered ${status}`);
      mark({ stored: { uid: image.uid, sha: sha(image.file) } });
    }
  }
  await device.release();
}

/** A sender that makes its file durable, says so, and then renames it into the watched folder. */
async function drop(after: string, name: string, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    const image = inventedImage({ name: `${name}.${i}`, study: name, bytes: sizes[(i + 1) % sizes.length] ?? 0 });
    const incoming = join(root, 'incoming', after);
    const fd = openSync(join(incoming, image.uid), 'wx');
    writeSync(fd, image.file);
    fsyncSync(fd);
    closeSync(fd);
    const folder = openSync(incoming, 'r');
    fsyncSync(folder);
    closeSync(folder);
    mark({ dropped: { uid: image.uid, sha: sha(image.file) } });
    renameSync(join(incoming, image.uid), join(root, 'inbox', after, image.uid));
    await sleep(15);
  }
}

/** What the stages do, as often as they can: each of them writes to store and spool while instances come in. */
async function work(rig: Rig, { spool }: RunningImages, over: () => boolean): Promise<void> {
  const clock = { stableMs: 100, hardCapMs: 1000 };
  const stage: IndexingStage = {
    store: rig.view,
    spool,
    rulesOf: () => ({ reader: { read: (head) => readHeader(head) }, urgency: {}, clock }),
    clock: systemClock,
    log: silentLog,
  };
  for (let turn = 1; !over(); turn++) {
    await indexInstances(stage);
    await issueStudies({ store: rig.view, clock: systemClock, log: silentLog });
    const limits = { instances: 4, bytes: 2 ** 22, nowMs: Date.now() };
    const claimed = await rig.store.claimInstances(imagePlatform, limits);
    if (claimed.length > 0) {
      const taken = claimed.filter(() => Math.random() < 0.6);
      const verdicts = claimed.map((c) =>
        taken.includes(c)
          ? { n: c.n, outcome: 'accepted' as const }
          : { n: c.n, outcome: 'retry' as const, code: 'PLT-1304', retryAtMs: 0 },
      );
      await rig.store.settleInstances(imagePlatform, verdicts, Date.now());
      mark({ delivered: taken.map((c) => c.sopInstanceUid.reveal()) });
    }
    if (turn % 12 === 0) {
      await forgetDelivered({ spool, store: rig.store, clock: systemClock, log: silentLog, keepMs: 0 });
    }
    await sleep(5);
  }
}
