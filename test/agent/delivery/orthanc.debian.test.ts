import { join } from 'node:path';
import t from 'tap';
import { readHeader } from '../../../adapters/dicom/read-header.ts';
import { dicomwebPlatform } from '../../../adapters/platforms/dicomweb/adapter.ts';
import { dicomwebConfig } from '../../../adapters/platforms/dicomweb/config.ts';
import { startImageDelivery } from '../../../agent/delivery/images.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { file } from '../../adapters/platforms/dicomweb/instances.ts';
import { type Orthanc, skipOrthanc, startOrthanc } from '../../platform/orthanc/orthanc.ts';
import { quickFolder } from '../../quick-folder.ts';
import { type ImageRig, imageRig, sha256 } from '../images/rig.ts';
import { untilFigures } from './image-rig.ts';

t.setTimeout(600_000);

async function upload(rig: ImageRig, orthanc: Orthanc) {
  const connection = await dicomwebPlatform.open(
    { name: 'cloud', clock: systemClock, log: silentLog, agentId: 'agent-1' },
    dicomwebConfig.parse({ url: orthanc.url, tls: orthanc.tls }),
  );
  const delivery = startImageDelivery({
    platform: 'cloud',
    connection,
    store: rig.store,
    spool: rig.spool,
    clock: systemClock,
    log: silentLog,
    changed: () => {},
    verify: true,
    timing: { retry: { baseMs: 50, maxMs: 500 }, heartbeatMs: 200, verifyMs: 100 },
  });
  return {
    delivery,
    async stop() {
      await delivery.stop();
      await connection.close();
    },
  };
}

t.test(
  'through an outage of the platform and a restart of ours every instance arrives, once and bit for bit',
  { skip: skipOrthanc },
  async (t) => {
    const root = quickFolder('orthanc');
    const platform = { folder: join(root, 'orthanc') };
    let orthanc = await startOrthanc(platform);
    let rig = await imageRig(join(root, 'store'));
    rig.rules.reader = { read: readHeader };
    const sent = new Map<string, string>();
    const take = async (from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        const sop = `1.2.826.0.1.${i}`;
        const bytes = file({ study: `1.2.826.0.2.${Math.floor(i / 40)}`, sop, rows: 128, columns: 128 });
        sent.set(sop, sha256(bytes));
        const incoming = await rig.intake.begin({
          sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
          sopInstanceUid: phi(sop),
          transferSyntaxUid: '1.2.840.10008.1.2.1',
          receivedMs: rig.now(),
          preamble: new Uint8Array(),
        });
        await incoming.write(bytes);
        await incoming.commit();
      }
      await rig.indexAll();
    };
    await take(0, 80);
    let line = await upload(rig, orthanc);
    await untilFigures(rig, { delivered: 80 });

    await orthanc.stop();
    await take(80, 40);
    while (line.delivery.status().state !== 'retrying') await new Promise((resolve) => setTimeout(resolve, 10));
    await line.stop();
    await rig.close();

    rig = await imageRig(join(root, 'store'));
    rig.rules.reader = { read: readHeader };
    await take(120, 10);
    orthanc = await startOrthanc(platform);
    line = await upload(rig, orthanc);
    await untilFigures(rig, { waiting: 0, delivered: 130 });
    t.equal(await orthanc.count(), 130);
    let same = 0;
    for (const [sop, hash] of sent) {
      const stored = await orthanc.instanceFile(sop);
      if (stored && sha256(stored) === hash) same += 1;
    }
    t.equal(same, 130, 'bit for bit');

    // Complete, and asked after: Orthanc says that it has them all.
    rig.tick(600_000);
    t.equal(await rig.issue(), 4);
    while ((await rig.store.studiesToVerify('cloud', 9)).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const studies = await rig.store.studies(10);
    t.same(
      studies.map(({ counted }) => counted[0]),
      [10, 40, 40, 40].map((n) => ({ platform: 'cloud', delivered: n, counted: n })),
    );
    await line.stop();
    await rig.close();
    await orthanc.stop();
  },
);
