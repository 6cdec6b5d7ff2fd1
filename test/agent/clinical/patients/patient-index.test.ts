import t from 'tap';
import { completeFromIndex, withIdentity } from '../../../../agent/clinical/patients/completion.ts';
import { contradiction } from '../../../../agent/clinical/patients/identity.ts';
import { applyDemographics, learnFromReport } from '../../../../agent/clinical/patients/patient-index.ts';
import type { PatientState, PatientStatement } from '../../../../agent/clinical/patients/types.ts';
import type { Encounter, Identifier, LabReport, Patient } from '../../../../agent/clinical/records/types.ts';

// Invented people: region 999999 does not exist.
const idA = '999999199003070016';
const idB = '99999919850515002X';

const resident = (value: string): Identifier => ({ kind: 'resident-id', value, source: 'PID-19' });
const person = (more: Partial<Patient> = {}): Patient => ({ identifiers: [], ...more });
const said = (patient: Partial<Patient>, more: Partial<PatientStatement> = {}): PatientStatement => ({
  patientKey: 'P1',
  patient: person(patient),
  cleared: [],
  ...more,
});
const at = (hour: string): { messageTime: string } => ({ messageTime: `20240520${hour}0000` });
const known = (...statements: PatientStatement[]): PatientState =>
  statements.reduce<PatientState | undefined>(applyDemographics, undefined)!;

t.test('each field is what the newest message said of it, in whatever order they come', async (t) => {
  const early = said({ name: '张三', phone: '1' }, at('08'));
  const late = said({ name: '张珊' }, at('10'));
  for (const order of [
    [early, late],
    [late, early],
  ]) {
    t.match(known(...order).patient, { name: '张珊', phone: '1' });
  }
});

t.test('an empty field leaves what is known, a deleted one goes and stays gone for what is older', async (t) => {
  const first = said({ name: '张三', phone: '1' }, at('08'));
  t.match(known(first, said({ name: '张三' }, at('09'))).patient, { phone: '1' });
  const deleted = known(first, said({}, { cleared: ['phone'], ...at('09') }));
  t.equal(deleted.patient.phone, undefined);
  t.equal(applyDemographics(deleted, first).patient.phone, undefined);
  t.equal(learnFromReport(deleted, 'P1', person({ phone: '1' })), deleted, 'a report does not bring it back');
  t.match(applyDemographics(deleted, said({ phone: '2' }, at('10'))).patient, { phone: '2' });
});

t.test('messages without a time count in the order of arrival', async (t) => {
  t.match(known(said({ name: 'a' }), said({ name: 'b' })).patient, { name: 'b' });
});

t.test(
  'identifiers are added, a resident ID takes the place of the one before, visit numbers are not kept',
  async (t) => {
    const card: Identifier = { kind: 'health-card', value: 'H1', source: 'PID-3' };
    const visit: Identifier = { kind: 'visit', value: 'V1', source: 'PV1-19' };
    const state = known(said({ identifiers: [resident(idA), visit] }), said({ identifiers: [card, resident(idB)] }));
    t.same(
      state.patient.identifiers.map(({ value }) => value),
      ['H1', idB],
    );
  },
);

t.test('what says nothing new changes nothing', async (t) => {
  const statement = said({ name: '张三', identifiers: [resident(idA)] }, at('08'));
  const state = known(statement);
  t.equal(applyDemographics(state, statement), state);
  t.equal(learnFromReport(state, 'P1', person({ name: '别名' })), state, 'nor does a report against a registration');
  t.equal(learnFromReport(undefined, 'P1', person()), undefined);
});

t.test('what only reports said is the last word of them, and any registration outweighs it', async (t) => {
  const one = learnFromReport(undefined, 'P1', person({ name: '张三', birthDate: '19900307' }));
  const two = learnFromReport(one, 'P1', person({ name: '张珊' }));
  t.match(two?.patient, { name: '张珊', birthDate: '19900307' });
  t.match(applyDemographics(two, said({ name: '张叁' })).patient, { name: '张叁', birthDate: '19900307' });
});

t.test('visits are known by their number, the newer word counts, and the last twenty are kept', async (t) => {
  const visit = (visitNumber: string, more: Partial<Encounter> = {}) => ({ diagnoses: [], visitNumber, ...more });
  const admitted = said({}, { encounter: visit('V1', { patientClass: 'inpatient', bed: '1' }), ...at('10') });
  const older = said({}, { encounter: visit('V1', { patientClass: 'emergency' }), ...at('09') });
  const moved = said({}, { encounter: visit('V1', { bed: '2' }), ...at('11') });
  t.match(known(admitted, older, moved).encounters, [{ encounter: { patientClass: 'inpatient', bed: '2' } }]);
  const many = known(...Array.from({ length: 25 }, (_, i) => said({}, { encounter: visit(`V${i}`) })));
  t.same([many.encounters.length, many.encounters.at(-1)?.visitNumber], [20, 'V24']);
});

const report = (patient: Partial<Patient>, encounter: Partial<Encounter> = {}): LabReport => ({
  kind: 'lab-report',
  reportNumber: 'R1',
  orderNumbers: [],
  patient: person(patient),
  encounter: { diagnoses: [], ...encounter },
  specimen: {},
  items: [],
  remarks: [],
});

t.test('a report is completed with what the index knows, and keeps its own words', async (t) => {
  const state = known(
    said(
      { name: '张三', birthDate: '19900307', identifiers: [resident(idA)] },
      {
        encounter: { diagnoses: [], visitNumber: 'V1', patientClass: 'inpatient' },
      },
    ),
  );
  const { record, lacks } = completeFromIndex(
    report({ name: '张 三' }, { visitNumber: 'V1' }),
    ['sex', 'birthDate', 'patientClass'],
    state,
  );
  t.match(record, {
    patient: { name: '张 三', birthDate: '19900307', identifiers: [{ value: idA }] },
    encounter: { patientClass: 'inpatient' },
  });
  t.same(lacks, ['sex'], 'what nobody told it still lacks');
  const other = completeFromIndex(report({}, { visitNumber: 'V2' }), ['patientClass'], state);
  t.same(other.lacks, ['patientClass'], 'the class of another visit says nothing');
  t.same(completeFromIndex(report({}), ['patientClass'], state).lacks, ['patientClass'], 'nor without a number');
});

t.test('only what lacks is filled: a report sent again says no more because the index grew', async (t) => {
  const state = known(said({ name: '张三', phone: '1', address: 'x', identifiers: [resident(idA)] }));
  const named = completeFromIndex(report({}), ['name'], state).record.patient;
  t.match(named, { name: '张三', phone: undefined, address: undefined, identifiers: [{ value: idA }] });
  t.same(completeFromIndex(report({}), ['patientClass'], state).record.patient.identifiers, []);
});

t.test('a report that lacks nothing stays as it was sent', async (t) => {
  const sent = report({ name: '张三' });
  t.equal(completeFromIndex(sent, [], known(said({ phone: '1', identifiers: [resident(idA)] }))).record, sent);
});

t.test('somebody else under a known number: another resident ID, or another birth date and name', async (t) => {
  const state = known(said({ name: '张三', birthDate: '19900307', identifiers: [resident(idA)] }));
  const against = (patient: Partial<Patient>) => contradiction(state, person(patient));
  t.equal(against({ name: '李四', identifiers: [resident(idB)] }), 'patient.residentId');
  t.equal(against({ identifiers: [resident(idB)] }), 'patient.residentId');
  t.equal(against({ name: '李四', birthDate: '19850515' }), 'patient.birthDate');
  t.equal(
    against({ name: '张 三', birthDate: '19900307', identifiers: [resident(idB)] }),
    undefined,
    'a corrected number',
  );
  t.equal(against({ name: '张珊', birthDate: '19900307' }), undefined, 'a corrected name');
  t.equal(against({ name: '张三', birthDate: '19900308' }), undefined, 'a corrected date');
  t.equal(against({}), undefined);
  t.equal(contradiction(undefined, person({ name: '李四' })), undefined);
});

t.test('a registration is held against another registration, not against a mere report', async (t) => {
  const learned = learnFromReport(undefined, 'P1', person({ name: '张三', birthDate: '19900307' }));
  const other = person({ name: '李四', birthDate: '19850515' });
  t.equal(contradiction(learned, other), 'patient.birthDate');
  t.equal(contradiction(learned, other, true), undefined);
  t.equal(contradiction(known(said({ name: '张三', birthDate: '19900307' })), other, true), 'patient.birthDate');
});

t.test('under another number a record has its identity; apart again it keeps nothing of the other', async (t) => {
  const inHouse: Identifier = { kind: 'in-house', value: 'P0', source: 'PID-2' };
  const visit: Identifier = { kind: 'visit', value: 'V1', source: 'PV1-19' };
  const own = person({ name: '张叁', phone: '1', identifiers: [inHouse, visit, resident(idB)] });
  const state = known(said({ name: '张三', identifiers: [resident(idA)] }));
  const values = (patient: Patient) => patient.identifiers.map(({ value }) => value);
  const merged = withIdentity(own, state, true);
  t.match(merged, { name: '张三', phone: '1' });
  t.same(values(merged), ['P1', idA, 'V1']);
  const apart = withIdentity(own, known(said({ phone: '2' })), false);
  t.match(apart, { name: undefined, phone: '2' });
  t.same(values(apart), ['P1', 'V1']);
});
