import { existsSync, globSync, readFileSync } from 'node:fs';
import dicomParser from 'dicom-parser';
import t from 'tap';
import { checkCompleteness } from '../../../adapters/dicom/completeness.ts';
import { type HeaderReading, readHeader } from '../../../adapters/dicom/read-header.ts';
import { headOf, seekOf } from './build.ts';

const corpus = new URL('../../../../shared/corpus/dicom/', import.meta.url);
const skip = existsSync(new URL('index.json', corpus)) ? false : 'the shared corpus is not here';

/** Files of the corpus that are no instances: made to break readers, cut down to one feature, or media directories. */
const faults: Record<string, { code: string; complete?: string }> = {
  // A byte too many at the very beginning, and neither preamble nor group 0002.
  'pydicom+pydicom/no_meta.dcm': { code: 'DCM-2202', complete: 'not-dicom' },
  'pydicom+pydicom/dicomdirtests_DICOMDIR': { code: 'DCM-2214' },
  'pydicom+pydicom/dicomdirtests_DICOMDIR-bigEnd': { code: 'DCM-2214' },
  'pydicom+pydicom/dicomdirtests_DICOMDIR-nooffset': { code: 'DCM-2214' },
  'pydicom+pydicom/UN_sequence.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom/chrSQEncoding.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom/chrSQEncoding1.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom/empty_charset_LEI.dcm': { code: 'DCM-2213', complete: 'short' },
  'pydicom+pydicom/meta_missing_tsyntax.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom/nested_priv_SQ.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom/priv_SQ.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom/no_meta_group_length.dcm': { code: 'DCM-2213', complete: 'short' },
  // Images without study and series.
  'pydicom+pydicom/JPEGLSNearLossless_08.dcm': { code: 'DCM-2213' },
  'pydicom+pydicom-data/JLSL_08_07_0_1F.dcm': { code: 'DCM-2213' },
};
const cutOff = ['pydicom+pydicom/MR_truncated.dcm', 'pydicom+pydicom/rtplan_truncated.dcm'];

const folder = decodeURIComponent(corpus.pathname);
const files = skip
  ? []
  : globSync('*/*', { cwd: folder })
      .filter((name) => !name.endsWith('.txt'))
      .sort();
const load = (name: string) => new Uint8Array(readFileSync(new URL(name, corpus)));

t.test('every file gives a header or a code that fits, from 64 KB and most from 16', { skip }, async (t) => {
  t.ok(files.length >= 70, `${files.length} files`);
  let small = 0;
  const real: HeaderReading[] = [];
  for (const name of files) {
    const source = headOf(load(name));
    const reading = await readHeader(source);
    t.equal(reading.ok ? 'ok' : reading.code, faults[name]?.code ?? 'ok', name);
    t.ok(
      source.reads.lengths.every((length) => length <= 64 * 1024),
      name,
    );
    if (source.reads.lengths.length === 1) small += 1;
    if (faults[name]?.code === undefined || ['DCM-2211', 'DCM-2212'].includes(faults[name].code)) real.push(reading);
  }
  const read = real.filter(({ ok }) => ok).length;
  t.comment(`${read} of ${real.length} instances read`);
  t.ok(read >= 0.95 * real.length);
  t.ok(small >= 0.9 * files.length, `${small} of ${files.length} from 16 KB`);
});

t.test('every file is found whole or cut off as it is, in a few reads', { skip }, async (t) => {
  for (const name of files) {
    const source = seekOf(load(name));
    const verdict = await checkCompleteness(source);
    t.equal(verdict, cutOff.includes(name) ? 'short' : (faults[name]?.complete ?? 'whole'), name);
    t.ok(source.reads.lengths.length <= 3, `${name}: ${source.reads.lengths.length} reads`);
  }
});

t.test('cut off anywhere, a file of the corpus is not whole', { skip }, async (t) => {
  const images = files.filter(
    (name) => !cutOff.includes(name) && /CT_small|MR_small|693_J2KI|image_dfl|rle|ebe|MR01/.test(name),
  );
  t.ok(images.length >= 10);
  for (const name of images) {
    const whole = load(name);
    // MR_small_padded has padding after its pixels, and is whole without it.
    const pixelsEnd = name.includes('padded') ? 9830 : whole.length;
    for (let step = 1; step <= 40; step++) {
      const length = Math.floor((pixelsEnd * step) / 41);
      t.not(await checkCompleteness(seekOf(whole.subarray(0, length))), 'whole', `${name} at ${length}`);
    }
  }
});

t.test('the twelve charset files show the right name, guessed where the label lies', { skip }, async (t) => {
  const wang = { alphabetic: 'Wang^XiaoDong', ideographic: '王^小东' };
  const expected: Record<string, [name: object, charset: string, guessed: boolean]> = {
    bad_case: [wang, 'utf-8', false],
    gb18030: [wang, 'gb18030', false],
    gb18030_4byte: [{ alphabetic: '王𠮷^㐀龘' }, 'gb18030', false],
    gb18030_5c: [{ alphabetic: '张^誠' }, 'gb18030', false],
    gb2312: [wang, 'gb18030', false],
    gbk: [wang, 'gb18030', false],
    ir58: [wang, 'iso-2022-ir-58', false],
    ir58_noeq: [{ alphabetic: '王^小东' }, 'iso-2022-ir-58', false],
    lie_iso100_gbk: [wang, 'gb18030', true],
    lie_iso100_utf8: [wang, 'utf-8', true],
    none_gbk: [wang, 'gb18030', true],
    utf8: [wang, 'utf-8', false],
  };
  t.same(
    files.filter((name) => name.startsWith('charset/')),
    Object.keys(expected).map((name) => `charset/${name}.dcm`),
  );
  for (const [name, [patientName, charset, charsetGuessed]] of Object.entries(expected)) {
    const reading = await readHeader(headOf(load(`charset/${name}.dcm`)));
    const texts = name === 'gb18030_5c' ? ['某医院', '乗\\腰椎'] : ['四川省第二中医医院', '胸部CT平扫'];
    const [institutionName, studyDescription] = texts;
    t.match(reading, { header: { patientName, charset, charsetGuessed, institutionName, studyDescription } }, name);
  }
});

t.test('names in other scripts are read as their files say', { skip }, async (t) => {
  const expected: Record<string, object> = {
    chrFrenMulti: { alphabetic: 'Buc^Jérôme' },
    chrH31: { alphabetic: 'Yamada^Tarou', ideographic: '山田^太郎', phonetic: 'やまだ^たろう' },
    chrH32: { alphabetic: 'ﾔﾏﾀﾞ^ﾀﾛｳ', ideographic: '山田^太郎', phonetic: 'やまだ^たろう' },
    chrI2: { alphabetic: 'Hong^Gildong', ideographic: '洪^吉洞', phonetic: '홍^길동' },
    chrRuss: { alphabetic: 'Люкceмбypг' },
    chrX1: { alphabetic: 'Wang^XiaoDong', ideographic: '王^小東' },
    chrX2: { alphabetic: 'Wang^XiaoDong', ideographic: '王^小东' },
  };
  for (const [name, patientName] of Object.entries(expected))
    t.match(
      await readHeader(headOf(load(`pydicom+pydicom/${name}.dcm`))),
      { header: { patientName, charsetGuessed: false } },
      name,
    );
});

t.test('dicom-parser finds the same values wherever it can read a file', { skip }, async (t) => {
  let compared = 0;
  for (const name of files) {
    const bytes = load(name);
    const reading = await readHeader(headOf(bytes));
    if (!reading.ok) continue;
    let other: dicomParser.DataSet;
    try {
      other = dicomParser.parseDicom(bytes, { untilTag: 'x7fe00010' });
    } catch {
      continue;
    }
    compared++;
    const { header } = reading;
    const text = (tag: string) => other.string(tag) || undefined;
    t.equal(header.sopInstanceUid, text('x00080018'), name);
    t.equal(header.studyUid, text('x0020000d'), name);
    t.equal(header.seriesUid, text('x0020000e'), name);
    t.equal(header.transferSyntaxUid, text('x00020010'), name);
    t.equal(header.modality, text('x00080060'), name);
    t.equal(header.patientId, text('x00100020'), name);
    t.equal(header.accessionNumber, text('x00080050'), name);
    t.equal(header.studyDate, text('x00080020'), name);
    // It reads the `1A` of badVR.dcm as 1.
    const number = (tag: string) => (/^\d+$/.test(text(tag) ?? '') ? other.intString(tag) : undefined);
    t.equal(header.instanceNumber, number('x00200013'), name);
    t.equal(header.numberOfFrames, number('x00280008'), name);
  }
  t.comment(`${compared} files compared`);
  t.ok(compared >= 45);
});
