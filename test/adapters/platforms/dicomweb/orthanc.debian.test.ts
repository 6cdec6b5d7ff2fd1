import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { phi } from '../../../../agent/support/phi.ts';
import { type Orthanc, skipOrthanc, startOrthanc } from '../../../platform/orthanc/orthanc.ts';
import { reissue } from '../../../platform/pki.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { file, newUid, outgoing } from './instances.ts';
import { connect, instances, never } from './rig.ts';

/** A real regional store: Debian's Orthanc with its DICOMweb plugin, behind nginx for mutual TLS. */
t.setTimeout(300_000);

/** An Orthanc of the test's own. */
async function start(t: Test): Promise<{ orthanc: Orthanc; folder: string }> {
  const folder = quickFolder('orthanc');
  const orthanc = await startOrthanc({ folder });
  t.teardown(async () => {
    await orthanc.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { orthanc, folder };
}

t.test('Orthanc', { skip: skipOrthanc }, async (t) => {
  const { orthanc, folder } = await start(t);
  const connection = await connect(t, orthanc.url, orthanc.tls);

  await t.test('answers the probe and knows no study', async (t) => {
    t.match(await connection.probe(never), { ok: true });
    t.equal(await connection.countInstances!(phi(newUid()), never), 0);
  });

  await t.test('what goes in comes out bit for bit, and its Chinese name is right', async (t) => {
    const batch = instances(10);
    t.match(
      await connection.send(
        batch.map(({ out }) => out),
        never,
      ),
      { kind: 'items', items: batch.map(({ out }) => ({ n: out.n, outcome: 'accepted' })) },
    );
    for (const { sop, bytes } of batch) t.ok((await orthanc.instanceFile(sop))?.equals(bytes));
    t.equal(await orthanc.count(), 10);
    t.equal(await connection.countInstances!(batch[0]!.out.studyUid, never), 10);
    t.match(await orthanc.rest('/patients?expand'), [{ MainDicomTags: { PatientName: 'Ceshi^Jia=测试^甲' } }]);
  });

  await t.test('the same instance again is accepted and stored once', async (t) => {
    const before = await orthanc.count();
    const [one] = instances(1);
    for (let time = 0; time < 2; time++) {
      t.same(await connection.send([one!.out], never), { kind: 'items', items: [{ n: 1, outcome: 'accepted' }] });
    }
    t.equal(await orthanc.count(), before + 1);
  });

  await t.test('other content under a UID it has is listed as stored, and is not: it keeps the first', async (t) => {
    // Nothing in its answer tells. Whoever sends a conflict has to know that this can happen.
    const [one] = instances(1);
    const other = file({ ...one!, comment: 'other content' });
    await connection.send([one!.out], never);
    t.match(await connection.send([outgoing(2, other, one!)], never), { items: [{ n: 2, outcome: 'accepted' }] });
    t.ok((await orthanc.instanceFile(one!.sop))?.equals(one!.bytes));
  });

  await t.test('good ones among junk are judged one by one', async (t) => {
    const before = await orthanc.count();
    const [one, two] = instances(2);
    const junk = outgoing(9, Buffer.from('no DICOM at all\r\n'.repeat(50)), { study: newUid(), sop: newUid() });
    t.same(await connection.send([one!.out, junk, two!.out], never), {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 9, outcome: 'retry', code: 'DCM-2271' },
        { n: 2, outcome: 'accepted' },
      ],
    });
    t.equal(await orthanc.count(), before + 2);
    t.same(
      await connection.send([junk], never),
      { kind: 'refused-whole', code: 'PLT-1308' },
      'alone it is the culprit',
    );
  });

  await t.test('an instance found damaged on the way out leaves nothing of itself behind', async (t) => {
    const before = await orthanc.count();
    const [one] = instances(1);
    const made = { study: newUid(), sop: newUid() };
    const large = file({ ...made, rows: 1024, columns: 1024 });
    t.same(await connection.send([one!.out, outgoing(2, large, made, 700_000)], never), {
      kind: 'items',
      items: [
        { n: 1, outcome: 'retry', code: 'DCM-2278' },
        { n: 2, outcome: 'refused', code: 'QUE-4003' },
      ],
    });
    t.equal(await orthanc.instanceFile(made.sop), undefined);
    t.match(await connection.send([one!.out], never), { items: [{ n: 1, outcome: 'accepted' }] });
    t.equal(await orthanc.count(), before + 1);
  });

  await t.test('200 instances of half a megabyte, in requests of 10, 4 at once', async (t) => {
    const before = await orthanc.count();
    const study = newUid();
    const made = Array.from({ length: 200 }, (_, i) => ({ study, sop: newUid(), rows: 512, columns: 512, n: i + 1 }));
    const files = made.map((one) => file(one));
    const batches = Array.from({ length: 20 }, (_, i) =>
      made.slice(i * 10, i * 10 + 10).map((one, k) => outgoing(one.n, files[i * 10 + k]!, one)),
    );
    const began = performance.now();
    let accepted = 0;
    await Promise.all(
      Array.from({ length: connection.concurrency }, async () => {
        for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
          const result = await connection.send(batch, never);
          if (result.kind === 'items') accepted += result.items.filter(({ outcome }) => outcome === 'accepted').length;
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    t.equal(accepted, 200);
    t.equal(await orthanc.count(), before + 200);
    t.equal(await connection.countInstances!(phi(study), never), 200);
    for (const at of [0, 99, 199]) t.ok((await orthanc.instanceFile(made[at]!.sop))?.equals(files[at]!));
    t.comment(`200 instances of 0.5 MB in ${seconds.toFixed(1)} s: ${Math.round(200 / seconds)} a second`);
  });

  await t.test('an instance of 300 MB costs no more memory than a small one', async (t) => {
    const program = fileURLToPath(new URL('send-large.ts', import.meta.url));
    const { ca, cert, key } = orthanc.tls;
    const child = spawn(process.execPath, [program, orthanc.url, ca, cert, key, '600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const said = JSON.parse(printed) as {
      result: object;
      bytes: number;
      sop: string;
      ms: number;
      mostMegabytes: number;
    };
    t.same(said.result, { kind: 'items', items: [{ n: 1, outcome: 'accepted' }] });
    t.ok(said.mostMegabytes <= 150, `${said.mostMegabytes} MB`);
    const all = (await orthanc.rest('/instances?expand')) as Array<{
      FileSize: number;
      MainDicomTags: { SOPInstanceUID: string };
    }>;
    t.equal(all.find(({ MainDicomTags }) => MainDicomTags.SOPInstanceUID === said.sop)?.FileSize, said.bytes);
    t.comment(`${said.bytes} bytes in ${(said.ms / 1000).toFixed(1)} s, at most ${said.mostMegabytes} MB of memory`);
  });

  await t.test('while it is down instances wait, and it comes up with what it had', async (t) => {
    const before = await orthanc.count();
    const [one] = instances(1);
    await orthanc.stop();
    t.same(await connection.send([one!.out], never), { kind: 'retry', code: 'NET-1002' });
    t.same(await connection.probe(never), { ok: false, code: 'NET-1002' });
    const again = await startOrthanc({ folder });
    t.teardown(() => again.stop());
    t.equal(again.url, orthanc.url);
    // A connection that the end of the other has not reached yet may cost a try, as it does the delivery loop.
    let result = await connection.send([one!.out], never);
    for (let tries = 1; result.kind === 'retry' && tries < 20; tries++) {
      await sleep(250);
      result = await connection.send([one!.out], never);
    }
    t.match(result, { items: [{ n: 1, outcome: 'accepted' }] });
    t.equal(await again.count(), before + 1);
    await again.stop();
  });
});

t.test('Orthanc behind mutual TLS takes nothing from a stranger', { skip: skipOrthanc }, async (t) => {
  const { orthanc } = await start(t);
  const [one] = instances(1);
  reissue(orthanc.pki, { client: 'other-ca' });
  const stranger = await connect(t, orthanc.url, orthanc.tls);
  t.same(await stranger.send([one!.out], never), { kind: 'stop', code: 'TLS-1204' });
  t.same(await stranger.probe(never), { ok: false, code: 'TLS-1204' });
  t.equal(await orthanc.count(), 0);
});
