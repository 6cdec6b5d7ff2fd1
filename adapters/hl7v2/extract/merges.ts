import type { Statement } from '../../../agent/mapping/mapper.ts';
import { hold, statePatient, type Told } from './message-context.ts';
import { type Extraction, valueBy } from './reading.ts';

/** A37: the two patients of the message are not one. Which of them was merged into the other the index knows. */
export function readUnlink(first: Told, second: Told | undefined): Statement {
  if (second === undefined) return hold({ code: 'HL7-2106', where: 'PID' });
  const about = statePatient(first, false);
  if (about === undefined || !first.patient.ok) return first.patient.ok ? unnamed : hold(first.patient);
  const retired = second.patient.patientKey;
  if (retired === undefined) return unnamed;
  return {
    merge: {
      kind: 'unlink',
      retired,
      survivor: first.patient.patientKey,
      patient: about.patient,
      ...(first.messageTime !== undefined && { messageTime: first.messageTime }),
    },
  };
}

const unnamed = hold({ code: 'MAP-3003', where: 'merge.retired' });

/**
 * A40 and its kin: PID survives, MRG goes. Two in-house numbers make a merge only when both are of one kind and the
 * survivor's is the one its lane hangs on. A35 is about accounts of one patient and changes no lane. A45 takes a visit to
 * another patient without saying what of its reports goes along: held for a person.
 */
export function readMerge(told: Told, trigger: string): Statement {
  const { patient, messageTime } = told;
  if (told.segments.MRG === undefined) return hold({ code: 'HL7-2106', where: 'MRG' });
  const retired = retiredNumber(told.x, told, patient.patientKey);
  told.keys.add('patient', retired);
  if (trigger === 'A35' || trigger === 'A45') {
    if (patient.patientKey === undefined) return hold({ code: 'MAP-3003', where: 'patient.in_house' });
    if (retired === undefined || retired === patient.patientKey) {
      return { filtered: trigger === 'A35' ? 'account-merge' : 'visit-move' };
    }
    return hold({ code: 'HL7-2106', where: 'MRG' });
  }
  const about = statePatient(told, false);
  if (about === undefined || !patient.ok) return patient.ok ? unnamed : hold(patient);
  if (retired === undefined) return unnamed;
  return {
    merge: {
      kind: 'merge',
      retired,
      survivor: patient.patientKey,
      patient: about.patient,
      ...(messageTime !== undefined && { messageTime }),
    },
  };
}

function retiredNumber(x: Extraction, told: Told, survivor: string | undefined): string | undefined {
  x.scope.current = told.segments;
  for (const pair of x.rules.merge) {
    if (valueBy(x, pair.survivor) !== survivor) continue;
    const retired = valueBy(x, pair.retired);
    if (retired !== undefined) return retired;
  }
  return undefined;
}
