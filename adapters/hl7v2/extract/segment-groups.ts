import type { Hl7Message, Segment } from '../parser.ts';
import type { CompiledProfile } from '../profile/rules.ts';
import {
  breaksMessage,
  isRead,
  mostOrders,
  mostPatients,
  type ResultGroup,
  saysOtherwise,
} from './reports/result-groups.ts';

/** One PID with what follows it: a patient with a visit, a pair of a merge, a document. */
export interface VisitGroup {
  /** First of each kind; what stands before the first PID (EVN) belongs to every one. */
  segments: Record<string, Segment>;
  diagnoses: Segment[];
  results: ResultGroup[];
}

/** One order of an order message: no results, but ORC, OBR or RXE with what belongs to them. */
export interface PlainOrder {
  segments: Record<string, Segment>;
  diagnoses: Segment[];
  notes: Segment[];
}

type Grouped<T> = { ok: true; groups: T[] } | { ok: false; where: string };

/** Groups ADT and MDM messages by PID. Refused are messages without PID, and what breaks a message. */
export function groupVisits(message: Hl7Message, rules: CompiledProfile): Grouped<VisitGroup> {
  const head: Record<string, Segment> = {};
  const groups: VisitGroup[] = [];
  let notes: Segment[] | undefined;
  for (const [i, segment] of message.segments.entries()) {
    if (breaksMessage(message, segment, i)) return { ok: false, where: segment.id };
    const group = groups.at(-1);
    const { id } = segment;
    if (id === 'PID' && groups.length === mostPatients) return { ok: false, where: id };
    if (id === 'PID') groups.push({ segments: { ...head, PID: segment }, diagnoses: [], results: [] });
    else if (group === undefined) {
      if (isRead(rules, id)) head[id] ??= segment;
    } else if (id === 'DG1') group.diagnoses.push(segment);
    else if (id === 'NTE') notes?.push(segment);
    else if (id === 'OBX') group.results.push({ obx: segment, notes: [] });
    // A second document or merge under one patient is nothing these messages can say.
    else if ((id === 'TXA' || id === 'MRG') && group.segments[id] !== undefined) return { ok: false, where: id };
    else if (saysOtherwise(message, rules, group.segments[id], segment)) return { ok: false, where: id };
    else if (isRead(rules, id)) group.segments[id] ??= segment;
    notes = id === 'OBX' ? group?.results.at(-1)?.notes : id === 'NTE' ? notes : undefined;
  }
  return groups.length === 0 ? { ok: false, where: 'PID' } : { ok: true, groups };
}

/**
 * Groups an order message. An order begins with whichever of ORC, OBR and RXE the message begins its orders with; an ORC
 * may stand for several OBR or RXE. Refused is a second PID: in OML the results of earlier orders come under one.
 */
export function groupOrders(
  message: Hl7Message,
  rules: CompiledProfile,
): { ok: true; groups: PlainOrder[]; patient: VisitGroup } | { ok: false; where: string } {
  const patient: VisitGroup = { segments: {}, diagnoses: [], results: [] };
  const groups: PlainOrder[] = [];
  let starter: string | undefined;
  for (const [i, segment] of message.segments.entries()) {
    const { id } = segment;
    if (breaksMessage(message, segment, i)) return { ok: false, where: id };
    if (id === 'PID' && patient.segments.PID !== undefined) return { ok: false, where: id };
    const order = groups.at(-1);
    if (id === 'ORC' || id === 'OBR' || id === 'RXE') {
      starter ??= id;
      const begins = order === undefined || id === starter || order.segments[id] !== undefined;
      if (begins && groups.length === mostOrders) return { ok: false, where: id };
      if (order === undefined || id === starter) {
        groups.push({ segments: { [id]: segment }, diagnoses: [], notes: [] });
      } else if (order.segments[id] !== undefined) {
        const { ORC } = order.segments;
        groups.push({ segments: { ...(ORC && id !== 'ORC' && { ORC }), [id]: segment }, diagnoses: [], notes: [] });
      } else {
        order.segments[id] = segment;
      }
      continue;
    }
    if (id === 'DG1') (order ?? patient).diagnoses.push(segment);
    else if (id === 'NTE') order?.notes.push(segment);
    else if (isRead(rules, id)) (order ?? patient).segments[id] ??= segment;
  }
  return groups.length === 0 ? { ok: false, where: 'ORC' } : { ok: true, groups, patient };
}
