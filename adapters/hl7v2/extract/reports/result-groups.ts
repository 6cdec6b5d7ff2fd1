import { fieldText, type Hl7Message, type Segment } from '../../parser.ts';
import type { CompiledProfile } from '../../profile/rules.ts';
import { knownSegment } from '../../profile/segments.ts';

export interface ResultGroup {
  obx: Segment;
  notes: Segment[];
}

/** One OBR with what belongs to it. */
export interface OrderGroup {
  /** First of each kind: OBR, ORC, SPM, TQ1, SAC, Z segments. */
  segments: Record<string, Segment>;
  /** NTE after ORC, OBR or SPM. */
  notes: Segment[];
  results: ResultGroup[];
}

/** One patient with visit and orders; a message may hold several. */
export interface PatientGroup {
  /** First of each kind: PID, PD1, NK1, PV1, PV2, Z segments … */
  segments: Record<string, Segment>;
  diagnoses: Segment[];
  orders: OrderGroup[];
}

/** `where` names the segment that does not fit, for example `OBX`. */
export type Grouping = { ok: true; patients: PatientGroup[] } | { ok: false; where: string };

/**
 * Whether a segment makes a message one that is not read at all: a second MSH, a batch header, or half of a message cut
 * into continuations (DSC, ADD, MSH-14), which must not pass for a whole one.
 */
export function breaksMessage(message: Hl7Message, segment: Segment, index: number): boolean {
  switch (segment.id) {
    case 'MSH':
      return index > 0 || fieldText(message, segment, 14) !== '';
    case 'FHS':
    case 'BHS':
    case 'DSC':
    case 'ADD':
      return true;
    default:
      return false;
  }
}

/**
 * More patients, orders and results than any message has. One that has more is held, at the first too many: reading each patient
 * or order takes as long as reading a small message.
 */
export const mostPatients = 2_000;
export const mostOrders = 5_000;
const mostResults = 100_000;

/**
 * Whether anything reads segments of this id. What a patient or an order has is looked at once for each of them: with every
 * kind kept that a sender can think of, 64 KB of them took 23 s.
 */
export const isRead = ({ ownSegments }: CompiledProfile, id: string): boolean =>
  knownSegment(id) !== undefined || ownSegments.has(id);

const patientLevel = new Set(['PD1', 'NK1', 'PV1', 'PV2', 'AL1', 'IN1', 'EVN']);

/**
 * Groups the segment stream of a result message, whatever the order of segments inside a group (senders
 * write OBR, ORC, SPM in any order). A PID begins a patient, an OBR an order, an NTE belongs to the
 * segment before it. Refused are results without OBR, and what breaks a message.
 */
export function groupSegments(message: Hl7Message, specimenFirst: boolean, rules: CompiledProfile): Grouping {
  const refuse = (segment: Segment): Grouping => ({ ok: false, where: segment.id });
  const patients: PatientGroup[] = [];
  let patient: PatientGroup | undefined;
  let order: OrderGroup | undefined;
  /** ORC and SPM (with their notes) that came before their OBR. */
  let ahead: { segments: Record<string, Segment>; notes: Segment[] } = { segments: {}, notes: [] };
  let notesOf: Segment[] | undefined;
  let orders = 0;
  let results = 0;
  const openPatient = (): PatientGroup => {
    if (patient === undefined) {
      patient = { segments: {}, diagnoses: [], orders: [] };
      patients.push(patient);
    }
    return patient;
  };

  const { segments } = message;
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    if (segment === undefined) continue;
    const { id } = segment;
    if (breaksMessage(message, segment, i)) return refuse(segment);
    switch (id) {
      case 'MSH':
        break;
      case 'PID':
        if (patients.length === mostPatients) return refuse(segment);
        patient = { segments: { PID: segment }, diagnoses: [], orders: [] };
        patients.push(patient);
        order = undefined;
        ahead = { segments: {}, notes: [] };
        notesOf = undefined;
        break;
      case 'OBR':
        if (++orders > mostOrders) return refuse(segment);
        order = { segments: { ...ahead.segments, OBR: segment }, notes: ahead.notes, results: [] };
        // In OUL a specimen stands before all of its orders; an ORC belongs to one.
        ahead = { segments: specimenFirst && ahead.segments.SPM ? { SPM: ahead.segments.SPM } : {}, notes: [] };
        openPatient().orders.push(order);
        notesOf = order.notes;
        break;
      case 'OBX':
        if (order === undefined || ++results > mostResults) return refuse(segment);
        notesOf = [];
        order.results.push({ obx: segment, notes: notesOf });
        break;
      case 'NTE':
        notesOf?.push(segment);
        break;
      case 'ORC':
      case 'SPM': {
        const belongsToCurrent =
          order !== undefined &&
          order.segments[id] === undefined &&
          (id === 'SPM' ? !specimenFirst || order.results.length === 0 : !leadsToOrder(segments, i));
        if (belongsToCurrent && order !== undefined) {
          order.segments[id] = segment;
          notesOf = order.notes;
        } else {
          ahead.segments = { ...ahead.segments, [id]: segment };
          notesOf = ahead.notes;
        }
        break;
      }
      case 'DG1':
        openPatient().diagnoses.push(segment);
        notesOf = undefined;
        break;
      default: {
        const target = order === undefined || patientLevel.has(id) ? openPatient().segments : order.segments;
        if (saysOtherwise(message, rules, target[id], segment)) return refuse(segment);
        if (isRead(rules, id)) target[id] ??= segment;
        notesOf = undefined;
      }
    }
  }
  return { ok: true, patients };
}

/**
 * Of two segments of a kind the first counts. Where the profile tells institutions apart, one that says whose the patient is
 * must not be followed by another that says otherwise.
 */
export function saysOtherwise(
  { text }: Hl7Message,
  { organisation }: CompiledProfile,
  first: Segment | undefined,
  { id, start, end }: Segment,
): boolean {
  if (!organisation || !first || !patientLevel.has(id)) return false;
  return text.slice(first.start, first.end) !== text.slice(start, end);
}

/** Whether the next OBR comes before any result: then an ORC is the head of that order. */
function leadsToOrder(segments: readonly Segment[], from: number): boolean {
  for (let i = from + 1; i < segments.length; i++) {
    const id = segments[i]?.id;
    if (id === 'OBR') return true;
    if (id === 'OBX' || id === 'ORC' || id === 'PID') return false;
  }
  return false;
}
