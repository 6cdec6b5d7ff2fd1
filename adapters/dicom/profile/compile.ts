import type { ProfileLanguage } from '../../../agent/registry.ts';
import { readHeader } from '../read-header.ts';
import { readStudy } from './read-study.ts';
import type { DicomProfile } from './schema.ts';

/** Readers of instances and of studies, from the plain data of checked profiles: needs neither YAML nor schema. */
export const dicomProfiles: ProfileLanguage = {
  sourceKinds: ['dicom-scp', 'dicom-folder'],
  compile(checked) {
    const profile = checked as DicomProfile;
    return {
      // An issue says all of its study; nothing of it waits for another or for its patient.
      corrections: 'snapshot',
      quietMs: 0,
      parkMs: 0,
      read: (raw, context) => readStudy(profile, raw, context),
    };
  },
  images(checked) {
    const { charset, urgent, study, accession_separator } = checked as DicomProfile;
    return {
      reader: { read: (head) => readHeader(head, charset === undefined ? {} : { charset }) },
      urgency: urgent,
      clock: { stableMs: study.stable_seconds * 1000, hardCapMs: study.longest_minutes * 60_000 },
      accessionSeparator: accession_separator,
    };
  },
};
