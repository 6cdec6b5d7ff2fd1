import { readFileSync } from 'node:fs';
import t from 'tap';
import { buildPreamble } from '../../../../adapters/dicom/part10.ts';
import { startListener, until } from './listener.ts';
import {
  anyDataset,
  associateRq,
  connectDevice,
  context,
  ctImage,
  echoRq,
  element,
  explicitLittle,
  jpegBaseline,
  pdata,
  pdu,
  pdv,
  plainRq,
  releaseRq,
  storeRq,
  usual,
  verification,
} from './scu.ts';

t.test('an instance is kept with its preamble and its dataset untouched, then answered 0000', async (t) => {
  const { port, intake, source } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  const dataset = anyDataset(300_001);
  t.equal(await device.store(dataset, { sopInstance: '1.2.3.77' }), '0000');
  t.equal(intake.kept.length, 1);
  const [kept] = intake.kept;
  const preamble = buildPreamble({
    sopClassUid: ctImage,
    sopInstanceUid: '1.2.3.77',
    transferSyntaxUid: explicitLittle,
  });
  t.ok(readFileSync(kept!.file).equals(Buffer.concat([preamble, dataset])));
  t.match(kept?.origin, { sopClassUid: ctImage, transferSyntaxUid: explicitLittle });
  t.equal(kept?.origin.sopInstanceUid.reveal(), '1.2.3.77');
  await device.release();
  t.match(source.status().senders, [{ address: '127.0.0.1', messagesToday: 1, lastAck: '0000' }]);
  t.notOk(source.status().senders[0]?.problem);
});

t.test('success is not said before the intake says durable', async (t) => {
  const { port, intake } = await startListener(t);
  let letGo: (() => void) | undefined;
  intake.before((step) =>
    step === 'commit'
      ? new Promise((resolve) => {
          letGo = resolve;
        })
      : undefined,
  );
  const device = await connectDevice(t, port);
  await device.associate();
  let status: string | undefined;
  const stored = device.store(anyDataset(1000)).then((said) => {
    status = said;
  });
  await until(() => letGo !== undefined);
  // Time enough for an answer that would be too early.
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(status, undefined);
  letGo?.();
  await stored;
  t.equal(status, '0000');
});

t.test('the same instance arrives whole, however its bytes are cut', async (t) => {
  const { port, intake } = await startListener(t);
  const dataset = anyDataset(700);
  const whole = Buffer.concat([
    associateRq(),
    pdata(1, 'command', storeRq(), 40),
    pdata(1, 'dataset', dataset, 100),
    // Command and dataset in one PDU, an empty fragment among them.
    pdu(
      4,
      Buffer.concat([
        pdv(1, 3, storeRq({ messageId: 2, sopInstance: '1.2.3.6' })),
        pdv(1, 0, dataset.subarray(0, 9)),
        pdv(1, 0, Buffer.alloc(0)),
        pdv(1, 2, dataset.subarray(9)),
      ]),
    ),
    pdata(3, 'command', echoRq()),
    releaseRq,
  ]);
  for (const step of [1, 2, 3, 7, 64, whole.length]) {
    const device = await connectDevice(t, port);
    for (let at = 0; at < whole.length; at += step) {
      device.send(whole.subarray(at, at + step));
      if (step < 8 && at % 50 < step) await new Promise((resolve) => setImmediate(resolve));
    }
    t.same(await device.rest(), [2, 4, 4, 4, 6], `${step} bytes at a time`);
    const two = intake.kept.splice(0);
    t.equal(two.length, 2);
    for (const { file, bytes } of two) t.ok(readFileSync(file).subarray(-bytes).equals(dataset));
  }
  t.equal(intake.open(), 0);
});

t.test('an odd-sized, an empty and a large last fragment end a dataset alike', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  device.send(
    pdata(1, 'command', storeRq()),
    pdu(4, pdv(1, 0, anyDataset(33))),
    pdu(4, Buffer.alloc(0)),
    pdu(4, pdv(1, 2, Buffer.alloc(0))),
  );
  t.equal((await device.response()).status, '0000');
  t.equal(await device.store(anyDataset(131_066), { most: 131_072 }), '0000');
  t.same(
    intake.kept.map(({ bytes }) => bytes),
    [33, 131_066],
  );
});

t.test('every transfer syntax is taken as it was negotiated, the bytes are not looked at', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  const own = '1.2.840.113619.5.2';
  await device.associate({ contexts: [context(1, ctImage, jpegBaseline), context(5, ctImage, own)] });
  t.equal(await device.store(anyDataset(10)), '0000');
  t.equal(await device.store(anyDataset(10), { contextId: 5 }), '0000');
  t.same(
    intake.kept.map(({ origin }) => origin.transferSyntaxUid),
    [jpegBaseline, own],
  );
});

t.test('what a C-STORE may carry beside: move originator, priority, unknown elements', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  const more = [
    element(0x1030, Buffer.from('PACS  ')),
    element(0x1031, Buffer.from([9, 0])),
    element(0x4444, Buffer.alloc(40)),
  ];
  t.equal(await device.store(anyDataset(10), { more }), '0000');
  t.equal(intake.kept.length, 1);
});

t.test(
  'the response names message, class and instance, in fragments when the device takes only small ones',
  async (t) => {
    const { port } = await startListener(t);
    for (const maxLength of [0, 8, 50, 16_384]) {
      const device = await connectDevice(t, port);
      await device.associate({ maxLength });
      device.send(pdata(1, 'command', storeRq({ messageId: 513 })), pdata(1, 'dataset', anyDataset(5)));
      const response = await device.response();
      t.match(response, { contextId: 1, status: '0000', field: 0x8001, respondsTo: 513 });
      t.equal(response.values.get(0x0002)?.toString().replace('\0', ''), ctImage);
      t.equal(response.values.get(0x1000)?.toString().replace('\0', ''), '1.2.3.4.5');
      t.same(response.values.get(0x0800), Buffer.from([1, 1]));
      device.socket.destroy();
    }
  },
);

t.test('a full disk answers A700 and the association goes on; it recovers by itself', async (t) => {
  const { port, intake, source, logged } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  for (const step of ['begin', 'write', 'commit'] as const) {
    intake.refuse('QUE-4002', step);
    device.send(pdata(1, 'command', storeRq()), pdata(1, 'dataset', anyDataset(50_000)));
    const response = await device.response();
    t.match(response, { status: 'A700', comment: 'QUE-4002 Disk is full' }, step);
    t.match(source.status().problem, { code: 'QUE-4002' });
  }
  intake.refuse(undefined);
  t.equal(await device.store(anyDataset(50_000)), '0000');
  t.equal(source.status().problem, undefined);
  t.equal(intake.open(), 0, 'what failed was discarded');
  t.equal(intake.kept.length, 1);
  t.same(
    logged.map(({ event }) => event),
    ['dicom-scp listening', 'dicom-scp cannot store', 'dicom-scp stores again'],
  );
});

t.test('a duplicate and a conflict are answered 0000: they are durable too', async (t) => {
  const { port, intake, problems } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  for (const outcome of ['duplicate', 'conflict'] as const) {
    intake.findsOut(outcome);
    t.equal(await device.store(anyDataset(10)), '0000', outcome);
  }
  t.same(problems(), []);
});

t.test('another failure of the store answers 0110, a stopping one A700', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  intake.refuse('QUE-4007', 'commit');
  t.equal(await device.store(anyDataset(10)), '0110');
  intake.refuse('QUE-4010');
  t.equal(await device.store(anyDataset(10)), 'A700');
  intake.before(() => {
    throw new TypeError('not one of ours');
  });
  t.equal(await device.store(anyDataset(10)), '0110');
  t.equal(intake.kept.length, 0);
});

t.test('what cannot be kept is refused with its status, and the association goes on', async (t) => {
  const { port, intake, problems } = await startListener(t);
  const device = await connectDevice(t, port);
  const mr = '1.2.840.10008.5.1.4.1.1.4';
  await device.associate({ contexts: [...usual, context(5, mr, explicitLittle)] });
  const refused = async (status: string, code: string, rq: Parameters<typeof device.store>[1]) => {
    t.equal(await device.store(anyDataset(40_000), rq), status, code);
    t.same(problems(), [code]);
  };
  await refused('A900', 'DCM-2245', { sopClass: mr });
  await refused('A900', 'DCM-2245', { contextId: 5 });
  await refused('0122', 'DCM-2244', { sopClass: verification, contextId: 3 });
  await refused('0122', 'DCM-2244', { sopClass: '' });
  await refused('0117', 'DCM-2246', { sopInstance: '' });
  await refused('0117', 'DCM-2246', { sopInstance: '../../etc/passwd' });
  await refused('0117', 'DCM-2246', { sopInstance: '1.'.repeat(33) });
  device.send(pdata(1, 'command', storeRq({ dataset: false })));
  t.match(await device.response(), { status: 'C000', comment: 'DCM-2250 C-STORE without a dataset' });
  t.equal(intake.kept.length, 0);
  t.equal(await device.store(anyDataset(10)), '0000');
  await device.release();
});

t.test('C-ECHO is answered, C-CANCEL passed over, any other operation answered 0211', async (t) => {
  const { port, problems } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  device.send(pdata(3, 'command', echoRq()));
  t.match(await device.response(), { status: '0000', field: 0x8030, respondsTo: 7, contextId: 3 });
  device.send(
    pdata(1, 'command', plainRq(0x0fff)),
    pdata(1, 'command', plainRq(0x0020, true)),
    pdata(1, 'dataset', anyDataset(20)),
  );
  t.match(await device.response(), { status: '0211', field: 0x8020 });
  t.same(problems(), ['DCM-2247']);
  for (const field of [0x0010, 0x0021, 0x0100, 0x0130, 0x0140]) {
    device.send(pdata(1, 'command', plainRq(field)));
    t.match(await device.response(), { status: '0211', field: field | 0x8000 });
  }
  await device.release();
});

t.test('messages sent without waiting are answered one after the other', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  for (let messageId = 1; messageId <= 20; messageId++)
    device.send(pdata(1, 'command', storeRq({ messageId })), pdata(1, 'dataset', anyDataset(1000 + messageId)));
  for (let messageId = 1; messageId <= 20; messageId++)
    t.match(await device.response(), { status: '0000', respondsTo: messageId });
  t.same(
    intake.kept.map(({ bytes }) => bytes),
    Array.from({ length: 20 }, (_, i) => 1001 + i),
  );
});

t.test('back pressure: while a write is pending the socket is not read without bound', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  intake.before((step) => (step === 'write' ? held : undefined));
  const total = 200 * 1024 * 1024;
  const piece = pdu(4, pdv(1, 0, Buffer.alloc(65_530)));
  device.send(pdata(1, 'command', storeRq()));
  let sent = 0;
  const pour = (): void => {
    while (sent < total) {
      sent += piece.length;
      if (!device.socket.write(piece)) return void device.socket.once('drain', pour);
    }
    device.send(pdu(4, pdv(1, 2, Buffer.alloc(0))));
  };
  pour();
  let before = -1;
  while (sent !== before) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  t.ok(sent < 32 * 1024 * 1024, `${sent} bytes went into the buffers of sender, kernel and listener, then no more`);
  letGo();
  t.equal((await device.response()).status, '0000');
  t.ok((intake.kept[0]?.bytes ?? 0) > total - 1024 * 1024);
});

t.test('a device that ends its side right behind the dataset still gets its response', async (t) => {
  const { port, intake } = await startListener(t);
  const device = await connectDevice(t, port);
  await device.associate();
  device.send(pdata(1, 'command', storeRq()), pdata(1, 'dataset', anyDataset(70_000)));
  device.socket.end();
  t.equal((await device.response()).status, '0000');
  t.equal(intake.kept.length, 1);
  await device.closed;
});
