import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import iconv from 'iconv-lite';
import t from 'tap';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { datasetOf, type ImageRig, imageRig } from './rig.ts';

/** Everything that is ever asked about images, once. */
async function everything(rig: ImageRig): Promise<void> {
  for (const uid of ['1.1', '1.2', '1.3']) await rig.take({ uid, modality: 'CT' });
  await rig.take({ uid: '1.1', pixels: 3 });
  rig.rules.urgency = { modalities: ['CT'] };
  await rig.indexAll();
  rig.tick(60_000);
  await rig.issue();
  await rig.claimImages();
  await rig.accepted([1, 2]);
  await rig.store.settleInstances(
    'cloud',
    [{ n: 3, outcome: 'retry', code: 'NET-1006', retryAtMs: rig.now() + 9 }],
    rig.now(),
  );
  await rig.store.nextInstanceDueMs('cloud', rig.now());
  await rig.store.withdrawnInstances([1]);
  await rig.store.withdrawStudy(1, true);
  await rig.store.withdrawStudy(1, false);
  await rig.store.imagesDeleted(1, 'cloud');
  await rig.store.studiesToVerify('cloud', 5);
  await rig.store.studyCounted('cloud', 1, 2, 2);
  await rig.store.resendInstances({ study: 1 }, undefined);
  await rig.store.resendInstances({ n: 4 }, 'cloud');
  await rig.store.filesLost(['a'.repeat(32)]);
  await forgetDelivered({
    spool: rig.spool,
    store: rig.store,
    clock: { now: rig.now, monotonic: rig.now },
    log: silentLog,
  });
  await rig.store.imageFigures(rig.now());
  await rig.store.studies(10);
  await rig.store.studyByUid(phi('1.2.1'));
  await rig.store.studyNumbered(1);
  await rig.store.findStudies('patient', phi('P1'), 10);
  await rig.store.findStudies('uid', phi('1.2.1'), 10);
  await rig.store.forgetPlatform('nobody');
  await rig.store.instancesOf(1, 10);
}

t.test('nothing that is asked about images walks a table that grows: an index answers', async (t) => {
  const prepared: string[] = [];
  const real = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...rest: Parameters<typeof real>) {
    prepared.push(rest[0]);
    return real.apply(this, rest);
  };
  t.teardown(() => {
    DatabaseSync.prototype.prepare = real;
  });
  const rig = await imageRig();
  t.teardown(rig.close);
  await everything(rig);
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
  t.teardown(() => db.close());
  const ours = [...new Set(prepared)].filter((sql) =>
    /\b(instance|upload|study|series|study_balance|study_key|instance_day)\b/.test(sql),
  );
  t.ok(ours.length > 40);
  for (const sql of ours) {
    if (!/^\s*(SELECT|UPDATE|DELETE)/.test(sql)) continue;
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as unknown as Array<{ detail: string }>;
    const scans = steps
      .map((s) => s.detail)
      .filter((s) =>
        /^SCAN (instance|instance_sealed|upload|study|series|study_balance|study_check|study_key|instance_day|i|s|u|c|k)\b/.test(
          s,
        ),
      );
    // Partial indexes of what is unread or somebody's task are as small as what they hold.
    t.same(
      scans.filter((s) => !/USING (COVERING )?INDEX (instance_unread|study_withdrawn|study_suspect)/.test(s)),
      [],
      sql,
    );
    t.notOk(
      steps.some((s) => /USE TEMP B-TREE FOR ORDER BY/.test(s.detail)),
      `${sql}: in the order of its index`,
    );
  }
});

t.test('no patient value and no UID can be read in any file of the store or the spool, in any charset', async (t) => {
  const rig = await imageRig();
  const canaries = [
    '珅玘金丝雀',
    'CANARY-PATIENT-77',
    '19990101CANARY',
    'ACC-CANARY-9',
    '1.2.840.999999.77',
    '1.3.999.88',
  ];
  const [name, patientId, birthDate, accessionNumber, uid, study] = canaries as [string, ...string[]];
  const said = {
    uid: uid!,
    study: study!,
    series: `${study}.1`,
    patientId,
    birthDate,
    accessionNumber,
    patientName: { ideographic: name },
    studyDescription: name,
    seriesDescription: name,
    pixels: 300_000,
  };
  await rig.take(said);
  await rig.take({ ...said, pixels: 5 });
  await rig.indexAll();
  rig.tick(60_000);
  await rig.issue();
  await rig.claimImages();
  await rig.accepted([1]);
  const scan = () => {
    for (const entry of readdirSync(rig.options.folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      for (const canary of canaries) if (path.includes(canary)) t.fail(`canary in the name of ${entry.name}`);
      if (!entry.isFile()) continue;
      const bytes = readFileSync(path);
      for (const canary of canaries) {
        for (const charset of ['utf8', 'gb18030', 'utf16le', 'utf16be']) {
          if (bytes.includes(iconv.encode(canary, charset))) t.fail(`${charset} canary in ${entry.name}`);
        }
      }
    }
  };
  scan();
  t.ok(datasetOf(said).includes(uid!), 'the canaries were there to be found');
  await rig.close();
  scan();
});
