import t, { type Test } from 'tap';
import { startListener, until } from './listener.ts';
import {
  abortPdu,
  anyDataset,
  associateRq,
  connectDevice,
  context,
  ctImage,
  explicitLittle,
  implicitLittle,
  item,
  jpegBaseline,
  type Request,
  usual,
  verification,
} from './scu.ts';

const worklist = '1.2.840.10008.5.1.4.31';
const privateClass = '1.3.12.2.1107.5.9.1';

t.test('each storage context gets the first syntax offered; what is no storage class is refused visibly', async (t) => {
  const { port, problems } = await startListener(t);
  const device = await connectDevice(t, port);
  const results = await device.associate({
    contexts: [
      context(1, ctImage, jpegBaseline, explicitLittle, implicitLittle),
      context(3, ctImage, implicitLittle),
      context(5, verification, explicitLittle),
      context(7, '1.2.840.10008.5.1.4.34.7', explicitLittle),
      context(9, worklist, explicitLittle),
      context(11, privateClass, explicitLittle),
      context(13, ctImage),
      context(15, ctImage, 'not a uid', implicitLittle),
      context(255, '1.2.840.10008.5.1.4.1.1.481.1', '1.2.840.10008.1.2.1.99'),
    ],
  });
  t.same(results, [
    `1:0:${jpegBaseline}`,
    `3:0:${implicitLittle}`,
    `5:0:${explicitLittle}`,
    `7:0:${explicitLittle}`,
    `9:3:${explicitLittle}`,
    `11:3:${explicitLittle}`,
    `13:4:${implicitLittle}`,
    `15:0:${implicitLittle}`,
    '255:0:1.2.840.10008.1.2.1.99',
  ]);
  t.same(problems(), ['DCM-2244']);
});

t.test(
  'standard classes that a device proposes beside storage are refused without a word, alone with one',
  async (t) => {
    const { port, problems } = await startListener(t);
    const commitment = context(5, '1.2.840.10008.1.20.1', implicitLittle);
    const device = await connectDevice(t, port);
    const results = await device.associate({ contexts: [...usual, commitment] });
    t.equal(results[2], `5:3:${implicitLittle}`);
    t.same(problems(), []);
    const other = await connectDevice(t, port);
    t.same(await other.associate({ contexts: [commitment] }), [`5:3:${implicitLittle}`]);
    t.same(problems(), ['DCM-2244']);
  },
);

t.test('a private SOP class is taken when the configuration names it', async (t) => {
  const { port, intake, problems } = await startListener(t, { further_sop_classes: [privateClass] });
  const device = await connectDevice(t, port);
  t.same(await device.associate({ contexts: [context(1, privateClass, explicitLittle)] }), [`1:0:${explicitLittle}`]);
  t.equal(await device.store(anyDataset(9), { sopClass: privateClass }), '0000');
  t.equal(intake.kept[0]?.origin.sopClassUid, privateClass);
  t.same(problems(), []);
});

t.test('128 contexts are answered in their order', async (t) => {
  const { port } = await startListener(t);
  const device = await connectDevice(t, port);
  const contexts = Array.from({ length: 128 }, (_, i) => context(2 * i + 1, ctImage, explicitLittle, implicitLittle));
  const results = await device.associate({ contexts });
  t.same(
    results,
    contexts.map(({ id }) => `${id}:0:${explicitLittle}`),
  );
});

t.test('the answer names ourselves and gives back the titles; what is not agreed is left out', async (t) => {
  const { port } = await startListener(t, { max_pdu_bytes: 20_000 });
  const device = await connectDevice(t, port);
  const [async, role, extended, identity] = [
    item(0x53, Buffer.from([0, 9, 0, 9])),
    item(0x54, Buffer.concat([Buffer.from([0, ctImage.length]), Buffer.from(ctImage), Buffer.from([1, 1])])),
    item(0x56, Buffer.concat([Buffer.from([0, ctImage.length]), Buffer.from(ctImage), Buffer.from([2, 0, 1])])),
    item(0x58, Buffer.from([2, 1, 0, 1, 65, 0, 1, 66])),
  ] as const;
  device.send(
    associateRq({ user: [async, role, extended, identity, item(0x99, 'new')], items: [item(0x77, 'what?')] }),
  );
  const answer = await device.pdu();
  t.equal(answer?.type, 2);
  const body = answer!.body;
  t.equal(body.readUInt16BE(0), 1);
  t.same(body.subarray(4, 68), associateRq().subarray(10, 74), 'titles and reserved bytes as they came');
  const user = body.subarray(body.lastIndexOf(Buffer.from([0x50, 0])) + 4);
  const said: number[] = [];
  for (let at = 0; at < user.length; at += 4 + user.readUInt16BE(at + 2)) said.push(user[at]!);
  t.same(said, [0x51, 0x52, 0x55]);
  t.equal(user.readUInt32BE(4), 20_000);
});

const rejected = async (t: Test, device: Awaited<ReturnType<typeof connectDevice>>, request: Request) => {
  device.send(associateRq(request));
  const answer = await device.pdu();
  t.equal(answer?.type, 3);
  await device.closed;
  return [...answer!.body.subarray(1)];
};

t.test(
  'a title that is not listed is rejected: by reason, shown by peer in the status, never in the log',
  async (t) => {
    const { port, source, problems, logged } = await startListener(t, { ae_titles: ['QIANZHI', 'ARCHIVE'] });
    t.same(await rejected(t, await connectDevice(t, port), { called: 'OTHERZHANG' }), [1, 1, 7]);
    t.same(problems(), ['DCM-2201']);
    t.match(source.status(), { senders: [{ problem: { code: 'DCM-2201', said: 'called=OTHERZHANG' } }] });
    t.same(await rejected(t, await connectDevice(t, port), { calling: 'CT2ZHANG' }), [1, 1, 3]);
    t.match(source.status(), { senders: [{ problem: { said: 'calling=CT2ZHANG' } }] });
    t.same(await rejected(t, await connectDevice(t, port), { calling: 'A\x1b[2J\xd5\xc5' }), [1, 1, 3]);
    t.match(source.status(), { senders: [{ problem: { said: 'calling=A?[2J??' } }] }, 'nothing but printable ASCII');
    t.same(await rejected(t, await connectDevice(t, port), { calling: 'ct1' }), [1, 1, 3], 'case counts');
    t.match(source.status(), { refusedConnections: 4, senders: [{ address: '127.0.0.1', problem: { count: 4 } }] });
    t.ok(logged.some(({ fields }) => fields.code === 'DCM-2201'));
    t.notMatch(JSON.stringify(logged), 'ZHANG');
    for (const called of ['QIANZHI', 'ARCHIVE', ' ARCHIVE'])
      t.equal((await (await connectDevice(t, port)).associate({ called })).length, usual.length);
  },
);

t.test('an empty list of calling titles means nobody', async (t) => {
  const { port } = await startListener(t, { calling_ae_titles: [] });
  t.same(await rejected(t, await connectDevice(t, port), {}), [1, 1, 3]);
  t.same(await rejected(t, await connectDevice(t, port), { calling: '' }), [1, 1, 3]);
});

t.test('another protocol version or application context is rejected with its reason', async (t) => {
  const { port, problems } = await startListener(t);
  t.same(await rejected(t, await connectDevice(t, port), { version: 2 }), [1, 2, 2]);
  t.same(await rejected(t, await connectDevice(t, port), { applicationContext: '1.2.3' }), [1, 1, 2]);
  t.same(problems(), ['DCM-2235']);
  t.equal(
    (await (await connectDevice(t, port)).associate({ version: 3 })).length,
    2,
    'a later version may know ours too',
  );
});

t.test('peers: only listed addresses are served; the refused one is told by address', async (t) => {
  const { port, source } = await startListener(t, { peers: ['127.0.0.4/30'] });
  const stranger = await connectDevice(t, port);
  t.same(await stranger.rest(), []);
  t.match(source.status(), {
    refusedConnections: 1,
    senders: [{ address: '127.0.0.1', problem: { code: 'DCM-2232' } }],
  });
  const friend = await connectDevice(t, port, { from: '127.0.0.5' });
  await friend.associate();
  t.equal(await friend.store(anyDataset(8)), '0000');
});

t.test(
  'too many associations, of one peer or in all, are rejected for the moment and free with the old ones',
  async (t) => {
    const { port, source } = await startListener(t, { max_associations: 3, max_associations_per_peer: 2 });
    const [first, second] = [await connectDevice(t, port), await connectDevice(t, port)];
    await first.associate();
    await second.associate();
    t.same(await rejected(t, await connectDevice(t, port), {}), [2, 3, 2]);
    const other = await connectDevice(t, port, { from: '127.0.0.2' });
    await other.associate();
    t.same(await rejected(t, await connectDevice(t, port, { from: '127.0.0.3' }), {}), [2, 3, 2]);
    t.match(source.status().senders.find(({ address }) => address === '127.0.0.3')?.problem, { code: 'DCM-2233' });
    await first.release();
    await until(() => source.status().senders.find(({ address }) => address === '127.0.0.1')?.connections === 1);
    const third = await connectDevice(t, port);
    await third.associate();
    t.equal(await second.store(anyDataset(8)), '0000');
    t.equal(await third.store(anyDataset(8)), '0000');
  },
);

t.test('connections that never ask do not keep others out beyond a few of their own', async (t) => {
  const { port, source } = await startListener(t, { max_associations_per_peer: 1 });
  const mute = await Promise.all(Array.from({ length: 8 }, () => connectDevice(t, port)));
  await until(() => source.status().refusedConnections === 3);
  t.equal(source.status().senders[0]?.connections, 5);
  const other = await connectDevice(t, port, { from: '127.0.0.2' });
  t.equal((await other.associate()).length, 2);
  for (const device of mute) device.socket.destroy();
});

t.test('an abort instead of a request ends the connection quietly', async (t) => {
  const { port, problems } = await startListener(t);
  const device = await connectDevice(t, port);
  device.send(abortPdu());
  t.same(await device.rest(), []);
  t.same(problems(), []);
});
