import { deflateRawSync, deflateSync } from 'node:zlib';
import t from 'tap';
import { readHeader } from '../../../adapters/dicom/read-header.ts';
import { encodeGb18030 } from '../../../adapters/hl7v2/gb18030.ts';
import {
  dataset,
  element,
  encodingOf,
  file,
  fragments,
  head,
  headOf,
  image,
  type Part,
  raw,
  type SyntaxName,
  sequence,
  syntaxes,
  uids,
  us,
} from './build.ts';

const KB64 = 64 * 1024;
const MB1 = 1024 * 1024;
const MB16 = 16 * MB1;

const read = (bytes: Uint8Array, charset?: string) =>
  readHeader(headOf(bytes), charset === undefined ? {} : { charset });

const expected = {
  sopClassUid: uids.ct,
  sopInstanceUid: uids.instance,
  studyUid: uids.study,
  seriesUid: uids.series,
  patientId: 'P0001',
  patientName: { alphabetic: 'Zhang^San' },
  otherPatientIds: ['M77', 'C12'],
  issuerOfPatientId: 'HIS',
  sex: 'M',
  birthDate: '19800229',
  accessionNumber: 'ACC001',
  studyId: 'S1',
  studyDate: '20261101',
  studyTime: '081500.25',
  studyDescription: 'Head',
  seriesDescription: 'Axial',
  modality: 'CT',
  bodyPart: 'HEAD',
  institutionName: 'Test Hospital',
  seriesNumber: 2,
  instanceNumber: 17,
  charset: 'utf-8',
  charsetGuessed: false,
};

t.test('every field is read, in each way a dataset is written', async (t) => {
  for (const syntax of Object.keys(syntaxes) as SyntaxName[]) {
    const reading = await read(file(image(), { syntax }));
    t.same(reading.ok && reading.header, { ...expected, transferSyntaxUid: syntaxes[syntax] }, syntax);
    t.equal(reading.ok && reading.part10, true);
  }
});

t.test('the number of frames is read, the last of what is wanted', async (t) => {
  const reading = await read(file(image({ more: [element(0x0028_0008, 'IS', '120')] })));
  t.equal(reading.ok && reading.header.numberOfFrames, 120);
});

t.test(
  'the priority of the request is read where the bytes already read have it, and is worth no further read',
  async (t) => {
    const priority = (value: string) => element(0x0040_1003, 'SH', value);
    const request = sequence(0x0040_0275, [[element(0x0040_1001, 'SH', 'RP1')]], { lengths: 'undefined' });
    const late = (before: Part[]) => image({ pixels: (encoding) => dataset(encoding, [...before, priority('STAT')]) });
    for (const syntax of Object.keys(syntaxes) as SyntaxName[])
      t.match(await read(file(late([request]), { syntax })), { header: { priority: 'STAT' } }, syntax);
    for (const before of [
      element(0x0029_1010, 'OB', Buffer.alloc(100_000)),
      raw(Buffer.from([0x29, 0, 0x10, 0x10, 0x53, 0x51, 0, 0])),
    ]) {
      const source = headOf(file(late([before])));
      const reading = await readHeader(source);
      t.same(reading.ok && reading.header, { ...expected, transferSyntaxUid: syntaxes.explicit });
      t.same(source.reads.lengths, [KB64]);
    }
    const without = await read(file(image({ instead: [[0x0040_1003, priority('  ')]] })));
    t.notOk(without.ok && 'priority' in without.header);
  },
);

t.test('other patient IDs stand in a sequence too, however that is written', async (t) => {
  const issuer = sequence(0x0010_0024, [[element(0x0040_0032, 'UT', '1.2.3')]], { lengths: 'undefined' });
  const item = (id: string) => [element(0x0010_0020, 'LO', id), element(0x0010_0021, 'LO', 'OTHER'), issuer];
  const items = [item('B7'), [element(0x0010_0021, 'LO', 'NOBODY')], item(' M77 '), item('C9')];
  const otherPatientIds = ['M77', 'C12', 'B7', 'C9'];
  for (const syntax of Object.keys(syntaxes) as SyntaxName[])
    for (const lengths of ['defined', 'undefined'] as const) {
      const instead = [[0x0010_1002, sequence(0x0010_1002, items, { lengths })]] as const;
      const reading = await read(file(image({ instead }), { syntax }));
      const whole = { ...expected, otherPatientIds, transferSyntaxUid: syntaxes[syntax] };
      t.same(reading.ok && reading.header, whole, `${syntax} ${lengths}`);
    }
  const hidden = sequence(0x0010_1002, items, { vr: 'UN', lengths: 'undefined', inside: encodingOf('implicit') });
  t.match(await read(file(image({ instead: [[0x0010_1002, hidden]] }))), { header: { otherPatientIds } });
});

t.test('other patient IDs: Chinese ones, and no more than a bounded number of them', async (t) => {
  const id = (value: string | Uint8Array, ...more: Part[]) => [...more, element(0x0010_0020, 'LO', value)];
  const ids = async (items: Part[][], lengths: 'defined' | 'undefined' = 'defined') => {
    const instead = [
      [0x0010_1000, undefined],
      [0x0010_1002, sequence(0x0010_1002, items, { lengths })],
    ] as const;
    const reading = await read(file(image({ charset: 'GB18030', name: encodeGb18030('张^誠'), instead })));
    t.equal(reading.ok && reading.header.studyUid, uids.study, 'whatever stands in it');
    return (reading.ok && reading.header.otherPatientIds) || [];
  };
  t.same(await ids([id(encodeGb18030('乗1'))]), ['乗1']);
  const utf8 = element(0x0008_0005, 'CS', 'ISO_IR 192');
  t.same(await ids([id(Buffer.from('张1'), utf8), id('7', utf8)]), ['7'], 'a charset of the item: only what is ASCII');
  const many = Array.from({ length: 5000 }, (_, n) => id(`N${n}`));
  t.equal((await ids(many.slice(0, 500))).length, 32);
  for (const lengths of ['defined', 'undefined'] as const) t.equal((await ids(many, lengths)).length, 32);
  t.same(await ids([id('x'.repeat(300)), id('A')]), ['A']);
  t.same(await ids([[], id('A')], 'undefined'), ['A']);
});

t.test('what is empty or no number is left out', async (t) => {
  const instead: Array<[number, Part]> = [
    [0x0008_0050, element(0x0008_0050, 'SH', '')],
    [0x0010_0010, element(0x0010_0010, 'PN', '^^^^= ')],
    [0x0010_1000, element(0x0010_1000, 'LO', '\\ ')],
    [0x0020_0011, element(0x0020_0011, 'IS', 'two')],
    [0x0020_0013, element(0x0020_0013, 'IS', '123456789012345')],
  ];
  const reading = await read(file(image({ instead })));
  const header = reading.ok ? reading.header : {};
  for (const field of ['accessionNumber', 'patientName', 'otherPatientIds', 'seriesNumber', 'instanceNumber'])
    t.notOk(field in header, field);
});

t.test('a name has three component groups, and only the first name counts', async (t) => {
  const name = Buffer.from('Zhang^San=张^三=ZHANG^SAN\\Li^Si');
  const reading = await read(file(image({ name })));
  t.same(reading.ok && reading.header.patientName, {
    alphabetic: 'Zhang^San',
    ideographic: '张^三',
    phonetic: 'ZHANG^SAN',
  });
});

t.test('text is decoded before it is split at a backslash, which is a trail byte of GB18030', async (t) => {
  const name = encodeGb18030('张^誠\\李^四');
  const instead = [[0x0010_1000, element(0x0010_1000, 'LO', encodeGb18030('乗1\\誠2'))]] as const;
  for (const charset of ['GB18030', 'GBK']) {
    const reading = await read(file(image({ charset, name, instead })));
    t.same(reading.ok && reading.header.patientName, { alphabetic: '张^誠' });
    t.same(reading.ok && reading.header.otherPatientIds, ['乗1', '誠2']);
  }
});

t.test('a source can say in which charset its files are, whatever they say themselves', async (t) => {
  const bytes = file(image({ charset: 'ISO_IR 192', name: encodeGb18030('昇^玘') }));
  t.match(await read(bytes, 'GBK'), {
    header: { patientName: { alphabetic: '昇^玘' }, charset: 'gb18030', charsetGuessed: false },
  });
});

t.test('an ordinary image costs one read of 64 KB', async (t) => {
  const source = headOf(file(image({ rows: 512 })));
  t.equal((await readHeader(source)).ok, true);
  t.same(source.reads.lengths, [KB64]);
});

t.test('long elements before the last wanted one make the head grow, to 1 MB and to 16 MB', async (t) => {
  const long = (bytes: number): Part => element(0x0009_1001, 'OB', Buffer.alloc(bytes, 1));
  const grown = async (bytes: number, syntax: SyntaxName) => {
    const source = headOf(file(image({ instead: [[0x0009_1001, long(bytes)]] }), { syntax }));
    const reading = await readHeader(source);
    return { ok: reading.ok ? reading.header.studyUid : reading.code, asked: source.reads.lengths };
  };
  for (const syntax of ['explicit', 'implicit', 'big'] as const) {
    t.same(await grown(100_000, syntax), { ok: uids.study, asked: [KB64, MB1] });
    t.same(await grown(2_000_000, syntax), { ok: uids.study, asked: [KB64, MB16] });
    t.same(await grown(17_000_000, syntax), { ok: 'DCM-2212', asked: [KB64, MB16] });
  }
});

t.test('long elements after the last wanted one are not read', async (t) => {
  const overlay = element(0x6000_3000, 'OW', Buffer.alloc(300_000));
  const pdf = element(0x0042_0011, 'OB', Buffer.alloc(20_000_000));
  for (const late of [overlay, pdf]) {
    const source = headOf(file(image({ pixels: late })));
    t.equal((await readHeader(source)).ok, true);
    t.same(source.reads.lengths, [KB64]);
  }
});

t.test('a deflated header is inflated no further than its 16 MB, however small the file', async (t) => {
  const long = (bytes: number) => [[0x0009_1001, element(0x0009_1001, 'OB', Buffer.alloc(bytes))]] as const;
  const near = await read(file(image({ instead: long(15_000_000) }), { syntax: 'deflated' }));
  t.equal(near.ok && near.header.studyUid, uids.study);
  t.match(await read(file(image({ instead: long(17_000_000) }), { syntax: 'deflated' })), { code: 'DCM-2212' });
});

t.test('deflated: a zlib header is tolerated, and so is a dataset that is not deflated at all', async (t) => {
  const body = dataset(encodingOf('explicit'), image());
  const meta = file([], { label: syntaxes.deflated });
  for (const content of [deflateSync(body), deflateRawSync(body), body])
    t.match(await read(Buffer.concat([meta, content])), { header: { studyUid: uids.study } });
});

t.test('deflated: what does not inflate is a damaged header', async (t) => {
  const whole = file(image(), { syntax: 'deflated' });
  t.match(await read(whole.subarray(0, whole.length - 200)), { code: 'DCM-2211' });
  const noise = Buffer.from(whole);
  noise.fill(0xff, whole.length - 250);
  t.match(await read(noise), { code: 'DCM-2211' });
});

t.test('files without preamble or without group 0002 are read, and told apart', async (t) => {
  for (const syntax of ['implicit', 'explicit', 'big'] as const) {
    for (const options of [
      { preamble: false, meta: false },
      { preamble: true, meta: false },
      { preamble: true, label: false },
    ] as const) {
      const reading = await read(file(image(), { syntax, ...options }));
      t.same(reading.ok && reading.header, { ...expected, transferSyntaxUid: syntaxes[syntax] }, syntax);
      t.equal(reading.ok && reading.part10, false);
    }
    t.match(await read(file(image(), { syntax, preamble: false })), { ok: true, part10: false });
  }
});

t.test('how pixels are encoded is never guessed: without a transfer syntax only native ones will do', async (t) => {
  const encoded = image({ pixels: fragments([Buffer.alloc(40)]) });
  for (const options of [
    { label: false },
    { label: 'JPEG' },
    { meta: false },
    { meta: false, preamble: false },
  ] as const) {
    t.match(await read(file(encoded, options)), { ok: false, code: 'DCM-2216' });
    t.match(await read(file(image(), options)), { ok: true, part10: false });
  }
  t.match(await read(file(encoded, { syntax: 'rle' })), { ok: true });
});

t.test('a dataset that is written otherwise than labelled is read as it is', async (t) => {
  const said = (syntax: SyntaxName, label: string) => file(image(), { syntax, label });
  for (const [syntax, label] of [
    ['implicit', syntaxes.explicit],
    ['explicit', syntaxes.implicit],
    ['big', syntaxes.explicit],
    ['implicit', '1.2.840.113619.5.2'],
  ] as const) {
    const reading = await read(said(syntax, label));
    t.match(reading, { header: { studyUid: uids.study, patientId: 'P0001', transferSyntaxUid: label } });
  }
});

t.test('sequences before the wanted elements are stepped over, however they are written', async (t) => {
  const inner = [element(0x0020_000d, 'UI', '9.9.9'), element(0x0010_0020, 'LO', 'OTHER')];
  const nested = [element(0x0008_1150, 'UI', uids.ct), sequence(0x0008_1199, [inner, inner], { lengths: 'undefined' })];
  for (const syntax of ['implicit', 'explicit', 'big'] as const)
    for (const lengths of ['defined', 'undefined'] as const)
      for (const parts of [[nested, inner], [inner], [[]], []]) {
        const instead = [[0x0008_1140, sequence(0x0008_1140, parts, { lengths })]] as const;
        const reading = await read(file(image({ instead }), { syntax }));
        t.same(reading.ok && reading.header, { ...expected, transferSyntaxUid: syntaxes[syntax] });
      }
});

t.test('a sequence under UN is in implicit little endian, or in explicit where a writer got it wrong', async (t) => {
  for (const inside of [encodingOf('implicit'), encodingOf('explicit')]) {
    const hidden = sequence(0x0009_1010, [[element(0x0009_1011, 'LO', 'X'), us(0x0009_1012, 1)], []], {
      vr: 'UN',
      lengths: 'undefined',
      inside,
    });
    const reading = await read(file(image({ instead: [[0x0009_1010, hidden]] })));
    t.equal(reading.ok && reading.header.studyUid, uids.study);
  }
});

t.test('an icon whose pixels are fragments does not end the header', async (t) => {
  const icon = sequence(0x0008_2112, [[fragments([Buffer.from('ab'), Buffer.from('cdef')])]], { lengths: 'undefined' });
  const reading = await read(file(image({ instead: [[0x0008_2112, icon]] })));
  t.equal(reading.ok && reading.header.studyUid, uids.study);
});

t.test('elements out of order are still found before the pixels', async (t) => {
  const parts = image();
  const study = parts.splice(17, 1);
  const late = [...parts.slice(0, -1), ...study, ...parts.slice(-1)];
  t.match(await read(file(late)), { header: { studyUid: uids.study } });
  t.match(await read(file([...parts, ...study])), { code: 'DCM-2213' });
});

t.test('a UID that is missing, and one that breaks the rules, have codes of their own', async (t) => {
  const withUid = (tag: number, value: string | undefined) =>
    read(file(image({ instead: [[tag, value === undefined ? undefined : element(tag, 'UI', value)]] })));
  for (const tag of [0x0008_0018, 0x0020_000d, 0x0020_000e]) {
    t.match(await withUid(tag, undefined), { ok: false, code: 'DCM-2213' });
    t.match(await withUid(tag, ''), { ok: false, code: 'DCM-2213' });
    for (const bad of ['../../etc/passwd', '1.2.3/4', 'CON', '1..2', '.1', '1.', '1.2 3', `1.${'2'.repeat(63)}`])
      t.match(await withUid(tag, bad), { ok: false, code: 'DCM-2203' }, bad);
    for (const good of ['1.2', `1.${'2'.repeat(62)}`, '1.2 ', ' 1.2'])
      t.match(await withUid(tag, good), { ok: true }, good);
  }
  t.match(await withUid(0x0008_0016, undefined), { ok: true, header: { sopClassUid: uids.ct } }, 'group 0002 has it');
});

t.test('a media directory is told apart from an instance', async (t) => {
  const records = [element(0x0004_1130, 'CS', 'DISC'), sequence(0x0004_1220, [[us(0x0004_1410, 0xffff)]])];
  const mediaClass = '1.2.840.10008.1.3.10';
  t.match(await read(file(records, { mediaClass })), { ok: false, code: 'DCM-2214' });
  t.match(await read(file(records, { mediaClass, syntax: 'big' })), { ok: false, code: 'DCM-2214' });
  t.match(await read(file(records, { meta: false })), { ok: false, code: 'DCM-2214' });
});

t.test('what is no DICOM is said to be none', async (t) => {
  const texts = ['', 'x', '%PDF-1.7\n', 'PK\u0003\u0004', 'hello '.repeat(100), '\b', `${'\0'.repeat(128)}DICN`];
  for (const text of texts)
    t.match(await read(Buffer.from(text)), { code: 'DCM-2202' }, JSON.stringify(text.slice(0, 9)));
  t.match(await read(Buffer.alloc(100_000)), { code: 'DCM-2202' });
  t.match(await read(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46])), { code: 'DCM-2202' });
});

t.test('a file cut off anywhere before the last wanted element is damaged, after it the header is whole', async (t) => {
  const parts = image({ pixels: element(0x7fe0_0010, 'OW', Buffer.alloc(1000)) });
  for (const syntax of ['implicit', 'explicit', 'big'] as const) {
    const whole = file(parts, { syntax });
    const after = whole.indexOf(head(0x0028_0002, 'US', 2, encodingOf(syntax)));
    const end = after + 8 + 2 + 8;
    let between = whole.length - dataset(encodingOf(syntax), parts).length;
    const boundaries = new Set(parts.map((part) => (between += part(encodingOf(syntax)).length)));
    for (let length = 150; length < whole.length; length += length < end + 30 ? 1 : 37) {
      // Between two elements a header looks as if it had no more of them.
      if (boundaries.has(length)) continue;
      const reading = await read(whole.subarray(0, length));
      // Up to the head of (0028,0010), which shows that (0028,0008) is not there.
      if (length >= end) t.equal(reading.ok, true, `${syntax} ${length}`);
      else t.match(reading, { ok: false, code: 'DCM-2211' }, `${syntax} ${length}`);
    }
  }
});

t.test('a value longer than any such value is left out and harms nothing', async (t) => {
  const instead = [[0x0008_1030, element(0x0008_1030, 'LO', 'x'.repeat(20_000))]] as const;
  const reading = await read(file(image({ instead })));
  t.equal(reading.ok && reading.header.patientId, 'P0001');
  t.notOk(reading.ok && 'studyDescription' in reading.header);
});

t.test('a broken VR is stepped over', async (t) => {
  const bad = raw(Buffer.concat([Buffer.from([0x09, 0, 0x10, 0]), Buffer.from('\0\0'), Buffer.from([0, 0])]));
  const unknownShort = raw(Buffer.from([0x09, 0, 0x11, 0, 0x5a, 0x5a, 2, 0, 0x41, 0x42]));
  const unknownLong = raw(Buffer.from([0x09, 0, 0x12, 0, 0x5a, 0x5a, 0, 0, 2, 0, 0, 0, 0x41, 0x42]));
  const instead = [
    [0x0009_0010, bad],
    [0x0009_0011, unknownShort],
    [0x0009_0012, unknownLong],
  ] as const;
  t.match(await read(file(image({ instead }))), { header: { studyUid: uids.study } });
});

t.test('sequences nested without end, and elements without number, come to an end', async (t) => {
  const level = Buffer.concat([
    head(0x0009_1010, 'SQ', 0xffff_ffff, encodingOf('explicit')),
    head(0xfffe_e000, '', 0xffff_ffff, encodingOf('explicit')),
  ]);
  const deep = Buffer.concat(Array.from({ length: 3000 }, () => level));
  t.match(await read(file([raw(deep)])), { ok: false, code: 'DCM-2211' });
  const tiny = Buffer.concat(Array.from({ length: 130_000 }, () => head(0x0009_1001, '', 0, encodingOf('implicit'))));
  t.match(await read(file([raw(tiny), ...image()], { syntax: 'implicit' })), { ok: true });
});

t.test('what the source rejects with comes through', async (t) => {
  const source = { size: 1000, read: () => Promise.reject(new Error('disk')) };
  await t.rejects(readHeader(source), { message: 'disk' });
  const deflated = file(image({ instead: [[0x0009_1001, element(0x0009_1001, 'OB', noise(100_000))]] }), {
    syntax: 'deflated',
  });
  let reads = 0;
  const second = {
    size: deflated.length,
    read: async (length: number) => {
      if (++reads > 1) throw new Error('disk');
      return deflated.subarray(0, length);
    },
  };
  await t.rejects(readHeader(second), { message: 'disk' });
});

/** Bytes that do not compress; the same in every run. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
