import dicomParser from 'dicom-parser';
import t from 'tap';
import {
  buildPreamble,
  datasetOffset,
  implementationClassUid,
  implementationVersionName,
} from '../../../adapters/dicom/part10.ts';
import { dataset, element, encodingOf, file, head, image, syntaxes, uids } from './build.ts';

const values = { sopClassUid: uids.ct, sopInstanceUid: uids.instance, transferSyntaxUid: syntaxes.implicit };
const body = dataset(encodingOf('implicit'), image());

t.test('another reader finds in the preamble what was put into it, and the dataset behind it', async (t) => {
  const bytes = Buffer.concat([buildPreamble(values), body]);
  t.equal(bytes.toString('latin1', 128, 132), 'DICM');
  const read = dicomParser.parseDicom(bytes);
  t.equal(read.string('x00020002'), values.sopClassUid);
  t.equal(read.string('x00020003'), values.sopInstanceUid);
  t.equal(read.string('x00020010'), values.transferSyntaxUid);
  t.equal(read.string('x00020012'), implementationClassUid);
  t.equal(read.string('x00020013'), implementationVersionName);
  t.equal(read.string('x0020000d'), uids.study);
  t.equal(read.uint32('x00020000'), buildPreamble(values).length - 128 - 4 - 12, 'the group length counts the rest');
});

t.test('our own UID and name keep the limits of their VRs', async (t) => {
  t.match(implementationClassUid, /^2\.25\.[1-9]\d{0,38}$/);
  t.ok(implementationVersionName.length <= 16);
});

t.test('the same values give the same bytes, at even length whatever the UIDs', async (t) => {
  for (const sopInstanceUid of ['1.2', '1.23', '2.25.1', `1.${'2'.repeat(62)}`]) {
    const preamble = buildPreamble({ ...values, sopInstanceUid });
    t.same(preamble, buildPreamble({ ...values, sopInstanceUid }));
    t.equal(preamble.length % 2, 0);
    t.equal(datasetOffset(Buffer.concat([preamble, body])), preamble.length);
  }
});

t.test('the dataset begins where group 0002 ends, whatever its length says', async (t) => {
  const offsetOf = (bytes: Uint8Array) => bytes.length - dataset(encodingOf('explicit'), image()).length;
  const whole = file(image());
  t.equal(datasetOffset(whole), offsetOf(whole));
  const wrong = Buffer.from(whole);
  wrong.writeUInt32LE(7, 140);
  t.equal(datasetOffset(wrong), offsetOf(whole));
  const more = file(image(), { moreMeta: [element(0x0002_0016, 'AE', 'MODALITY')] });
  t.equal(datasetOffset(more), offsetOf(more));
  const noMeta = file(image(), { meta: false });
  t.equal(datasetOffset(noMeta), 132);
  t.equal(datasetOffset(file(image(), { meta: false, preamble: false })), 0);
  const noPreamble = file(image(), { preamble: false });
  t.equal(datasetOffset(noPreamble), offsetOf(noPreamble));
});

t.test('a head that is cut off before the dataset, damaged, or no DICOM has no offset', async (t) => {
  const whole = file(image());
  const offset = datasetOffset(whole) ?? 0;
  for (const length of [0, 1, 100, 131, 140, 200, offset, offset + 7])
    t.equal(datasetOffset(whole.subarray(0, length)), undefined, `${length} bytes`);
  t.equal(datasetOffset(whole.subarray(0, offset + 8)), offset);
  t.equal(datasetOffset(Buffer.from('%PDF-1.7 and so on, for more than eight bytes')), undefined);
  const endless = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  const undefinedMeta = head(0x0002_0001, 'OB', 0xffff_ffff, encodingOf('explicit'));
  t.equal(datasetOffset(Buffer.concat([endless, undefinedMeta, body])), undefined);
});
