import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { noDcmtk } from '../../adapters/sources/dicom-scp/dcmtk.ts';
import { skipOrthanc } from '../../platform/orthanc/orthanc.ts';
import type { ImageReport } from './image-report.ts';

/** The benchmark of images works: every row is measured. What it measures in so short a time means nothing. */
t.setTimeout(600_000);

const skip = skipOrthanc || noDcmtk;
t.test('every row of the benchmark of images is measured, and every image is counted', { skip }, async (t) => {
  const script = fileURLToPath(new URL('../bench.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--images', '--smoke', '--json'], {
    cwd: t.testdir(),
    maxBuffer: 16 * 1024 * 1024,
  });
  const { received, uploaded, large, sealing, goals } = JSON.parse(stdout) as ImageReport;
  const receivers = ['agent', 'agent-uploading', 'orthanc', 'storescp'];
  t.same(Object.keys(received).sort(), receivers);
  const samples = [...Object.values(received).flat(), ...uploaded, ...Object.values(large.received), large.uploaded];
  t.equal(samples.length, 4 + 1 + 3 + 1);
  t.ok(samples.every((sample) => sample && sample.perSecond > 0 && (sample.peakRssMb ?? 0) > 0));
  t.ok(sealing.plain > 0 && sealing.sealed > sealing.plain && sealing.read > 0);
  t.ok(goals.every(({ met }) => met !== undefined));
});
