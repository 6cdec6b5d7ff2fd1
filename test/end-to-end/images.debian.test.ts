import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildPreamble } from '../../adapters/dicom/part10.ts';
import { dataset, element, encodingOf, syntaxes } from '../adapters/dicom/build.ts';
import { dcmtk, noDcmtk } from '../adapters/sources/dicom-scp/dcmtk.ts';
import { bodies } from '../demo/running.ts';
import { eventually, folderOf, startAgentRig } from '../faults/disk/agent-rig.ts';
import { skipOrthanc, startOrthanc } from '../platform/orthanc/orthanc.ts';
import { createPki } from '../platform/pki.ts';
import { choosePort } from '../platform/ports.ts';

t.setTimeout(600_000);

const ctImage = '1.2.840.10008.5.1.4.1.1.2';
const studyUid = '2.25.999999000001';

/** One slice of an invented person's study, as a Part 10 file. */
function slice(number: number): { uid: string; bytes: Buffer } {
  const uid = `${studyUid}.1.${number}`;
  const body = dataset(encodingOf('explicit'), [
    element(0x0008_0005, 'CS', 'GB18030'),
    element(0x0008_0016, 'UI', ctImage),
    element(0x0008_0018, 'UI', uid),
    element(0x0008_0020, 'DA', '20260301'),
    element(0x0008_0030, 'TM', '101500'),
    element(0x0008_0050, 'SH', 'A900001'),
    element(0x0008_0060, 'CS', 'CT'),
    // 王^小东 in GB18030.
    element(0x0010_0010, 'PN', Buffer.from('Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab', 'latin1')),
    element(0x0010_0020, 'LO', '999999001'),
    element(0x0010_0030, 'DA', '19800101'),
    element(0x0010_0040, 'CS', 'M'),
    element(0x0020_000d, 'UI', studyUid),
    element(0x0020_000e, 'UI', `${studyUid}.1`),
    element(0x0020_0011, 'IS', '1'),
    element(0x0020_0013, 'IS', String(number)),
    element(0x7fe0_0010, 'OW', Buffer.alloc(20_000, number)),
  ]);
  const preamble = buildPreamble({ sopClassUid: ctImage, sopInstanceUid: uid, transferSyntaxUid: syntaxes.explicit });
  return { uid, bytes: Buffer.concat([preamble, body]) };
}

const skip = skipOrthanc || noDcmtk;
t.test('images pushed and dropped reach the cloud bit for bit, and their study the province', { skip }, async (t) => {
  const root = folderOf(t);
  const orthanc = await startOrthanc({ folder: join(root, 'orthanc') });
  t.teardown(orthanc.stop);
  const pki = createPki(join(root, 'pki'));
  const port = await choosePort();
  const [inbox, archive] = [join(root, 'inbox'), join(root, 'archive')];
  mkdirSync(inbox);
  mkdirSync(archive);
  const profile = join(root, 'dicom.yaml');
  writeFileSync(profile, 'patient_id: in-house\nsex: { M: "1" }\nstudy: { stable_seconds: 2 }\n');
  const rig = await startAgentRig(t, {
    root,
    pki,
    sources: [
      {
        name: 'pacs',
        kind: 'dicom-scp',
        profile,
        port,
        ae_titles: ['QIANZHI'],
        calling_ae_titles: ['STORESCU'],
      },
      { name: 'dropped', kind: 'dicom-folder', profile, folder: inbox, archive, scan_interval_seconds: 0.5 },
    ],
    provincePlatform: { format: 'imaging-index', pack: 'imaging-index' },
    platforms: [{ name: 'cloud', kind: 'dicomweb', url: orthanc.url, tls: orthanc.tls }],
  });
  rig.start();
  t.ok(await rig.ready(), 'it starts');

  const pushed = [1, 2, 3].map(slice);
  const files = pushed.map(({ bytes }, i) => {
    const file = join(root, `${i}.dcm`);
    writeFileSync(file, bytes);
    return file;
  });
  const said = await dcmtk('storescu', '-aec', 'QIANZHI', '-aet', 'STORESCU', '127.0.0.1', String(port), ...files);
  t.equal(said.code, 0, said.output);
  t.ok(await eventually(async () => (await orthanc.count()) === 3), 'what was pushed is there');
  for (const { uid, bytes } of pushed) {
    const there = await orthanc.instanceFile(uid);
    const pixels = bytes.subarray(-20_000);
    t.ok(there?.subarray(-20_000).equals(pixels), `${uid} bit for bit`);
  }
  const index = () => rig.province.received();
  t.ok(await eventually(() => index().length === 1), 'its study reaches the province');
  const document = (n: number) => {
    const folder = rig.province.receivedFolder;
    return JSON.parse(readFileSync(join(folder, bodies(folder).sort()[n]!), 'utf8')) as Record<string, string>;
  };
  t.match(document(0), {
    patientId: '999999001',
    patientName: '王小东',
    patientSex: 'M',
    studyId: studyUid,
    accessNumber: 'A900001',
    modality: 'CT',
    patientBirthday: '1980-01-01',
  });

  const late = slice(4);
  writeFileSync(join(inbox, 'late'), late.bytes);
  t.ok(await eventually(async () => (await orthanc.count()) === 4), 'what was dropped is there');
  t.ok((await orthanc.instanceFile(late.uid))?.equals(late.bytes), 'the very file');
  t.ok(await eventually(() => index().length === 2), 'and the study is issued again');
  t.match(index()[1], { operation: 'replace', version: 2 });
  const shown = async () =>
    (await rig.status())?.platforms.map(({ takes, unsent, acceptedToday }) => [takes, unsent, acceptedToday]);
  const wanted = JSON.stringify([
    [undefined, 0, 2],
    ['images', 0, 4],
  ]);
  t.ok(await eventually(async () => JSON.stringify(await shown()) === wanted), 'the page says so');
  t.same(rig.deaths, []);
});
