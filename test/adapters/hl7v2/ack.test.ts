import t from 'tap';
import { type Answer, buildAck, createAckIds, hl7Time, isAcknowledgement } from '../../../adapters/hl7v2/ack.ts';
import { encodeText } from '../../../adapters/hl7v2/charset.ts';
import { readMsh } from '../../../adapters/hl7v2/msh.ts';

const now = Date.UTC(2026, 0, 15, 2, 30, 0);
const ackOf = (message: string, answer: Answer = { code: 'AA' }): string =>
  Buffer.from(buildAck(readMsh(new TextEncoder().encode(message)), answer, 'OUR1', now)).toString('utf8');
const segments = (ack: string): string[][] => ack.split('\r').map((segment) => segment.split('|'));
const header = (type = 'ORU^R01^ORU_R01', version = '2.5.1', id = 'ID1') =>
  `MSH|^~\\&|LIS|医院|HIP|PROV|2026||${type}|${id}|P^T|${version}||||||UTF-8\rPID|1\r`;

t.test('point 18: MSA-2 is MSH-10 byte for byte', async (t) => {
  for (const id of [' a b ', '{3F2504E0-4F89-11D3-9A0C-0305E82C3301}', 'x'.repeat(300), '编号', '\\T\\1'])
    t.equal(segments(ackOf(header(undefined, undefined, id)))[1]?.[2], id);
});

t.test('point 19: applications and facilities swapped, time now, own id', async (t) => {
  const [msh] = segments(ackOf(header()));
  t.same(msh?.slice(2, 7), ['HIP', 'PROV', 'LIS', '医院', hl7Time(now)]);
  t.equal(msh?.[9], 'OUR1');
  const next = createAckIds({ now: () => now, monotonic: () => 0 });
  const ids = new Set(Array.from({ length: 1000 }, next));
  t.equal(ids.size, 1000);
  for (const id of ids) t.match(id, /^[A-Z0-9]{1,20}$/);
});

t.test('point 20: ACK^trigger to 2.4, ACK^trigger^ACK from 2.5, never the type received', async (t) => {
  const type = (version: string, received = 'ORU^R01^ORU_R01') => segments(ackOf(header(received, version)))[0]?.[8];
  t.equal(type('2.2'), 'ACK');
  t.equal(type('2.3'), 'ACK^R01');
  t.equal(type('2.3.1'), 'ACK^R01');
  t.equal(type('2.4'), 'ACK^R01');
  t.equal(type('2.5'), 'ACK^R01^ACK');
  t.equal(type('2.5.1^CHN'), 'ACK^R01^ACK');
  t.equal(type('2.8'), 'ACK^R01^ACK');
  t.equal(type('', 'ORU^R01'), 'ACK^R01');
  t.equal(type('2.5', 'ORU'), 'ACK');
  t.equal(type('2.5', 'ORU^R01 trailing noise'), 'ACK');
});

t.test('point 21: processing id and version are the sender’s, known or not', async (t) => {
  t.same(segments(ackOf(header('ORU^R01', '9.9')))[0]?.slice(10, 12), ['P^T', '9.9']);
});

t.test('point 22: the sender’s delimiters', async (t) => {
  const ack = ackOf('MSH$@*!%$LIS$A$B$C$$$ORU@R01$7$P$2.5\r', { code: 'AE', condition: 207 });
  t.match(ack, /^MSH\$@\*!%\$B\$C\$LIS\$A\$\d{14}\$\$ACK@R01@ACK\$OUR1\$P\$2\.5\rMSA\$AE\$7\rERR\$\$MSH@1\$207@/);
  t.match(ackOf('MSH|^~&|A|B|||||ORU^R01|7|P|2.4\r'), /^MSH\|\^~&\|/, 'without escape character');
});

t.test('point 22: a GBK sender gets GBK bytes, and the charset it declared', async (t) => {
  const message = encodeText('MSH|^~\\&|珅检|玘院|東|診|2026||ORU^R01|号9|P|2.4||||||GBK\rPID|1\r', 'GB18030');
  const ack = new TextDecoder('gb18030', { fatal: true }).decode(buildAck(readMsh(message), { code: 'AA' }, 'X', now));
  t.equal(ack, `MSH|^~\\&|東|診|珅检|玘院|${hl7Time(now)}||ACK^R01|X|P|2.4||||||GBK\rMSA|AA|号9\r`);
});

t.test('point 23: every segment ends in CR, the last too', async (t) => {
  for (const answer of [{ code: 'AA' }, { code: 'AE', condition: 207 }] as const) {
    const ack = ackOf(header(), answer);
    t.ok(ack.endsWith('\r'));
    t.notOk(ack.includes('\n'));
  }
});

t.test('point 24: an answer is known as one, and ours asks for nothing', async (t) => {
  const is = (text: string) => isAcknowledgement(readMsh(new TextEncoder().encode(text))!);
  t.ok(is('MSH|^~\\&|||||||ACK^R01^ACK|1|P|2.5\rMSA|AA|1\r'));
  t.ok(is('MSH|^~\\&|||||||ACK|1|P|2.3\r'));
  t.ok(is('MSH|^~\\&|||||||ORG^O20|1|P|2.5\rMSA|AA|1\r'));
  t.notOk(is(header()));
  const ack = ackOf('MSH|^~\\&|||||||ORU^R01|1|P|2.4||1|AL|AL|CHN|UTF-8\r');
  t.same(segments(ack)[0]?.slice(14, 16), ['', ''], 'MSH-15 and MSH-16 empty');
  t.ok(isAcknowledgement(readMsh(new TextEncoder().encode(ack))!));
});

t.test('point 29: 2.5 and later carry the error in ERR, with table 0357', async (t) => {
  t.match(
    ackOf(header(), { code: 'AE', condition: 101, field: 10 }),
    /\rMSA\|AE\|ID1\rERR\|\|MSH\^1\^10\|101\^Required field missing\^HL70357\|E\r$/,
  );
  t.match(
    ackOf(header(), { code: 'AR', condition: 200, field: 9 }),
    /\rMSA\|AR\|ID1\rERR\|\|MSH\^1\^9\|200\^Unsupported message type\^HL70357\|E\r$/,
  );
  t.match(
    ackOf(header(), { code: 'AE', condition: 207, text: 'why' }),
    /\|207\^Application internal error\^HL70357\|E\|\|\|\|why\r$/,
  );
});

t.test('point 29: up to 2.4 it is MSA-3 and ERR-1', async (t) => {
  t.match(
    ackOf(header('ORU^R01', '2.4'), { code: 'AE', condition: 207 }),
    /\rMSA\|AE\|ID1\|Application internal error\rERR\|MSH\^1\^\^207&Application internal error&HL70357\r$/,
  );
  t.match(ackOf(header('ORU^R01', '2.3'), { code: 'AR', condition: 202, field: 11 }), /\rERR\|MSH\^1\^11\^202&/);
});

t.test('point 31: without a readable MSH the answer is complete and never AA', async (t) => {
  const ack = Buffer.from(buildAck(undefined, { code: 'AE', condition: 100 }, 'X', now)).toString();
  t.match(
    ack,
    /^MSH\|\^~\\&\|\|\|\|\|\d{14}\|\|ACK\|X\|P\|2\.5\.1\rMSA\|AE\|\rERR\|\|MSH\^1\|100\^Segment sequence error\^HL70357\|E\r$/,
  );
});

t.test('point 32: an empty MSH-10 gives an empty MSA-2', async (t) => {
  t.match(ackOf(header(undefined, undefined, '')), /\rMSA\|AA\|\r$/);
});
