import t from 'tap';
import { readHeader } from '../../../adapters/dicom/read-header.ts';
import { dataset, element, encodingOf, file, head, headOf, image, raw, sequence, uids, us } from './build.ts';

const read = (bytes: Uint8Array, charset?: string) =>
  readHeader(headOf(bytes), charset === undefined ? {} : { charset });

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
