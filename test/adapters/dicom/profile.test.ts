import t from 'tap';
import { checkDicomProfile } from '../../../adapters/dicom/profile/check.ts';
import { dicomProfiles } from '../../../adapters/dicom/profile/compile.ts';
import { manifestBytes, type StudyManifest } from '../../../agent/images/manifest.ts';
import type { Reading } from '../../../agent/mapping/mapper.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { phi } from '../../../agent/support/phi.ts';
import { ConfigError } from '../../../config/config-error.ts';

const usual = readAsset('config/dialects/dicom-default.yaml');
const manifest: StudyManifest = {
  kind: 'imaging-study',
  format: 1,
  issue: 1,
  withdrawn: false,
  studyUid: '2.25.1',
  patient: {
    id: '999999001',
    otherIds: ['B7'],
    name: { alphabetic: 'Zhang^Jin', ideographic: '张^晋' },
    sex: 'M',
    birthDate: '19800131',
  },
  contradicts: [],
  charsetGuessed: false,
  accessionNumbers: ['A1#A2'],
  date: '20260301',
  time: '101500.123',
  modalities: ['CT'],
  instances: 30,
  series: [],
  seriesInAll: 2,
};
const read = (more: Partial<StudyManifest> = {}, profile = usual): Reading =>
  dicomProfiles
    .compile(checkDicomProfile(profile))
    .read(phi(manifestBytes({ ...manifest, ...more })), { receivedMs: 0, source: 'pacs', timeZone: 'Asia/Shanghai' });
const statement = (reading: Reading) => {
  const [first] = reading.kind === 'statements' ? reading.statements : [];
  if (first === undefined || !('ok' in first)) throw new Error(JSON.stringify(reading));
  return first.ok;
};

t.test('an issue of a study is one record, under a number of the sender’s own', (t) => {
  const said = statement(read());
  t.match(said, {
    reportKey: 'imaging-study|pacs|2.25.1',
    patientKey: 'pacs|999999001',
    reportAction: 'publish',
    report: {
      kind: 'imaging-study',
      accessionNumbers: ['A1', 'A2'],
      modalities: ['CT'],
      startedAt: '20260301101500',
      series: 2,
      instances: 30,
      patient: { name: '张晋', birthDate: '19800131', sex: { code: 'M', standard: { code: '1' } } },
    },
  });
  t.match(
    read().lookups.map(({ kind, value }) => `${kind} ${value.reveal()}`),
    ['patient 999999001', 'patient B7', 'name 张晋', 'order A1', 'order A2', 'report 2.25.1'],
  );
  t.end();
});

t.test('where the profile says so, Patient ID is the hospital’s number', (t) => {
  const said = statement(read({}, usual.replace('\npatient_id: own', '\npatient_id: in-house')));
  t.equal(said.patientKey, '999999001');
  t.match(said.report.kind === 'imaging-study' && said.report.patient.identifiers[0], { kind: 'in-house' });
  t.end();
});

t.test(
  'the numbers of a study’s report are its accession numbers, and in the record only where they are others',
  (t) => {
    const numbersIn = (fields: string) => {
      const { report } = statement(
        read({ studyId: ' S1#S2' }, usual.replace('report_numbers: [accession]', `report_numbers: ${fields}`)),
      );
      return report.kind === 'imaging-study' && report.reportNumbers;
    };
    t.equal(numbersIn('[accession]'), undefined, 'the same record, byte for byte, as before there was a choice');
    t.same(numbersIn('[study-id]'), ['S1', 'S2']);
    t.same(numbersIn('[accession, study-id]'), ['A1', 'A2', 'S1', 'S2']);
    t.end();
  },
);

t.test('numbers of two issuers are two people, and one of another issuer is never the hospital’s', (t) => {
  const inHouse = usual
    .replace('\npatient_id: own', '\npatient_id: in-house')
    .replace('issuers: []', 'issuers: [HERE]');
  const keyOf = (issuerOfId: string | undefined, profile: string) => {
    const said = statement(read({ patient: { ...manifest.patient, issuerOfId } }, profile));
    return [said.patientKey, said.report.kind === 'imaging-study' && said.report.patient.identifiers[0]?.kind];
  };
  t.same(keyOf('ELSEWHERE', usual), ['pacs|ELSEWHERE\\999999001', 'other']);
  t.same(keyOf('ELSEWHERE', inHouse), ['pacs|ELSEWHERE\\999999001', 'other']);
  for (const own of ['HERE', ' HERE ', '', undefined]) t.same(keyOf(own, inHouse), ['999999001', 'in-house']);
  t.end();
});

t.test('a withdrawn study retracts, and a guessed charset is a finding', (t) => {
  t.equal(statement(read({ withdrawn: true })).reportAction, 'retract');
  t.equal(statement(read({ withdrawn: true, contradicts: ['patientId'] })).reportAction, 'retract');
  t.equal(statement(read({ withdrawn: true, patient: { otherIds: [] } })).reportAction, 'retract');
  t.match(statement(read({ charsetGuessed: true })).findings, [{ code: 'DCM-2298', where: 'patient.name' }]);
  t.end();
});

t.test('names as Chinese senders write them', (t) => {
  const nameOf = (name: StudyManifest['patient']['name']) => {
    const { report } = statement(read({ patient: { ...manifest.patient, name } }));
    return 'patient' in report ? report.patient.name : undefined;
  };
  t.equal(nameOf({ alphabetic: '张^晋' }), '张晋');
  t.equal(nameOf({ alphabetic: '张晋' }), '张晋');
  t.equal(nameOf({ alphabetic: 'Zhang^Jin' }), 'Zhang Jin');
  t.equal(nameOf({ alphabetic: '^^' }), undefined);
  t.end();
});

t.test('nobody’s and two people’s studies are held', (t) => {
  const { id: _id, ...nobody } = manifest.patient;
  t.match(read({ patient: nobody }), { kind: 'held', code: 'MAP-3003', where: 'patient.id' });
  t.match(read({ contradicts: ['birthDate'] }), { kind: 'held', code: 'DCM-2295', where: 'patient.birthDate' });
  t.end();
});

t.test('a profile says where it is wrong, all at once and in both languages', (t) => {
  const mistakes = (text: string): string[] => {
    try {
      checkDicomProfile(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.issues.map(({ code, line, column, path, message }) => {
        if (code !== 'CFG-5009' || message.zh === message.en) throw new Error(path);
        return `${line}:${column} ${path}: ${message.en}`;
      });
    }
    return [];
  };
  t.match(mistakes('patient_id: mine'), ['1:13 patient_id: must be one of: own, in-house.']);
  t.match(mistakes('sex:\n  M: "7"'), ['2:6 sex.M: must be one of']);
  t.match(mistakes('report_numbers: []'), ['report_numbers: must have at least 1']);
  t.match(mistakes('paths: {}\nreport_numbers: [series]'), ['1:1 paths: is not known here', '2:18 report_numbers[0]']);
  t.match(mistakes('a: ['), [/^1:/]);
  t.end();
});
