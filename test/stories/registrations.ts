import { type Head, hl7Time, type Message, msh, type Person, pid, pv1, segments, type Visit } from './messages.ts';

/** A message of the hospital's patient registration. */
export interface Registration extends Message {
  /** Message time (MSH-7), when it is another than now. */
  sentAt(time: string): Registration;
  control(id: string): Registration;
}

function registration(
  trigger: string,
  body: () => string[],
  own: Pick<Message, 'sent' | 'controlId'> = {},
): Registration {
  const write = (head: Head) => segments(msh(head, `ADT^${trigger}`), `EVN|${trigger}|${head.sent}`, ...body());
  return {
    ...own,
    write,
    sentAt: (sent) => registration(trigger, body, { ...own, sent }),
    control: (controlId) => registration(trigger, body, { ...own, controlId }),
  };
}

/** ADT^`trigger` about a person, and their visit when it has one. `more`: PID fields in the sender's own words. */
const about =
  (trigger: string) =>
  (who: Person, visit?: Visit, more: Record<number, string> = {}): Registration =>
    registration(trigger, () => [pid(who, { fields: more }), ...(visit ? [pv1(visit)] : [])]);

export const admits = about('A01');
export const moves = about('A02');
export const registers = about('A04');
export const turnsInpatient = about('A06');
export const turnsOutpatient = about('A07');
export const updates = about('A08');
export const cancelsAdmission = about('A11');
export const cancelsMove = about('A12');
export const addsPerson = about('A28');
export const updatesPerson = about('A31');

const discharge = (trigger: string, who: Person, visit: Visit, at: string): Registration =>
  registration(trigger, () => [pid(who), `${pv1(visit)}|${hl7Time(at)}`]);
export const discharges = (who: Person, visit: Visit, at: string) => discharge('A03', who, visit, at);
export const cancelsDischarge = (who: Person, visit: Visit, at: string) => discharge('A13', who, visit, at);

const mrg = (retired: Person): string => `MRG|MZ${retired.number}^^^^Outpatient|||${retired.number}`;

/** A40: the numbers of `retired` are the survivor's from now on. */
export const merges = (survivor: Person, ...retired: Person[]): Registration =>
  registration('A40', () => retired.flatMap((one) => [pid(survivor), mrg(one)]));
/** A34 and A36, as older systems say it. */
export const mergesAs = (trigger: 'A34' | 'A36' | 'A47', survivor: Person, retired: Person): Registration =>
  registration(trigger, () => [pid(survivor), mrg(retired)]);
/** A45: a visit goes from one patient to another. */
export const movesVisit = (to: Person, from: Person, visit: Visit): Registration =>
  registration('A45', () => [pid(to), `${mrg(from)}|${visit.number}`, pv1(visit)]);
/** A37: two numbers are two patients after all. */
export const unlinks = (one: Person, other: Person): Registration => registration('A37', () => [pid(one), pid(other)]);
