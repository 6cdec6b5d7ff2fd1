import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readHeader } from '../../../../adapters/dicom/read-header.ts';
import { skipOrthanc, startOrthanc } from '../../../platform/orthanc/orthanc.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { outgoing } from './instances.ts';
import { connect, never } from './rig.ts';

t.setTimeout(300_000);
const corpus = fileURLToPath(new URL('../../../../../shared/corpus/dicom/', import.meta.url));
const skip = !existsSync(corpus) ? '../shared is not here' : skipOrthanc;
const index: Array<{ file: string }> = skip ? [] : JSON.parse(readFileSync(`${corpus}index.json`, 'utf8'));

/** Part 10 files whose dataset ends in the middle of an element, which Orthanc does not store. */
const truncated = ['pydicom+pydicom/MR_truncated.dcm', 'pydicom+pydicom/rtplan_truncated.dcm'];

t.test('every Part 10 file of the corpus lies in Orthanc bit for bit, or is refused', { skip }, async (t) => {
  const folder = quickFolder('orthanc');
  const orthanc = await startOrthanc({ folder });
  t.teardown(async () => {
    await orthanc.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const connection = await connect(t, orthanc.url, orthanc.tls);
  const syntaxes = new Set<string>();
  let same = 0;
  let n = 0;
  for (const { file: name } of index) {
    const bytes = readFileSync(`${corpus}${name}`);
    const reading = await readHeader({ size: bytes.length, read: async (length) => bytes.subarray(0, length) });
    // What has no UIDs or no preamble never comes to a platform in this form.
    if (!reading.ok || !reading.part10) continue;
    const { sopInstanceUid: sop, studyUid: study, transferSyntaxUid } = reading.header;
    const result = await connection.send([outgoing(++n, bytes, { study, sop })], never);
    if (truncated.includes(name)) {
      t.same(result, { kind: 'refused-whole', code: 'PLT-1308' }, name);
      continue;
    }
    t.same(result, { kind: 'items', items: [{ n, outcome: 'accepted' }] }, name);
    t.ok((await orthanc.instanceFile(sop))?.equals(bytes), name);
    // Some files of the corpus are one image in several transfer syntaxes: the next must not meet this one.
    await orthanc.remove(sop);
    syntaxes.add(transferSyntaxUid);
    same++;
  }
  t.ok(same >= 40, `${same} files`);
  t.ok(syntaxes.size >= 10, `${syntaxes.size} transfer syntaxes`);
  t.comment(`${same} files in ${syntaxes.size} transfer syntaxes`);
});
