import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildPreamble } from '../../../adapters/dicom/part10.ts';
import { readHeader } from '../../../adapters/dicom/read-header.ts';
import { encodeGb18030 } from '../../../adapters/hl7v2/gb18030.ts';
import { dataset, element, encodingOf, file, headOf, image, sequence, syntaxes, uids } from './build.ts';

const missing = ['dcm2json', 'dcmdump', 'dcmftest'].filter(
  (tool) => spawnSync(tool, ['--version']).error !== undefined,
);
const skip = missing.length === 0 ? false : `${missing.join()} (Debian dcmtk) is not installed`;

type Values = Record<string, { vr: string; Value?: Array<string | number | Record<string, string>> }>;

/** What dcmtk reads of a file, text converted to UTF-8; undefined when it cannot, as with encapsulated pixels. */
function dcmtk(path: string): Values | undefined {
  // -fc and no meta information; values that are no text come as base64 and are not looked at.
  const { status, stdout } = spawnSync('dcm2json', ['-q', '-fc', path], { maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) return undefined;
  try {
    return JSON.parse(stdout.toString('utf8')) as Values;
  } catch {
    // Charsets that it cannot convert come out as they are, which is no JSON.
    return undefined;
  }
}

const fields = {
  '00080016': 'sopClassUid',
  '00080018': 'sopInstanceUid',
  '0020000D': 'studyUid',
  '0020000E': 'seriesUid',
  '00080020': 'studyDate',
  '00080030': 'studyTime',
  '00080050': 'accessionNumber',
  '00080060': 'modality',
  '00080080': 'institutionName',
  '00081030': 'studyDescription',
  '0008103E': 'seriesDescription',
  '00100010': 'patientName',
  '00100020': 'patientId',
  '00100021': 'issuerOfPatientId',
  '00100030': 'birthDate',
  '00100040': 'sex',
  '00180015': 'bodyPart',
  '00200010': 'studyId',
  '00200011': 'seriesNumber',
  '00200013': 'instanceNumber',
  '00280008': 'numberOfFrames',
} as const;

/** The fields as dcmtk has them, in the manner of ImageFacts. */
function asHeader(values: Values): Record<string, unknown> {
  const header: Record<string, unknown> = {};
  for (const [tag, field] of Object.entries(fields)) {
    const value = values[tag]?.Value?.[0];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'object') header[field] = typeof value === 'string' ? value.trim() : value;
    else header[field] = Object.fromEntries(Object.entries(value).map(([group, text]) => [group.toLowerCase(), text]));
  }
  return header;
}

async function ours(bytes: Uint8Array): Promise<Record<string, unknown> | string> {
  const reading = await readHeader(headOf(bytes));
  if (!reading.ok) return reading.code;
  const wanted = new Set<string>(Object.values(fields));
  return Object.fromEntries(Object.entries(reading.header).filter(([field]) => wanted.has(field)));
}

t.test('what we read of built files is what dcmtk reads', { skip }, async (t) => {
  const references = [[element(0x0008_1150, 'UI', uids.ct)], []];
  const instead = [[0x0008_1140, sequence(0x0008_1140, references, { lengths: 'undefined' })]] as const;
  for (const syntax of ['implicit', 'explicit', 'big', 'deflated'] as const)
    for (const [charset, encode] of [
      ['GB18030', encodeGb18030],
      ['ISO_IR 192', Buffer.from],
    ] as const) {
      const texts = {
        name: encode('Wang^XiaoDong=王^小东'),
        institution: encode('测试医院'),
        description: encode('乗\\腰椎'),
      };
      const bytes = file(image({ charset, ...texts, instead }), { syntax });
      const path = join(t.testdir(), 'image');
      writeFileSync(path, bytes);
      const theirs = dcmtk(path);
      t.ok(theirs, `${syntax} ${charset}`);
      const mine = await ours(bytes);
      // A description has one value; dcmtk splits it.
      t.same(mine, { ...asHeader(theirs ?? {}), studyDescription: '乗\\腰椎' }, `${syntax} ${charset}`);
    }
});

t.test('dcmtk takes a dataset behind our preamble for a DICOM file', { skip }, async (t) => {
  for (const syntax of ['implicit', 'explicit', 'big'] as const) {
    const preamble = buildPreamble({
      sopClassUid: uids.ct,
      sopInstanceUid: uids.instance,
      transferSyntaxUid: syntaxes[syntax],
    });
    const path = join(t.testdir(), 'received');
    writeFileSync(path, Buffer.concat([preamble, dataset(encodingOf(syntax), image())]));
    t.match(execFileSync('dcmftest', [path], { encoding: 'utf8' }), /^yes: /);
    const dump = spawnSync('dcmdump', ['+f', path], { encoding: 'utf8' });
    t.same({ status: dump.status, stderr: dump.stderr }, { status: 0, stderr: '' });
  }
});

const corpus = new URL('../../../../shared/corpus/dicom/', import.meta.url);
const skipCorpus = skip || (existsSync(new URL('index.json', corpus)) ? false : 'the shared corpus is not here');

/** Where dcmtk believes a label that lies, splits a text of one value, or takes `1A` for a number. */
const otherwise: Record<string, string[]> = {
  'charset/gb18030_5c.dcm': ['studyDescription'],
  'charset/lie_iso100_gbk.dcm': ['patientName', 'institutionName', 'studyDescription'],
  'charset/lie_iso100_utf8.dcm': ['patientName', 'institutionName', 'studyDescription'],
  'pydicom+pydicom/badVR.dcm': ['numberOfFrames'],
};

t.test('what we read of the corpus is what dcmtk reads', { skip: skipCorpus }, async (t) => {
  const folder = decodeURIComponent(corpus.pathname);
  let compared = 0;
  for (const name of globSync('*/*', { cwd: folder }).sort()) {
    if (name.endsWith('.txt')) continue;
    const mine = await ours(new Uint8Array(readFileSync(join(folder, name))));
    const theirs = dcmtk(join(folder, name));
    if (typeof mine === 'string' || theirs === undefined) continue;
    compared++;
    const expected = asHeader(theirs);
    for (const field of otherwise[name] ?? []) {
      t.notSame(mine[field], expected[field], `${name}: ${field}`);
      delete mine[field];
      delete expected[field];
    }
    t.same(mine, expected, name);
  }
  t.comment(`${compared} files compared`);
  t.ok(compared >= 35);
});
