import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { folderFor, startListener, until } from './listener.ts';
import {
  abortPdu,
  anyDataset,
  associateRq,
  connectDevice,
  context,
  ctImage,
  echoRq,
  element,
  explicitLittle,
  pdata,
  pdu,
  pdv,
  plainRq,
  releaseRp,
  releaseRq,
  storeRq,
  usual,
} from './scu.ts';

const dataset = anyDataset(5000);
const store = Buffer.concat([pdata(1, 'command', storeRq()), pdata(1, 'dataset', dataset, 2000)]);
/** Its last fragment has not come, the PDU before it has ended. */
const begun = Buffer.concat([pdata(1, 'command', storeRq()), pdu(4, pdv(1, 0, dataset))]);

t.test('wherever a conversation is cut, nothing half is kept and the neighbours go on', async (t) => {
  const folder = folderFor(t, 'scp-cut');
  const { port, intake, source } = await startListener(t, { max_associations_per_peer: 100 }, folder);
  const neighbour = await connectDevice(t, port);
  await neighbour.associate();
  const request = associateRq();
  const whole = Buffer.concat([request, store, store, releaseRq]);
  const ends = [request.length + store.length, request.length + 2 * store.length];
  const cuts = Array.from({ length: 60 }, (_, n) => Math.floor((n * whole.length) / 60)).concat(
    ends,
    ends.map((end) => end - 1),
  );
  let expected = 0;
  for (const [n, cut] of cuts.entries()) {
    const before = intake.kept.length;
    const device = await connectDevice(t, port);
    device.send(whole.subarray(0, cut));
    // Every other one by reset: then what was on its way may be lost, and was never acknowledged.
    if (n % 2 === 0) device.socket.end();
    else device.socket.resetAndDestroy();
    await device.closed;
    await until(() => source.status().senders[0]?.connections === 1 && intake.open() === 0);
    const complete = ends.filter((end) => end <= cut).length;
    if (n % 2 === 0) t.equal(intake.kept.length - before, complete, `FIN after ${cut} bytes`);
    else t.ok(intake.kept.length - before <= complete, `reset after ${cut} bytes`);
    expected = intake.kept.length;
  }
  t.ok(intake.kept.every(({ bytes }) => bytes === dataset.length));
  t.equal(await neighbour.store(dataset), '0000');
  t.same(
    readdirSync(folder).filter((name) => name.endsWith('.part')),
    [],
  );
  t.equal(readdirSync(dirname(intake.kept[0]!.file)).length, expected + 1);
});

/** What is sent after a good request, what it is answered with last, and the code that shows. */
const wrong: Array<[what: string, bytes: Buffer, code: string, answer?: number[]]> = [
  ['an unknown PDU', pdu(9, Buffer.alloc(4)), 'DCM-2237', [2, 2]],
  ['a second request', associateRq(), 'DCM-2237'],
  ['a release response nobody asked for', releaseRp, 'DCM-2237'],
  ['an answer to a request', pdu(2, Buffer.alloc(80)), 'DCM-2237'],
  ['a P-DATA longer than offered', pdu(4, Buffer.alloc(0), 131_073), 'DCM-2236', [2, 6]],
  ['another PDU of a gigabyte', pdu(5, Buffer.alloc(0), 1 << 30), 'DCM-2236'],
  ['a fragment of a context that was refused', pdata(5, 'command', storeRq()), 'DCM-2238', [2, 6]],
  ['a fragment of a context never proposed', pdata(77, 'command', storeRq()), 'DCM-2238'],
  ['the beginning of a command in a context never proposed', pdu(4, pdv(77, 1, storeRq())), 'DCM-2238'],
  ['a fragment longer than its PDU', pdu(4, pdv(1, 3, storeRq(), 5000)), 'DCM-2238'],
  ['a fragment without room for its control byte', pdu(4, pdv(1, 3, Buffer.alloc(0), 1)), 'DCM-2238'],
  ['a P-DATA too short for a fragment', pdu(4, Buffer.from([0, 0, 0])), 'DCM-2238'],
  ['a dataset without a command', pdata(1, 'dataset', dataset), 'DCM-2238'],
  ['a command inside a dataset', Buffer.concat([begun, pdata(1, 'command', echoRq())]), 'DCM-2238'],
  [
    'a dataset in another context',
    Buffer.concat([pdata(1, 'command', storeRq()), pdata(3, 'dataset', dataset)]),
    'DCM-2238',
  ],
  [
    'a command in two contexts',
    Buffer.concat([pdu(4, pdv(1, 1, storeRq())), pdu(4, pdv(3, 3, storeRq()))]),
    'DCM-2238',
  ],
  ['a response as a command', pdata(1, 'command', plainRq(0x8001)), 'DCM-2238'],
  ['a command set of another group', pdata(1, 'command', element(0x0100, Buffer.from([1, 0]), 8)), 'DCM-2239'],
  [
    'a command set whose element runs over its end',
    pdata(1, 'command', element(0x0100, Buffer.from([1, 0]), 0, 200)),
    'DCM-2239',
  ],
  ['a command set cut in an element', pdata(1, 'command', storeRq().subarray(0, 30)), 'DCM-2239'],
  ['an empty command set', pdata(1, 'command', Buffer.alloc(0)), 'DCM-2239'],
  [
    'a good command that is too long',
    pdata(1, 'command', storeRq({ more: [element(0x4444, Buffer.alloc(20_000))] }), 30_000),
    'DCM-2239',
  ],
];
for (const [what, bytes, code, abort] of wrong)
  t.test(`${what}: aborted with its code, nothing kept`, async (t) => {
    const { port, intake, problems } = await startListener(t);
    const device = await connectDevice(t, port);
    await device.associate({ contexts: [...usual, context(5, '1.2.840.10008.5.1.4.31', explicitLittle)] });
    device.send(bytes);
    const last = await device.pdu();
    t.equal(last?.type, 7);
    if (abort) t.same([...last!.body.subarray(2)], abort);
    await device.closed;
    await until(() => intake.open() === 0);
    t.same(problems(), [code]);
    t.equal(intake.kept.length, 0);
    const next = await connectDevice(t, port);
    await next.associate();
    t.equal(await next.store(dataset), '0000', 'the listener goes on');
  });

const noRequest: Array<[what: string, bytes: Buffer | string, code: string]> = [
  ['HTTP', 'GET / HTTP/1.1\r\nHost: here\r\n\r\n', 'DCM-2234'],
  ['MLLP', '\x0bMSH|^~\\&|LIS|HOSP\r\x1c\r', 'DCM-2234'],
  ['TLS on a plain port', Buffer.from('16030100f8010000f40303', 'hex'), 'DCM-2234'],
  ['data before the request', pdata(1, 'command', echoRq()), 'DCM-2234'],
  ['a release before the request', releaseRq, 'DCM-2234'],
  ['a request of two megabytes', pdu(1, Buffer.alloc(100), 2 * 1024 * 1024), 'DCM-2234'],
  ['a request too short for its titles', pdu(1, Buffer.alloc(60)), 'DCM-2235'],
  [
    'a request whose item runs over its end',
    pdu(1, Buffer.concat([associateRq().subarray(6), Buffer.from([0x20, 0, 1, 0, 1])])),
    'DCM-2235',
  ],
  ['an even context id', associateRq({ contexts: [context(2, ctImage, explicitLittle)] }), 'DCM-2235'],
  ['a context id twice', associateRq({ contexts: [...usual, ...usual] }), 'DCM-2235'],
];
for (const [what, bytes, code] of noRequest)
  t.test(`${what} instead of a good request is aborted with its code`, async (t) => {
    const { port, problems } = await startListener(t);
    const device = await connectDevice(t, port);
    device.send(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    t.same(await device.rest(), [7]);
    t.same(problems(), [code]);
  });

t.test('an abort or a release in the middle of a dataset discards it and shows', async (t) => {
  const { port, intake, problems } = await startListener(t);
  for (const [last, answers] of [
    [abortPdu(), []],
    [abortPdu(2, 6), []],
    [releaseRq, [6]],
  ] as const) {
    const device = await connectDevice(t, port);
    await device.associate();
    device.send(begun, last);
    t.same(await device.rest(), answers);
    await until(() => intake.open() === 0);
  }
  t.same(problems(), ['DCM-2243']);
  t.equal(intake.discarded(), 3);
  t.equal(intake.kept.length, 0);
});

t.test('a device that goes without a word between two messages is no problem', async (t) => {
  const { port, problems, source } = await startListener(t);
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const device = await connectDevice(t, port);
    await device.associate();
    t.equal(await device.store(dataset), '0000');
    device.socket[leave]();
    await until(() => source.status().senders[0]?.connections === 0);
  }
  t.same(problems(), []);
});
