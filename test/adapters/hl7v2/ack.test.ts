import t from 'tap';
import { buildAck, createAckIds, hl7Time, isAcknowledgement } from '../../../adapters/hl7v2/ack.ts';
import { ackProfiles, answersTo, hasUnknownCondition } from '../../../adapters/hl7v2/ack-profiles.ts';
import type { Answer, Outcome } from '../../../adapters/hl7v2/answer.ts';
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
  t.equal(type('2.4', 'ORU_R01'), 'ACK^R01', 'the structure alone names its trigger');
  t.equal(type('2.5', 'ADT^^ADT_A05'), 'ACK^A05^ACK');
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

const askingFor = (accept: string, application: string) =>
  readMsh(new TextEncoder().encode(`MSH|^~\\&|A||B||2026||ORU^R01|1|P|2.5|||${accept}|${application}\rPID|1\r`))!;
const taken: Outcome = { code: 'AA' };
const failed: Outcome = { code: 'AE', condition: 207 };
const refused: Outcome = { code: 'AR', condition: 200 };
const codes = (name: keyof typeof ackProfiles, [accept = '', application = '']: readonly string[], outcome: Outcome) =>
  answersTo(ackProfiles[name], askingFor(accept, application), outcome)
    .map(({ code }) => code)
    .join(' ');

t.test('point 25: in original mode there is exactly one answer, whatever became of the message', async (t) => {
  for (const name of Object.keys(ackProfiles) as Array<keyof typeof ackProfiles>) {
    t.equal(codes(name, ['', ''], taken), 'AA', name);
    t.equal(codes(name, ['', ''], failed), 'AE', name);
    t.equal(codes(name, ['', ''], refused), 'AR', name);
  }
  t.same(answersTo(ackProfiles.enhanced, undefined, failed), [failed], 'without a readable header too');
});

t.test('point 26: enhanced mode, by what MSH-15 and MSH-16 ask for', async (t) => {
  const table = [
    // asked for       taken     failed  refused
    ['AL', 'AL', 'CA AA', 'CE', 'CR'],
    ['AL', 'NE', 'CA', 'CE', 'CR'],
    ['AL', '', 'CA', 'CE', 'CR'],
    ['NE', 'AL', 'AA', 'AE', 'AR'],
    ['', 'AL', 'AA', 'AE', 'AR'],
    ['NE', 'NE', '', '', ''],
    ['NE', '', '', '', ''],
    ['ER', 'NE', '', 'CE', 'CR'],
    ['NE', 'ER', '', 'AE', 'AR'],
    ['ER', 'ER', '', 'CE', 'CR'],
    ['SU', 'NE', 'CA', '', ''],
    ['NE', 'SU', 'AA', '', ''],
    ['SU', 'SU', 'CA AA', '', ''],
    ['SU', 'AL', 'CA AA', 'AE', 'AR'],
    ['ER', 'AL', 'AA', 'CE', 'CR'],
    ['al', 'ne', 'CA', 'CE', 'CR'],
  ] as const;
  for (const [accept, application, ...expected] of table)
    t.same(
      [taken, failed, refused].map((outcome) => codes('enhanced', [accept, application], outcome)),
      expected,
      `${accept}/${application}`,
    );
});

t.test('point 26: an answer of enhanced mode asks for no answer, and an error keeps its reason', async (t) => {
  const msh = askingFor('AL', 'AL');
  const texts = [taken, failed].flatMap((outcome) =>
    answersTo(ackProfiles.enhanced, msh, outcome).map((answer) =>
      Buffer.from(buildAck(msh, answer, 'X', now, ackProfiles.enhanced)).toString(),
    ),
  );
  t.same(
    texts.map((text) => segments(text)[0]?.slice(14, 16).join('') ?? ''),
    ['', '', ''],
  );
  t.match(texts[0], /\|ACK\^R01\^ACK\|X\|P\|2\.5\rMSA\|CA\|1\r$/);
  t.match(texts[1], /\rMSA\|AA\|1\r$/);
  t.match(texts[2], /\rMSA\|CE\|1\rERR\|\|MSH\^1\|207\^Application internal error\^HL70357\|E\r$/);
});

t.test('point 27: a Mindray device has its MSH-16 back, and MSA-3 and MSA-6 as it expects them', async (t) => {
  const profile = ackProfiles['device-mindray'];
  const answer = (condition: string, outcome: Answer = taken, version = '2.3.1') => {
    const text = `MSH|^~\\&|Mindray|BC-5380|||20260115||ORU^R01|1|P|${version}||||${condition}||UNICODE\rPID|1\r`;
    return Buffer.from(buildAck(readMsh(new TextEncoder().encode(text)), outcome, 'X', now, profile)).toString();
  };
  const ack = (echoed: string) =>
    `MSH|^~\\&|||Mindray|BC-5380|${hl7Time(now)}||ACK^R01|X|P|2.3.1||||${echoed}||UNICODE\rMSA|AA|1|Message accepted|||0|\r`;
  for (const kind of ['0', '1', '2']) t.equal(answer(kind), ack(kind));
  t.equal(answer(''), ack(''));
  t.equal(answer('AL'), ack(''), 'a condition is not echoed: that would ask for an answer to the answer');
  t.match(answer('0', taken, '2.5'), /\|ACK\^R01\|/, 'two components whatever the version');
  t.match(answer('0', failed), /\rMSA\|AE\|1\|Application internal error\|\|\|207\|\r$/);
  for (const condition of ['0', '2', 'NE', 'AL']) t.equal(codes('device-mindray', [condition, condition], taken), 'AA');
  const plain = readMsh(new TextEncoder().encode('MSH|^~\\&|A||||2026||ORU^R01|1|P|2.3.1||||2\r'));
  t.match(Buffer.from(buildAck(plain, taken, 'X', now, profile)).toString(), /\|2\.3\.1\|\|\|\|2\rMSA/);
});

t.test('point 28: what is in no table is as if nothing were asked, and is told', async (t) => {
  for (const asked of [
    ['', '2'],
    ['Y', 'AL'],
    ['NE', '0'],
  ] as const) {
    for (const name of ['original', 'enhanced'] as const) {
      t.equal(codes(name, asked, taken), 'AA');
      t.equal(codes(name, asked, failed), 'AE');
      t.ok(hasUnknownCondition(ackProfiles[name], askingFor(asked[0], asked[1])));
    }
    for (const name of ['original-always', 'device-mindray'] as const)
      t.notOk(hasUnknownCondition(ackProfiles[name], askingFor(asked[0], asked[1])), 'nothing is decided by it');
  }
  t.notOk(hasUnknownCondition(ackProfiles.enhanced, askingFor('AL', '')));
});
