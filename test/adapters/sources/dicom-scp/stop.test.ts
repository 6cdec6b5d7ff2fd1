import { createServer } from 'node:net';
import t from 'tap';
import { dicomScpConfig } from '../../../../adapters/sources/dicom-scp/config.ts';
import { startListener, until } from './listener.ts';
import { anyDataset, connectDeafDevice, connectDevice, pdata, pdu, pdv, releaseRp, releaseRq, storeRq } from './scu.ts';

const dataset = anyDataset(3000);

t.test('starting fails with its code: port in use, off loopback without peers, address not ours', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await t.rejects(startListener(t, { port }), { code: 'DCM-2231', where: 'sources.ct.port' });
  await t.rejects(startListener(t, { host: '0.0.0.0' }), { code: 'CFG-5011', where: 'sources.ct.peers' });
  await t.rejects(startListener(t, { host: '192.0.2.1', peers: ['10.0.0.0/8'] }), {
    code: 'CFG-5003',
    where: 'sources.ct.host',
  });
});

t.test('the configuration names both sides and knows what an AE title is', async (t) => {
  const least = { port: 0, ae_titles: ['QIANZHI'], calling_ae_titles: ['CT1'] };
  t.ok(dicomScpConfig.safeParse(least).success);
  for (const wrong of [
    { calling_ae_titles: undefined },
    { ae_titles: [] },
    { ae_titles: ['LONGER THAN SIXTEEN'] },
    { calling_ae_titles: [' CT1'] },
    { calling_ae_titles: ['CT\\1'] },
    { calling_ae_titles: ['放射科'] },
    { calling_ae_titles: [''] },
    { further_sop_classes: ['CT'] },
    { peers: ['10.0.0.0/33'] },
    { tls: { cert: 'a', key: 'b' } },
  ])
    t.notOk(dicomScpConfig.safeParse({ ...least, ...wrong }).success, JSON.stringify(wrong));
  t.ok(dicomScpConfig.safeParse({ ...least, tls: { cert: 'a', key: 'b', client_certificates: 'none' } }).success);
});

t.test(
  'stop: the instance under way is finished and answered, then the association released; no new one',
  async (t) => {
    const { port, source, intake } = await startListener(t);
    const device = await connectDevice(t, port);
    await device.associate();
    const bytes = Buffer.concat([pdata(1, 'command', storeRq()), pdata(1, 'dataset', dataset, 1000)]);
    device.send(bytes.subarray(0, bytes.length - 100));
    await until(() => intake.open() === 1);
    const stopped = source.stop(60_000);
    await t.rejects(connectDevice(t, port), { code: 'ECONNREFUSED' });
    device.send(bytes.subarray(bytes.length - 100));
    t.equal((await device.response()).status, '0000');
    t.equal((await device.pdu())?.type, 5, 'a release is asked for');
    device.send(releaseRp);
    await device.closed;
    await stopped;
    t.equal(source.status().state, 'stopped');
    t.equal(intake.kept.length, 1);
  },
);

t.test('stop: an idle association is released; what it still sends is not taken', async (t) => {
  const { port, source, intake } = await startListener(t);
  const [idle, busy, mute] = [await connectDevice(t, port), await connectDevice(t, port), await connectDevice(t, port)];
  await idle.associate();
  await busy.associate();
  await until(() => source.status().senders[0]?.connections === 3);
  const stopped = source.stop(60_000);
  t.same(await mute.rest(), [7], 'one that had not asked yet is aborted');
  t.equal((await idle.pdu())?.type, 5);
  idle.send(releaseRp);
  t.equal((await busy.pdu())?.type, 5);
  busy.send(pdata(1, 'command', storeRq()), pdata(1, 'dataset', dataset), releaseRp);
  t.same(await busy.rest(), []);
  await stopped;
  t.equal(intake.kept.length, 0);
});

t.test('a release from both sides at once: the requestor answers first, then we', async (t) => {
  const { port, source, problems } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  const stopped = source.stop(60_000);
  t.equal((await device.pdu())?.type, 5);
  device.send(releaseRq);
  device.send(releaseRp);
  t.same(await device.rest(), [6]);
  await stopped;
  t.same(problems(), []);
});

t.test('stop: after the grace what hangs is aborted, nothing of it kept', async (t) => {
  const { port, source, intake } = await startListener(t);
  const [hangs, silent] = [await connectDevice(t, port), await connectDevice(t, port)];
  await hangs.associate();
  await silent.associate();
  hangs.send(pdata(1, 'command', storeRq()), pdu(4, pdv(1, 0, dataset)));
  await until(() => intake.open() === 1);
  const stopped = source.stop(100);
  t.same(await silent.rest(), [5, 7]);
  t.same(await hangs.rest(), [7]);
  await stopped;
  await until(() => intake.open() === 0);
  t.equal(intake.kept.length, 0);
  await source.stop(100);
});

t.test('stop: a device that reads nothing does not hold it up beyond the grace', async (t) => {
  const { port, source } = await startListener(t);
  await connectDeafDevice(t, port);
  // When no more of its commands are answered it is blocked by the answers it does not read.
  const answered = () => source.status().senders[0]?.problem?.count ?? 0;
  for (let before = -1; before < answered(); ) {
    before = answered();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await source.stop(50);
  t.equal(source.status().state, 'stopped');
});

t.test('logs hold codes and addresses, never what a device said', async (t) => {
  const { port, logged, source } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  await device.store(dataset, { sopInstance: '1.2.ZHANG' });
  await device.store(dataset, { sopClass: '1.2.840.10008.5.1.4.1.1.ZHANG' });
  device.send(Buffer.from('ZHANG SAN'));
  await device.rest();
  t.notMatch(JSON.stringify([logged, source.status()]), 'ZHANG');
  t.same(
    logged.flatMap(({ fields }) => fields.code ?? []),
    ['DCM-2246', 'DCM-2245', 'DCM-2237'],
  );
});
