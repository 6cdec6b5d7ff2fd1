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

const KB16 = 16 * 1024;
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

t.test('the priority of the request is read where the first 64 KB have it, and is worth no further read', async (t) => {
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
    t.same(source.reads.lengths, source.size > KB16 ? [KB16, KB64] : [KB16], 'not the rest of it');
  }
  for (const bytes of [10_000, 30_000]) {
    const source = headOf(file(late([element(0x0029_1010, 'OB', Buffer.alloc(bytes))])));
    t.match(await readHeader(source), { header: { priority: 'STAT' } }, 'in the first 64 KB');
    t.same(source.reads.lengths, bytes > KB16 ? [KB16, KB64] : [KB16]);
  }
  const without = await read(file(image({ instead: [[0x0040_1003, priority('  ')]] })));
  t.notOk(without.ok && 'priority' in without.header);
});

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

t.test('an ordinary image costs one read of 16 KB', async (t) => {
  const source = headOf(file(image({ rows: 512 })));
  t.equal((await readHeader(source)).ok, true);
  t.same(source.reads.lengths, [KB16]);
});

t.test('long elements before the last wanted one make the head grow, to 64 KB, 1 MB and 16 MB', async (t) => {
  const long = (bytes: number): Part => element(0x0009_1001, 'OB', Buffer.alloc(bytes, 1));
  const grown = async (bytes: number, syntax: SyntaxName) => {
    const source = headOf(file(image({ instead: [[0x0009_1001, long(bytes)]] }), { syntax }));
    const reading = await readHeader(source);
    return { ok: reading.ok ? reading.header.studyUid : reading.code, asked: source.reads.lengths };
  };
  for (const syntax of ['explicit', 'implicit', 'big'] as const) {
    t.same(await grown(30_000, syntax), { ok: uids.study, asked: [KB16, KB64] });
    t.same(await grown(100_000, syntax), { ok: uids.study, asked: [KB16, MB1] });
    t.same(await grown(2_000_000, syntax), { ok: uids.study, asked: [KB16, MB16] });
    t.same(await grown(17_000_000, syntax), { ok: 'DCM-2212', asked: [KB16, MB16] });
  }
});

t.test('long elements after the last wanted one are not read', async (t) => {
  const overlay = element(0x6000_3000, 'OW', Buffer.alloc(300_000));
  const pdf = element(0x0042_0011, 'OB', Buffer.alloc(20_000_000));
  for (const late of [overlay, pdf]) {
    const source = headOf(file(image({ pixels: late })));
    t.equal((await readHeader(source)).ok, true);
    t.same(source.reads.lengths, [KB16]);
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
