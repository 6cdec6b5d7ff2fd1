import t from 'tap';
import type { PatientStatement } from '../../../../agent/clinical/patients/types.ts';
import type { EncounterRecord } from '../../../../agent/clinical/records/types.ts';
import type { Reading } from '../../../../agent/mapping/mapper.ts';
import { mshOf, outcomes, pid, pv1, read, segment, whereHeld } from './reading.ts';

const evn = 'EVN|A01|20240520102500';
const pv1With = (patientClass: string, over: Record<number, string> = {}): string => {
  const all: Record<number, string> = { 1: '1', 2: patientClass, 3: 'W03^^12^0301^呼吸内科', 19: 'V1', ...over };
  return segment('PV1', { 45: '', ...all });
};
const adt = (trigger: string, ...rest: string[]): Reading => read([mshOf(`ADT^${trigger}`), evn, ...rest]);
const patientOf = (reading: Reading): PatientStatement => {
  for (const statement of reading.kind === 'statements' ? reading.statements : []) {
    if ('patient' in statement) return statement.patient;
  }
  throw new Error(outcomes(reading).join());
};
const visitOf = (reading: Reading): EncounterRecord & { action: string } => {
  for (const statement of reading.kind === 'statements' ? reading.statements : []) {
    if ('ok' in statement && statement.ok.report.kind === 'encounter') {
      return { ...statement.ok.report, action: statement.ok.reportAction };
    }
  }
  throw new Error(outcomes(reading).join());
};

t.test('an admission tells of the patient, then of the visit', (t) => {
  const reading = adt('A01', pid, pv1With('I', { 7: 'D1^刘主管', 39: 'E', 44: '20240518090000' }), 'DG1|1||J18^肺炎');
  t.same(outcomes(reading), ['patient P1', 'publish encounter|lis|V1']);
  t.match(patientOf(reading), {
    patientKey: 'P1',
    patient: { name: '张三', birthDate: '19900307', sex: { standard: { code: '1' } } },
    cleared: [],
    encounter: { visitNumber: 'V1', patientClass: 'inpatient' },
    messageTime: '20240520102600',
  });
  t.match(visitOf(reading), {
    state: 'admitted',
    encounter: {
      department: { code: '0301', name: '呼吸内科' },
      bed: '12',
      admittedAt: '20240518090000',
      attending: { id: 'D1', name: '刘主管' },
      campus: { code: 'E' },
      diagnoses: [{ code: 'J18', name: '肺炎' }],
    },
  });
  t.end();
});

t.test('each trigger says the state of the visit after it', (t) => {
  const said = (trigger: string, patientClass: string, over: Record<number, string> = {}) => {
    const { action, state, encounter } = visitOf(adt(trigger, pid, pv1With(patientClass, over)));
    return [action, state, encounter.dischargedAt];
  };
  const left = { 45: '20240520090000' };
  t.same(said('A04', 'O'), ['publish', 'registered', undefined]);
  t.same(said('A02', 'I'), ['publish', 'admitted', undefined]);
  t.same(said('A03', 'I', left), ['publish', 'discharged', '20240520090000']);
  t.same(said('A06', 'I'), ['publish', 'admitted', undefined]);
  t.same(said('A07', 'O'), ['publish', 'registered', undefined]);
  t.same(said('A08', 'O'), ['publish', 'registered', undefined]);
  t.same(said('A08', 'I', left), ['publish', 'discharged', '20240520090000']);
  t.same(said('A12', 'I'), ['publish', 'admitted', undefined]);
  t.same(said('A13', 'I', left), ['publish', 'admitted', undefined], 'the discharge is taken back');
  t.same(said('A31', 'I'), ['publish', 'admitted', undefined]);
  t.equal(said('A11', 'I')[0], 'retract');
  t.end();
});

t.test('a cancelled admission withdraws the visit and no longer tells the index of it', (t) => {
  const reading = adt('A11', pid, pv1With('I'));
  t.same(outcomes(reading), ['patient P1', 'retract encounter|lis|V1']);
  t.notOk('encounter' in patientOf(reading));
  t.end();
});

t.test('without visit number only the patient is told', (t) => {
  t.same(outcomes(adt('A28', pid)), ['patient P1']);
  t.same(outcomes(adt('A31', pid, 'PV1|1|N')), ['patient P1']);
  t.end();
});

t.test('an explicit null deletes a field, an empty one says nothing', (t) => {
  const cleared = (line: string) => patientOf(adt('A08', line)).cleared;
  t.same(cleared('PID|1|P1|||""||""|""|||""||""'), ['name', 'sex', 'birthDate', 'phone', 'address']);
  t.same(cleared('PID|1|P1|||张三||||||""^^x||^^^^^^^^""'), ['phone', 'address'], 'of a component too');
  t.same(cleared('PID|1|P1'), []);
  t.same(patientOf(adt('A08', 'PID|1|P1|||""')).patient.name, undefined);
  t.end();
});

t.test('the time of a message is MSH-7, else EVN-2; a future one orders nothing', (t) => {
  const timed = (msh7: string, evn2: string) =>
    patientOf(read([mshOf('ADT^A08').replace('20240520102600', msh7), `EVN|A08|${evn2}`, pid])).messageTime;
  t.equal(timed('20240520102600', '20240101'), '20240520102600');
  t.equal(timed('', '20240520090000'), '20240520090000');
  t.equal(timed('20300101', ''), undefined);
  t.end();
});

t.test('a patient nobody can tell apart is held', (t) => {
  t.same(outcomes(adt('A01', 'PID|1||||张三', pv1)), ['held MAP-3003']);
  const mother = 'PID|1|P9|110101199003077213^^^^IdentifyNO||之女||20240519|F';
  t.same(outcomes(adt('A01', mother, pv1)), ['held MAP-3004'], 'a newborn with the ID of its mother');
  t.equal(whereHeld(adt('A01', mother, pv1)), 'patient.birthDate');
  t.same(outcomes(adt('A11', mother, pv1)), ['retract encounter|lis|V1'], 'a withdrawal needs the number only');
  t.end();
});

t.test('a visit of unknown class is held, the patient is not', (t) => {
  t.same(outcomes(adt('A01', pid, pv1With('Q'))), ['patient P1', 'held MAP-3005']);
  t.same(outcomes(adt('A08', pid, pv1With(''))), ['patient P1', 'held MAP-3005'], 'admitted or registered?');
  const admitted = adt('A01', pid, pv1With(''));
  t.match(admitted, { statements: [{}, { ok: { lacks: ['patientClass'] } }] });
  t.end();
});

t.test('what is no visit message is held or filtered by a rule', (t) => {
  t.same(outcomes(read([mshOf('ADT^A01'), evn])), ['held HL7-2106']);
  t.same(outcomes(read([mshOf('ADT^A01'), evn, pid, pv1, 'DSC|x'])), ['held HL7-2106']);
  const rules: Record<string, string> = {
    'ADT^A05': 'HL7-2104',
    'SIU^S12': 'schedule',
    'DFT^P03': 'charges',
    'MFN^M01': 'master-files',
    'QRY^Q02': 'query',
    'QBP^Q22': 'query',
    'ORU^R40': 'device-alarm',
    'ACK^A01': 'answer',
    'ORG^O20': 'answer',
  };
  for (const [type, rule] of Object.entries(rules)) {
    const reading = read([mshOf(type), pid, pv1]);
    t.same(outcomes(reading), [`filtered ${rule}`], type);
    t.ok(
      reading.lookups.some(({ kind }) => kind === 'patient'),
      'and can be found by its patient',
    );
  }
  t.end();
});
