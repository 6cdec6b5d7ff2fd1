import t from 'tap';
import { compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import type { Reading } from '../../../../agent/mapping/mapper.ts';
import { mshOf, outcomes, pid, profileText, read, whereHeld } from './reading.ts';

const adt = (trigger: string, ...rest: string[]): Reading => read([mshOf(`ADT^${trigger}`), 'EVN|A40', ...rest]);

t.test('the retired number goes, PID stays, with what the message says of it', (t) => {
  for (const trigger of ['A40', 'A34', 'A36', 'A47']) {
    t.match(adt(trigger, pid, 'MRG||||P2'), {
      statements: [
        {
          merge: {
            kind: 'merge',
            retired: 'P2',
            survivor: 'P1',
            patient: { patientKey: 'P1', patient: { name: '张三' } },
            messageTime: '20240520102600',
          },
        },
      ],
    });
  }
  t.ok(adt('A40', pid, 'MRG||||P2').lookups.some(({ kind, value }) => kind === 'patient' && value.reveal() === 'P2'));
  t.end();
});

t.test('several pairs are several merges', (t) => {
  t.same(outcomes(adt('A40', pid, 'MRG||||P2', 'PID|1|P3', 'MRG||||P4')), ['merge P2 > P1', 'merge P4 > P3']);
  t.end();
});

t.test('numbers of two kinds are never taken for two numbers of one patient', (t) => {
  t.same(outcomes(adt('A40', 'PID|1||A^^^^MR', 'MRG|B^^^^MR')), ['merge B > A']);
  t.same(outcomes(adt('A40', 'PID|1||A', 'MRG|B')), ['merge B > A']);
  t.same(outcomes(adt('A40', 'PID|1||A^^^^MR', 'MRG|B^^^^PI')), ['held MAP-3003']);
  t.same(outcomes(adt('A40', pid, 'MRG|ZY2^^^^PatientNO')), ['held MAP-3003'], "the survivor's lane hangs on PID-2");
  t.equal(whereHeld(adt('A40', pid, 'MRG|ZY2^^^^PatientNO')), 'merge.retired');
  t.end();
});

t.test('a number merged into itself is told: the index holds it', (t) => {
  t.same(outcomes(adt('A40', pid, 'MRG||||P1')), ['merge P1 > P1']);
  t.end();
});

t.test('accounts and visits of one patient merge nobody; a visit that changes its patient is held', (t) => {
  t.same(outcomes(adt('A35', pid, 'MRG|||ACC2')), ['filtered account-merge']);
  t.same(outcomes(adt('A45', pid, 'MRG||||P1|V2')), ['filtered visit-move']);
  t.same(outcomes(adt('A45', pid, 'MRG||||P2|V2')), ['held HL7-2106']);
  t.same(outcomes(adt('A35', pid, 'MRG||||P2|ACC2')), ['held HL7-2106']);
  t.end();
});

t.test('an unlink names the two patients that are not one', (t) => {
  t.same(outcomes(adt('A37', pid, 'PID|2|P2')), ['unlink P2 > P1']);
  t.same(outcomes(adt('A37', pid)), ['held HL7-2106']);
  t.end();
});

t.test('a merge that nobody can read is held', (t) => {
  t.same(outcomes(adt('A40', pid)), ['held HL7-2106']);
  t.equal(whereHeld(adt('A40', pid)), 'MRG');
  t.same(outcomes(adt('A40', 'PID|1', 'MRG||||P2')), ['held MAP-3003']);
  t.same(outcomes(adt('A40', pid, 'MRG||||P2', 'MRG||||P3')), ['held HL7-2106']);
  t.same(outcomes(adt('A40', 'PID|1|P1|110101199003077213^^^^IdentifyNO||||20240519', 'MRG||||P2')), ['held MAP-3004']);
  t.end();
});

t.test('several institutions of one sender keep their numbers apart by concatenation, in merges too', (t) => {
  const joined = compileProfile(
    profileText
      .replace(/^ {2}in_house: .*$/m, "  in_house: MSH-4 + '-' + PID-2")
      .replace('survivor: PID-2, retired: MRG-4', "survivor: MSH-4 + '-' + PID-2, retired: MSH-4 + '-' + MRG-4"),
  );
  t.same(outcomes(read([mshOf('ADT^A40'), pid, 'MRG||||P2'], joined)), ['merge H-P2 > H-P1']);
  t.end();
});
