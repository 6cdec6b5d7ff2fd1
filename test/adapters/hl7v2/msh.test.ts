import fc from 'fast-check';
import t from 'tap';
import { encodeText } from '../../../adapters/hl7v2/charset.ts';
import { readMsh } from '../../../adapters/hl7v2/msh.ts';
import { parseMessage, valueAt } from '../../../adapters/hl7v2/parser.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

t.test('the fields an answer needs are read', async (t) => {
  const msh = readMsh(
    utf8(
      'MSH|^~\\&|LIS|HOSP|HIP|PROV|20260101||ORU^R01^ORU_R01| a-ID-longer-than-20-characters |P|2.5.1||1|AL|NE||UTF-8\rPID|',
    ),
  );
  t.match(msh, {
    delimiters: { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&', truncation: undefined },
    messageType: { code: 'ORU', trigger: 'R01', structure: 'ORU_R01' },
    acceptAck: 'AL',
    applicationAck: 'NE',
    declaredCharsets: ['UTF-8'],
    hasMsa: false,
  });
  t.equal(latin1(msh?.sendingApplication), 'LIS');
  t.equal(latin1(msh?.receivingFacility), 'PROV');
  t.equal(latin1(msh?.controlId), ' a-ID-longer-than-20-characters ', 'byte for byte');
  t.equal(latin1(msh?.version), '2.5.1');
});

t.test('point 46: BOM, blanks, blank lines before MSH and every line end', async (t) => {
  for (const prefix of ['\ufeff', ' ', '\r\n', '\r\n \t\0', '\ufeff\n'])
    t.equal(latin1(readMsh(utf8(`${prefix}MSH|^~\\&|||||||ORU^R01|7|P|2.4`))?.controlId), '7');
  for (const end of ['\r', '\n', '\r\n', ''])
    t.equal(latin1(readMsh(utf8(`MSH|^~\\&|||||||ORU^R01|7|P|2.4${end}`))?.version), '2.4');
});

t.test('point 47: delimiters come from MSH-1 and MSH-2', async (t) => {
  t.match(readMsh(utf8('MSH|^~&|A||||||ORU^R01|7|P|2.4'))?.delimiters, { escape: undefined, subcomponent: '&' });
  t.match(readMsh(utf8('MSH|^~\\&#|A||||||ORU^R01|7|P|2.7'))?.delimiters, { truncation: '#' });
  const doubled = readMsh(utf8('MSH|^~\\\\&|A||||||ORU^R01|7|P|2.4'));
  t.match(doubled?.delimiters, { escape: '\\', subcomponent: '&' }, 'escaped once too often');
  t.equal(latin1(doubled?.encodingCharacters), '^~\\\\&', 'and echoed as sent');
  t.match(readMsh(utf8('MSH||A||||||ORU^R01|7|P|2.4'))?.delimiters, { escape: '\\', subcomponent: '&' }, 'none given');
  t.equal(latin1(readMsh(utf8('MSH|^~\\& |A||||||ORU^R01|7|P|2.4'))?.controlId), '7', 'a blank behind them');
  const odd = readMsh(utf8('MSH$@*!%$A$$$$$$ORU@R01$7$P$2.4\r'));
  t.match(odd?.delimiters, { field: '$', component: '@', repetition: '*', escape: '!', subcomponent: '%' });
  t.match(odd?.messageType, { code: 'ORU', trigger: 'R01' });
  t.equal(latin1(odd?.controlId), '7');
});

t.test('point 47: intake and mapping read MSH-2 alike', async (t) => {
  for (const encoding of ['^~\\&', '^~\\\\&', '^~&', '^~\\&#', '', '^^~\\&', '^', '^~', '^~\\& ', '@*!%']) {
    const text = `MSH|${encoding}|A||||||ORU^R01|7|P|2.4`;
    const { field, ...given } = readMsh(utf8(text))!.delimiters;
    t.equal(field, '|');
    const read = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? '']));
    t.same({ field, ...read }, parseMessage(text)?.delimiters, JSON.stringify(encoding));
  }
  const doubled = parseMessage('MSH|^~\\\\&|A||||||ORU^R01|7|P|2.4\rNTE|1||a\\T\\b&c')!;
  t.equal(valueAt(doubled, doubled.segments[1]!, 3), 'a&b&c');
  t.equal(valueAt(doubled, doubled.segments[1]!, 3, 1, 1, 2), 'c', 'escapes and subcomponents as everybody means them');
});

t.test('point 20: a lone structure gives code and trigger, as the mapping reads them', async (t) => {
  const type = (msh9: string) => readMsh(utf8(`MSH|^~\\&|A||||||${msh9}|7|P|2.4`))?.messageType;
  t.same(type('ORU_R01'), { code: 'ORU', trigger: 'R01', structure: 'ORU_R01' });
  t.same(type('ADT^^ADT_A05'), { code: 'ADT', trigger: 'A05', structure: 'ADT_A05' });
  t.same(type('ADT^A04^ADT_A01'), { code: 'ADT', trigger: 'A04', structure: 'ADT_A01' });
  t.same(type('ORU'), { code: 'ORU', trigger: '', structure: '' });
});

t.test('segments joined by blanks: MSH ends where the next segment begins', async (t) => {
  const joined = readMsh(utf8('MSH|^~\\&|PEIS|H|||2026||ZMG^Z30|7|P|2.4  PID|1|T1|||GB|CHN  ZMG|1|x'));
  t.match(joined, { isJoined: true, isContinued: false, declaredCharsets: [] });
  t.equal(latin1(joined?.version), '2.4');
  t.equal(latin1(joined?.charset), '');
  t.equal(readMsh(utf8('MSH|^~\\&|A||||||RSP^K11|7|P|2.5  MSA|AA|1'))?.hasMsa, true);
  for (const text of [
    'MSH|^~\\&|LIS  PID|H|||2026||ORU^R01|7|P|2.4\rPID|1',
    'MSH|^~\\&|LIS|H|||2026||ORU^R01|7|P|2.4  ABC|1\rPID|1',
    'MSH|^~\\&|LIS|H|||2026||ORU^R01|7|P|2.4 PID|1\rPID|1',
    'MSH|^~\\&|LIS|H|||2026||ORU^R01|7|P|2.4\rNTE|1||see  PID|',
  ])
    t.match(readMsh(utf8(text)), { isJoined: false }, text);
  const started = process.cpuUsage();
  readMsh(utf8(`MSH|^~\\&|${' '.repeat(60_000)}|${'  PID'.repeat(1_000)}|  \t  |`));
  t.ok(process.cpuUsage(started).user < 50_000, 'blanks without end cost nothing');
});

t.test('point 31: no MSH, a cut MSH, XML or noise cannot be read', async (t) => {
  for (const bad of ['', 'MSH', 'MSHX^~\\&', 'PID|1', 'BHS|^~\\&|', '<ORU_R01/>', 'MSH|abcdefgh|', '\0\0'])
    t.equal(readMsh(utf8(bad)), undefined, JSON.stringify(bad));
  t.equal(readMsh(utf8(`MSH|^~\\&|||||||ORU|${'9'.repeat(100_000)}`)), undefined, 'an endless MSH-10');
  t.doesNotThrow(() => fc.assert(fc.property(fc.uint8Array(), (raw) => void readMsh(raw))));
  const noisy = fc.uint8Array().map((tail) => Buffer.concat([Buffer.from('MSH|^~\\&|'), tail]));
  t.doesNotThrow(() => fc.assert(fc.property(noisy, (raw) => void readMsh(raw))));
});

t.test('GB18030 trail bytes in MSH-3 to MSH-6 do not shift the fields', async (t) => {
  // 珅 = AB 7C, 玘 = AB 5E, 診 and 錦 end in 5C, 東 質 達 in 7C; 𠀀 has four bytes.
  const text = (charset: string) =>
    `MSH|^~\\&|珅检|玘院|東質達|診錦𠀀|2026||ORU^R01|ID-9|P|2.4||||||${charset}\rPID|1\r`;
  for (const [charset, profile] of [
    ['GBK', undefined],
    ['GB 18030-2000', undefined],
    ['', 'GBK'],
    ['', undefined],
  ] as const) {
    const msh = readMsh(encodeText(text(charset), 'GB18030'), profile);
    t.equal(latin1(msh?.controlId), 'ID-9', `MSH-18 "${charset}", profile ${profile}`);
    t.same(new Uint8Array(msh?.sendingApplication ?? []), encodeText('珅检', 'GB18030'));
    t.same(new Uint8Array(msh?.receivingFacility ?? []), encodeText('診錦𠀀', 'GB18030'));
  }
});

t.test('a one-byte charset is cut byte by byte: é before | is not the lead of a GBK character', async (t) => {
  const text = (charset: string) => `MSH|^~\\&|LABO|CLÉ|X|É|2026||ADT^A40|5|P|2.3||||||${charset}\r`;
  t.equal(latin1(readMsh(encodeText(text('8859/1'), 'ISO-8859-1'))?.controlId), '5', 'declared');
  t.equal(latin1(readMsh(encodeText(text(''), 'ISO-8859-1'), '8859/1')?.controlId), '5', 'by the profile');
  t.equal(latin1(readMsh(encodeText(text(''), 'ISO-8859-1'))?.controlId), '5', 'by the version in MSH-12');
});

t.test('the charset is found in any repetition of MSH-18, and in MSH-17 where one vendor puts it', async (t) => {
  const msh = (tail: string) => readMsh(utf8(`MSH|^~\\&|||||||ORU^R01|1|P|2.4|||||${tail}`))?.declaredCharsets;
  t.same(msh('|ASCII~GB18030'), ['US-ASCII', 'GB18030']);
  t.same(msh('gbk'), ['GB18030']);
  t.same(msh('CHN|UNICODE'), ['UTF-8']);
  t.same(msh('CHN|JONES'), []);
});

t.test('MSA after the header marks an answer', async (t) => {
  const header = 'MSH|^~\\&|||||||RSP^K11|1|P|2.5';
  t.equal(readMsh(utf8(`${header}\rMSA|AA|1\r`))?.hasMsa, true);
  t.equal(readMsh(utf8(`${header}\r\n\r\n  MSA|AA|1\r\n`))?.hasMsa, true);
  t.equal(readMsh(utf8(`${header}\rSFT|a\rMSA|AA|1\r`))?.hasMsa, true);
  t.equal(readMsh(utf8(`${header}\rPID|1\rNTE|1||MSA|AA\r`))?.hasMsa, false);
  for (const passed of ['SFT|a\r', 'UAC|a\r', '\r', ' ']) {
    const behind = (bytes: number) => `${header}\r${passed.repeat(Math.ceil(bytes / passed.length))}MSA|AA|1\r`;
    t.equal(readMsh(utf8(behind(60 * 1024)))?.hasMsa, true);
    t.equal(readMsh(utf8(behind(64 * 1024)))?.hasMsa, false, 'a frame of nothing else is not looked through');
  }
});
