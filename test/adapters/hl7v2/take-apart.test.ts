import fc from 'fast-check';
import t from 'tap';
import { takeApart } from '../../../adapters/hl7v2/take-apart.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const apart = (payload: string, most = 5) => takeApart(Buffer.from(payload, 'latin1'), most);
const parts = (payload: string) => apart(payload)?.parts.map(text);
const message = (id: number | string, end = '\r') =>
  [`MSH|^~\\&|LIS|H|P|Q|20260115||ORU^R01|${id}|P|2.4`, `PID|${id}`, ''].join(end);
const [one, two] = [message(1), message(2)];

t.test('point 41: messages between BHS and BTS, FHS and FTS, byte for byte', async (t) => {
  t.same(parts(`BHS|^~\\&|LIS|H\r${one}${two}BTS|2\r`), [one, two]);
  t.same(parts(`FHS|^~\\&|LIS|H\rBHS|^~\\&|LIS|H\r${one}BTS|1\rBHS|^~\\&|LIS|H\r${two}BTS|1\rFTS|2\r`), [one, two]);
  t.same(parts(`\xef\xbb\xbf \r\nbhs|^~\\&\r\n${one}`), [one], 'BOM, blanks, no trailer');
  t.same(parts(`BHS|^~\\&\r${one.slice(0, -1)}`), [one.slice(0, -1)], 'no last CR');
});

t.test('point 41: the envelope ends its lines as it likes, and so does each message', async (t) => {
  for (const envelope of ['\r', '\n', '\r\n']) {
    for (const first of ['\r', '\n', '\r\n']) {
      for (const second of ['\r', '\n', '\r\n']) {
        const messages = [message(1, first), message(2, second)];
        const payload = ['BHS|^~\\&|LIS', `${messages.join('')}BTS|2`, ''].join(envelope);
        t.same(parts(payload), messages, JSON.stringify([envelope, first, second]));
        t.equal(apart(payload)?.miscounted, false);
      }
    }
  }
});

t.test('point 41: the counts of BTS and FTS are compared with what came', async (t) => {
  const counted = (payload: string) => apart(payload)?.miscounted;
  t.equal(counted(`BHS|^~\\&\r${one}${two}BTS|2\r`), false);
  t.equal(counted(`BHS|^~\\&\r${one}${two}BTS|3|LIS\r`), true);
  t.equal(counted(`BHS|^~\\&\r${one}${two}BTS\r`), false, 'none said');
  t.equal(counted(`BHS|^~\\&\r${one}BTS|x\r`), false, 'no number');
  const file = (batches: number) => `FHS|^~\\&\rBHS|^~\\&\r${one}BTS|1\rBHS|^~\\&\r${two}BTS|1\rFTS|${batches}\r`;
  t.equal(counted(file(2)), false);
  t.equal(counted(file(1)), true);
});

t.test('point 42: several messages without an envelope', async (t) => {
  t.same(parts(one + two), [one, two]);
  t.same(parts(message(1, '\n') + message(2, '\r\n')), [message(1, '\n'), message(2, '\r\n')]);
  t.same(parts(`${one}  ${two.toLowerCase()}`), [`${one}  `, two.toLowerCase()], 'blanks, lower case');
  const ack = 'MSH|^~\\&|P|Q|LIS|H|20260115||ACK|7|P|2.4\rMSA|AA|1\r';
  t.same(parts(ack + one), [ack, one], 'an acknowledgement first hides nothing behind it');
  t.same(parts(`PID|9\r${one}${two}`), ['PID|9\r', one, two], 'what stands before the first');
});

t.test('what tools put between texts glues no two messages, and is part of none', async (t) => {
  for (const mark of ['\x1a', '\x0c', '\x0b', '\x1c', '\0', '\x1c\r\x0b', ' \x1a\r\n\0'])
    t.same(
      parts(`${one}${mark}${two}${mark}`)?.map((part) => part.trim()),
      [one.trim(), two.trim()],
      JSON.stringify(mark),
    );
  t.equal(parts(`${one}\xef\xbb\xbf\n\xef\xbb\xbf${two}`)?.length, 2, 'two byte order marks');
  t.same(parts(`BHS|^~\\&|LIS\r${one}BTS|1\r\x1a`), [one], 'behind a batch');
  for (const name of ['Msh', 'mSH', 'MsH', 'mSh'])
    t.same(parts(one + two.replace('MSH', name)), [one, two.replace('MSH', name)], name);
});

t.test('each message stands in its own batch, where several come in one payload', async (t) => {
  const applications = (payload: string) =>
    apart(payload)?.headers.map((header) => header && text(header.sendingApplication));
  const batch = (application: string) => `BHS|^~\\&|${application}\r${one}${two}BTS|2\r`;
  t.same(applications(`FHS|^~\\&|HUB\r${batch('A')}${batch('B')}FTS|2\r`), ['A', 'A', 'B', 'B']);
  t.same(
    applications(`FHS|^~\\&|HUB\r${one}FTS\rFHS|^~\\&|HUB2\r${two}`),
    ['HUB', 'HUB2'],
    'files in one another’s place',
  );
  t.same(applications(`${batch('A')}BHS\r${two}`), ['A', 'A', undefined], 'one that cannot be read');
  t.same(applications(`${batch('A')}${one}`), ['A', 'A', undefined], 'behind the end of a batch');
  t.same(applications(`${one}${two}`), [undefined, undefined]);
  t.equal(
    text(apart(`${batch('A')}${batch('B')}`)!.envelope!.header!.sendingApplication),
    'A',
    'it is answered as the first',
  );
});

t.test('text that looks like a segment stays text', async (t) => {
  const odd = 'MSH|^~\\&|LIS\rNTE|1||line\nMSH|line\nBTS|1\nmore\rBTSX|1\r';
  t.same(parts(`BHS|^~\\&\r${odd}BTS|1`), [odd]);
  t.equal(apart(odd), undefined);
  t.equal(apart('MSH|^~\\&|A||||||ORU^R01|1\rNTE|1||see MSH|^~\\&|B\r'), undefined, 'within a line');
});

t.test('no batch: a message, a batch without one, anything else', async (t) => {
  for (const payload of [one, '', 'BHS|^~\\&|LIS\rBTS|0\r', 'FHS|^~\\&', 'BHSX|1\rMSH|', 'BH', '<Batch/>', '\0\0'])
    t.equal(apart(payload), undefined, JSON.stringify(payload.slice(0, 9)));
});

t.test('more messages than asked for are not taken apart', async (t) => {
  for (const start of ['BHS|^~\\&\r', '']) {
    t.equal(apart(start + one.repeat(5))?.overfull, false);
    t.equal(apart(start + one.repeat(50))?.overfull, true);
  }
});

t.test('the payload is not written to, also when it is a Buffer', async (t) => {
  const payload = Buffer.from(`BHS|^~\\&|LIS\r${one}BTS|1\r`);
  const before = Buffer.from(payload);
  takeApart(payload, 5);
  t.same(payload, before);
});

t.test('nothing is lost: all but blanks and segments of the envelope lies in a part, in order', async () => {
  const ends = fc.constantFrom('\r', '\n', '\r\n');
  const pieces = fc.oneof(
    fc.tuple(fc.integer({ min: 0, max: 9 }), ends).map(([id, end]) => message(id, end)),
    fc.tuple(fc.constantFrom('BHS|^~\\&|X', 'FHS|^~\\&|X', 'BTS|1', 'FTS|1', 'BTS'), ends).map((pair) => pair.join('')),
    fc.tuple(fc.string({ maxLength: 12, unit: 'grapheme-ascii' }), ends).map((pair) => pair.join('')),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (all) => {
      const payload = Buffer.from(all.join(''), 'latin1');
      const found = takeApart(payload, 100);
      if (found === undefined) return;
      const headers = (part: string) => part.split(/[\r\n]+/).filter((line) => line.startsWith('MSH|^~\\&|LIS')).length;
      for (const part of found.parts) {
        if (headers(text(part)) > 1) throw new Error(`two messages in one part: ${JSON.stringify(text(part))}`);
      }
      const ends = found.parts.map((part) => part.byteOffset - payload.byteOffset + part.length);
      const starts = found.parts.map((part) => part.byteOffset - payload.byteOffset);
      const gaps = [0, ...ends].map((end, n) => payload.subarray(end, starts[n] ?? payload.length));
      for (const line of gaps.flatMap((gap) => text(gap).split(/[\r\n]+/))) {
        if (!/^[\s\0]*$|^\s*[BF][HT]S([^0-9A-Za-z]|$)/.test(line)) throw new Error(`left out ${JSON.stringify(line)}`);
      }
    }),
    { numRuns: 2_000 },
  );
});
