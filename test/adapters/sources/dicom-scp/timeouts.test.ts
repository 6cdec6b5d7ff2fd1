import t, { type Test } from 'tap';
import { startListener, until } from './listener.ts';
import {
  anyDataset,
  associateRq,
  connectDeafDevice,
  connectDevice,
  echoRq,
  pdata,
  pdu,
  pdv,
  releaseRq,
  storeRq,
} from './scu.ts';

const dataset = anyDataset(3000);

/** Sends a byte now and then, for as long as it may. */
function drip(t: Test, device: Device, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => device.send(bytes.subarray(at % bytes.length, (at++ % bytes.length) + 1)), 10);
  t.teardown(() => clearInterval(timer));
  void device.closed.then(() => clearInterval(timer));
}

type Device = Awaited<ReturnType<typeof connectDevice>>;

t.test(
  'ARTIM: a connection that asks for nothing, or not to the end, is closed; an open association stays',
  async (t) => {
    const { port, problems } = await startListener(t, { association_timeout_seconds: 0.1 });
    const open = await connectDevice(t, port);
    await open.associate();
    const mute = await connectDevice(t, port);
    t.same(await mute.rest(), [7]);
    const slow = await connectDevice(t, port);
    drip(t, slow, associateRq().subarray(0, 100));
    t.same(await slow.rest(), [7]);
    t.same(problems(), ['DCM-2240']);
    t.equal(await open.store(dataset), '0000');
  },
);

t.test('an association that is silent between two PDUs is aborted, in the middle of a dataset too', async (t) => {
  const { port, intake, problems } = await startListener(t, { idle_timeout_seconds: 0.1 });
  const idle = await connectDevice(t, port);
  await idle.associate();
  t.equal(await idle.store(dataset), '0000');
  t.same(await idle.rest(), [7]);
  const stuck = await connectDevice(t, port);
  await stuck.associate();
  stuck.send(pdata(1, 'command', storeRq()), pdu(4, pdv(1, 0, dataset)));
  t.same(await stuck.rest(), [7]);
  await until(() => intake.open() === 0);
  t.same(problems(), ['DCM-2242']);
  t.equal(intake.kept.length, 1);
});

t.test('an association that says a little now and then stays, for many times the idle time', async (t) => {
  const { port, problems } = await startListener(t, { idle_timeout_seconds: 0.2 });
  const device = await connectDevice(t, port);
  await device.associate();
  for (let n = 0; n < 30; n++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    device.send(pdata(3, 'command', echoRq()));
    t.equal((await device.response()).status, '0000');
  }
  t.same(problems(), []);
});

t.test(
  'a PDU that is begun and not ended in time is aborted; a slow device that ends each of them stays',
  async (t) => {
    const { port, intake, problems } = await startListener(t, { pdu_timeout_seconds: 0.2 });
    const slow = await connectDevice(t, port);
    await slow.associate();
    slow.send(pdata(1, 'command', storeRq()));
    drip(t, slow, pdu(4, pdv(1, 0, anyDataset(1))));
    const stuck = await connectDevice(t, port);
    await stuck.associate();
    stuck.send(pdata(1, 'command', storeRq()), pdu(4, pdv(1, 0, dataset)).subarray(0, 2000));
    drip(t, stuck, dataset.subarray(0, 3));
    t.same(await stuck.rest(), [7]);
    t.same(problems(), ['DCM-2241']);
    t.equal(intake.open(), 1, 'the one that ends its PDUs is still being received');
  },
);

t.test('time that the store takes counts against nobody', async (t) => {
  const { port, intake, problems } = await startListener(t, {
    idle_timeout_seconds: 0.1,
    pdu_timeout_seconds: 0.1,
    association_timeout_seconds: 0.1,
  });
  intake.before((step) => (step === 'write' ? undefined : new Promise((resolve) => setTimeout(resolve, 400))));
  const device = await connectDevice(t, port);
  await device.associate();
  t.equal(await device.store(dataset), '0000');
  t.same(problems(), []);
});

t.test('a device that reads no responses is closed; others go on', async (t) => {
  const { port, problems } = await startListener(t, { pdu_timeout_seconds: 0.3 });
  await connectDeafDevice(t, port);
  const good = await connectDevice(t, port);
  await good.associate();
  t.equal(await good.store(dataset), '0000');
  await until(() => problems().includes('DCM-2248'));
  t.pass('closed');
});

t.test('a peer that does not close after the last word is closed', async (t) => {
  const { port, source } = await startListener(t, { association_timeout_seconds: 0.2 });
  const device = await connectDevice(t, port);
  await device.associate();
  device.socket.removeAllListeners('end');
  device.send(releaseRq);
  t.equal((await device.pdu())?.type, 6);
  drip(t, device, Buffer.from([4]));
  await until(() => source.status().senders[0]?.connections === 0);
  t.pass('closed');
});
