import t from 'tap';
import { admission, differs, strangerUnder } from '../../../../agent/clinical/patients/identity.ts';
import { applyDemographics } from '../../../../agent/clinical/patients/patient-index.ts';
import type { PatientStatement } from '../../../../agent/clinical/patients/types.ts';
import type { Patient } from '../../../../agent/clinical/records/types.ts';

// Invented people: region 999999 does not exist.
const idA = '999999199003070016';
const idB = '99999919850515002X';

const person = (name?: string, birthDate?: string, resident?: string): Patient => ({
  name,
  birthDate,
  identifiers: resident ? [{ kind: 'resident-id', value: resident, source: 'PID-19' }] : [],
});
const said = (patient: Patient, hour?: string): PatientStatement => ({
  patientKey: 'P1',
  patient,
  cleared: [],
  ...(hour && { messageTime: `20240520${hour}0000` }),
});
const known = (patient: Patient, hour?: string) => applyDemographics(undefined, said(patient, hour));
const nobody = person('无名氏', '19000101');
const zhang = person('张三', '19900307', idA);
const li = person('李四', '19850515');

t.test('a newer registration names who was unknown; where no time or an ID speaks for it, it is held', async (t) => {
  const held = { contradicts: 'patient.birthDate' };
  t.same(admission(known(nobody, '08'), said(zhang, '09')), { takes: 'all' });
  t.same(admission(known(nobody, '08'), said(zhang)), held);
  t.same(admission(known(nobody), said(zhang, '09')), held);
  t.same(admission(known(nobody, '08'), said(zhang, '08')), held, 'equal times do not order');
  t.same(admission(known(zhang, '08'), said(li, '09')), held, 'the wrong entry may have been edited');
  t.same(admission(known(zhang, '08'), said(person('李四', '19850515', idB), '09')), {
    contradicts: 'patient.residentId',
  });
  t.same(admission(known(person('张三', '19900301', idA), '08'), said(person('章三', '19900307', idA), '09')), {
    takes: 'all',
  });
});

t.test('of a registration that is surely older only the visit is taken', async (t) => {
  t.same(admission(known(zhang, '09'), said(nobody, '08')), { takes: 'visit' });
});

t.test('one of name and birth date makes another person where something would be filled in', async (t) => {
  t.equal(differs(zhang, person('李四')), 'patient.name');
  t.equal(differs(zhang, person(undefined, '19850515')), 'patient.birthDate');
  t.equal(differs(zhang, person('李四', undefined, idA)), undefined, 'the same resident ID is the same person');
  t.equal(differs(zhang, person('张 三')), undefined);
});

t.test('under a retired number only who was known under it may be another than the survivor', async (t) => {
  const survivor = known(zhang);
  t.equal(strangerUnder([known(nobody)], survivor, nobody), undefined);
  t.equal(strangerUnder([known(nobody)], survivor, li), 'patient.birthDate');
  t.equal(strangerUnder([undefined], survivor, person('李四')), 'patient.name', 'nobody knew the number');
  t.equal(strangerUnder([undefined], survivor, person('张三', '19900307')), undefined);
  t.equal(strangerUnder([known(li), known(nobody)], survivor, li), undefined, 'or on the way to the survivor');
});
