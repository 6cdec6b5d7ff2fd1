import t from 'tap';
import { checkDicomProfile } from '../../../adapters/dicom/profile/check.ts';
import { dicomProfiles } from '../../../adapters/dicom/profile/compile.ts';
import { isUrgent } from '../../../agent/images/urgency.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { element, file, headOf, image } from './build.ts';

/** Whether a CT image with this priority is urgent to a profile. */
async function urgent(profile: string, priority: string): Promise<boolean> {
  const rules = dicomProfiles.images?.(checkDicomProfile(profile));
  if (rules === undefined) throw new Error('no profile of images');
  const reading = await rules.reader.read(
    headOf(file(image({ instead: [[0x0040_1003, element(0x0040_1003, 'SH', priority)]] }))),
  );
  if (!reading.ok) throw new Error(reading.code);
  return isUrgent(reading.header, rules.urgency);
}

t.test('an image is urgent by the priority of its request: the two highest that the standard defines', async (t) => {
  for (const profile of [readAsset('config/dialects/dicom-default.yaml'), '', 'urgent: { modalities: [] }']) {
    for (const priority of ['STAT', 'HIGH', 'STAT ']) t.equal(await urgent(profile, priority), true, priority);
    for (const priority of ['ROUTINE', 'MEDIUM', 'LOW', 'stat', ''])
      t.equal(await urgent(profile, priority), false, priority);
  }
});

t.test('the profile says which values are urgent, as the sender writes them', async (t) => {
  t.equal(await urgent('urgent: { priorities: [急诊1, A] }', 'A'), true);
  t.equal(await urgent('urgent: { priorities: [A] }', 'STAT'), false);
  t.equal(await urgent('urgent: { priorities: [] }', 'STAT'), false);
  t.equal(await urgent('urgent: { modalities: [CT], priorities: [] }', 'LOW'), true, 'or the modality');
});
