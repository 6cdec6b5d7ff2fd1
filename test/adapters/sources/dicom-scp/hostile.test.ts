import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { chooseSeed } from '../../../faults/seed.ts';
import { startListener, until } from './listener.ts';
import {
  abortPdu,
  anyDataset,
  associateRq,
  connectDevice,
  echoRq,
  pdata,
  pdu,
  pdv,
  plainRq,
  readResponse,
  releaseRq,
  storeRq,
} from './scu.ts';

t.setTimeout(120_000);
const dataset = anyDataset(900);

const echo = pdata(3, 'command', echoRq());
const store = Buffer.concat([pdata(1, 'command', storeRq()), pdata(1, 'dataset', dataset, 200)]);
const right = new Set([store, echo]);
const asks = fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
/** Sentences of a conversation, most of them right. */
const sentence = fc.oneof(
  { weight: 12, arbitrary: fc.constant(store) },
  { weight: 2, arbitrary: fc.constant(echo) },
  { weight: 1, arbitrary: fc.constant(pdata(1, 'command', storeRq())) },
  { weight: 1, arbitrary: fc.constant(pdata(1, 'dataset', dataset)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((field) => pdata(1, 'command', plainRq(field))) },
  { weight: 1, arbitrary: fc.constant(associateRq()) },
  { weight: 1, arbitrary: fc.constantFrom(releaseRq, abortPdu(), pdu(6, Buffer.alloc(4))) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(255), fc.nat(300)).map(([type, length]) => pdu(type, Buffer.alloc(length))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(255), fc.nat(255), fc.nat(400), fc.nat(500))
      .map(([id, control, length, claimed]) => pdu(4, pdv(id, control, Buffer.alloc(length), claimed))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
);
/** Evenly spread: fc.double prefers the neighbourhood of zero. */
const share = fc.integer({ min: 0, max: 9999 }).map((n) => n / 10_000);
/** Changes of single bytes, and where the stream is cut off, as shares of its length. */
const damage = fc.record({
  bytes: fc.oneof(fc.constant([]), fc.array(fc.tuple(share, fc.nat(255)), { maxLength: 3 })),
  end: fc.oneof(fc.constant(1), share),
  reset: fc.boolean(),
  cuts: fc.array(share, { maxLength: 6 }),
});

t.test(
  'whatever a device sends, however it is cut: nothing half is kept and the listener serves the next',
  async (t) => {
    const { port, intake, source } = await startListener(t, { max_associations_per_peer: 100 });
    const neighbour = await connectDevice(t, port);
    await neighbour.associate();
    let acknowledged = 0;
    await fc.assert(
      fc.asyncProperty(
        asks,
        fc.array(sentence, { maxLength: 8 }),
        damage,
        async (asked, sentences, { bytes, end, reset, cuts }) => {
          const stream = Buffer.concat([...(asked ? [associateRq()] : []), ...sentences]);
          for (const [where, value] of bytes) stream[Math.floor(where * stream.length)] = value;
          const before = intake.kept.length;
          const device = await connectDevice(t, port);
          const length = Math.round(stream.length * end);
          const places = [0, ...cuts.map((where) => Math.floor(where * length)).sort((a, b) => a - b), length];
          for (const [n, place] of places.slice(1).entries()) {
            device.send(stream.subarray(places[n], place));
            await new Promise((resolve) => setImmediate(resolve));
          }
          if (reset) device.socket.resetAndDestroy();
          else device.socket.end();
          let answered = 0;
          for (let answer = await device.pdu(); answer !== undefined; answer = await device.pdu())
            if (answer.type === 4 && answer.body.length > 100) {
              const { field, status } = readResponse(0, answer.body.subarray(6));
              if (field === 0x8001 && status === '0000') answered += 1;
            }
          await until(() => source.status().senders[0]?.connections === 1 && intake.open() === 0);
          const kept = intake.kept.slice(before);
          if (answered > kept.length) throw new Error(`${answered} acknowledged, ${kept.length} kept`);
          const whole = bytes.length === 0 && sentences.every((one) => right.has(one));
          if (whole && kept.some((one) => one.bytes !== dataset.length)) throw new Error('half an instance');
          acknowledged += answered;
          if ((await neighbour.store(dataset)) !== '0000') throw new Error('the neighbour is not served');
        },
      ),
      { numRuns: 300, seed: chooseSeed() },
    );
    t.ok(acknowledged > 20, `${acknowledged} of its instances were acknowledged`);
    t.equal(
      intake.kept.filter(({ file, bytes }) => readFileSync(file).length - bytes < 132).length,
      0,
      'each has its preamble',
    );
  },
);
