import fc from 'fast-check';
import t from 'tap';
import { createPduReader } from '../../../../adapters/dicom/dimse/pdu-reader.ts';
import { codeOf } from '../../../../agent/support/errors.ts';
import { associateRq, pdata, pdu, pdv, releaseRq } from '../../sources/dicom-scp/scu.ts';

/** The chunks one after the other, then the end. */
const chunksOf = (chunks: Uint8Array[]) => {
  const left = chunks.filter(({ length }) => length > 0);
  return async () => left.shift();
};
const cut = (bytes: Buffer, places: number[]): Buffer[] => {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, n) => bytes.subarray(sorted[n], end));
};

/** Everything a reader says of a stream, in words; fragments joined. */
async function readAll(chunks: Uint8Array[], maxPdataBytes = 20_000): Promise<string[]> {
  const reader = createPduReader(chunksOf(chunks), maxPdataBytes);
  const said: string[] = [];
  try {
    for (let head = await reader.next(); head !== undefined; head = await reader.next()) {
      said.push(`pdu ${head.type} ${head.length}`);
      if (head.type !== 4) said.push(Buffer.from(await reader.body()).toString('hex'));
      else
        for (let one = await reader.pdv(); one !== undefined; one = await reader.pdv()) {
          const parts: Uint8Array[] = [];
          for (let piece = await reader.bytes(); piece !== undefined; piece = await reader.bytes())
            parts.push(piece.slice());
          said.push(`pdv ${one.contextId} ${one.command} ${one.last} ${Buffer.concat(parts).toString('hex')}`);
        }
      if (reader.inPdu()) said.push('open');
    }
  } catch (error) {
    said.push(codeOf(error, 'SYS-6004'));
  }
  return said;
}

const data = Buffer.from(Array.from({ length: 500 }, (_, i) => i & 255));
const conversation = Buffer.concat([
  associateRq(),
  pdata(1, 'command', data.subarray(0, 120), 50),
  pdu(4, Buffer.concat([pdv(3, 0, data.subarray(0, 9)), pdv(3, 0, Buffer.alloc(0)), pdv(5, 2, data)])),
  pdu(4, Buffer.alloc(0)),
  releaseRq,
]);

t.test('a stream is read alike however it is cut', async (t) => {
  const whole = await readAll([conversation]);
  t.ok(whole.includes(`pdv 5 false true ${data.toString('hex')}`));
  t.equal(whole.filter((line) => line.startsWith('pdu')).length, 7);
  t.same(await readAll([...conversation].map((byte) => Uint8Array.of(byte))), whole);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (places) => {
      t.same(await readAll(cut(conversation, places)), whole);
    }),
  );
});

t.test('a stream that ends inside a PDU is told from one that ends between two', async (t) => {
  const ends = new Set<number>();
  for (let at = 0; at < conversation.length; at += 6 + conversation.readUInt32BE(at + 2)) ends.add(at);
  for (let length = 0; length < conversation.length; length++) {
    const last = (await readAll([conversation.subarray(0, length)])).at(-1) ?? '';
    if ((last === 'DCM-2243') === ends.has(length)) t.fail(`after ${length} bytes: ${last}`);
  }
  t.pass(`${conversation.length} places`);
});

t.test('lengths over their limits are refused before they are read', async (t) => {
  t.same(await readAll([pdu(4, Buffer.alloc(0), 20_001)]), ['DCM-2236']);
  t.same(await readAll([pdu(1, Buffer.alloc(0), 1024 * 1024 + 1)]), ['DCM-2236']);
  t.same(await readAll([pdu(7, Buffer.alloc(0), 0xffff_ffff)]), ['DCM-2236']);
  t.same(await readAll([pdu(0, Buffer.alloc(4))]), ['DCM-2237']);
  t.same(await readAll([pdu(8, Buffer.alloc(4))]), ['DCM-2237']);
  t.equal((await readAll([pdu(4, pdv(1, 0, data, 503))])).at(-1), 'DCM-2238');
  t.equal((await readAll([pdu(4, pdv(1, 0, data, 0))])).at(-1), 'DCM-2238');
});

t.test('random bytes end in a code or in the end of the stream', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(1, 4, 5), async (bytes, type) => {
      const said = await readAll([Uint8Array.of(type, 0, 0, 0, bytes.length & 127), bytes]);
      for (const line of said) if (!/^(pdu \d+ \d+|pdv .*|[0-9a-f]*|DCM-22\d\d)$/.test(line)) t.fail(line);
    }),
  );
});
