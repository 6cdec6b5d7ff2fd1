import type { Coded, OrderRecord, Prescription, Specimen } from '../../../agent/clinical/records/types.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { missingKey } from '../profile/path-compile.ts';
import type { OrderPaths, PrescriptionPaths } from '../profile/rules.ts';
import { hold, stateRecord, type Told } from './message-context.ts';
import { codedOf, personOf, timeOf, valueBy } from './reading.ts';
import { joinCoded } from './reports/report-draft.ts';
import type { PlainOrder } from './segment-groups.ts';

type Control = 'publish' | 'retract' | 'ignore' | undefined;

interface OrderDraft {
  record: OrderRecord;
  items: Coded[];
  control: Control;
}

/** Requests for tests and examinations: lines of one order number are one order with all their items. */
export function readOrders(told: Told, paths: OrderPaths, groups: readonly PlainOrder[]): Statement[] {
  const { x } = told;
  const drafts = new Map<string, OrderDraft>();
  let unnumbered = 0;
  for (const group of groups) {
    const control = enterOrder(told, paths.control, group);
    const orderNumber = valueBy(x, paths.number);
    if (orderNumber === undefined) {
      unnumbered++;
      continue;
    }
    told.keys.add('order', orderNumber);
    const item = codedOf(x, paths.item);
    const draft = drafts.get(orderNumber);
    if (draft === undefined) {
      drafts.set(orderNumber, { record: readOrder(told, paths, orderNumber), items: item ? [item] : [], control });
    } else {
      if (item !== undefined) draft.items.push(item);
      // A cancelled line beside others of its order is not the order's cancellation: nobody can say which one holds.
      if (draft.control !== control) draft.control = undefined;
    }
  }
  const statements = [...drafts.values()].map(({ record, items, control }): Statement => {
    const item = joinCoded(items);
    return stateOrder(
      told,
      `order|${told.source}|${record.orderNumber}`,
      { ...record, ...(item && { item }) },
      control,
    );
  });
  for (let i = 0; i < unnumbered; i++) statements.push(hold({ code: 'MAP-3008', where: 'order.number' }));
  return statements;
}

/** Prescribed medicines, one by one. Two of one number would be versions of each other: they are held (MAP-3008). */
export function readPrescriptions(told: Told, paths: PrescriptionPaths, groups: readonly PlainOrder[]): Statement[] {
  const { x } = told;
  const seen = new Map<string, number>();
  const found = groups.map((group) => {
    const control = enterOrder(told, paths.control, group);
    const number = valueBy(x, paths.number);
    if (number === undefined) return undefined;
    seen.set(number, (seen.get(number) ?? 0) + 1);
    told.keys.add('order', number);
    return { number, control, record: readPrescription(told, paths, number) };
  });
  return found.map((one): Statement => {
    if (one === undefined || (seen.get(one.number) ?? 0) > 1) {
      return hold({ code: 'MAP-3008', where: 'prescription.number' });
    }
    return stateOrder(told, `prescription|${told.source}|${one.number}`, one.record, one.control);
  });
}

/** Makes an order current and says what its control code asks for. */
function enterOrder(told: Told, path: OrderPaths['control'], group: PlainOrder): Control {
  const { x } = told;
  x.scope.current = { ...told.segments, ...group.segments };
  return x.rules.tables.orderControl.get(path(x.scope) ?? missingKey);
}

function stateOrder(told: Told, key: string, record: OrderRecord | Prescription, control: Control): Statement {
  if (control === 'ignore') return { filtered: 'order-control' };
  told.x.findings = [...told.findings];
  return stateRecord(told, {
    key,
    record,
    action: control ?? 'publish',
    incomplete: control === undefined ? { code: 'MAP-3006', where: `${record.kind}.control` } : undefined,
    // Orders enrich reports; a medicine is told for itself.
    needsPatient: record.kind === 'prescription',
  });
}

function readOrder({ x, patient, encounter }: Told, paths: OrderPaths, orderNumber: string): OrderRecord {
  const number = valueBy(x, paths.specimen.number);
  const type = codedOf(x, paths.specimen.type);
  const specimen: Specimen | undefined = number === undefined && type === undefined ? undefined : { number, type };
  return {
    kind: 'order',
    orderNumber,
    fillerNumber: valueBy(x, paths.fillerNumber),
    patient: patient.patient,
    encounter,
    category: codedOf(x, paths.category),
    priority: valueBy(x, paths.priority),
    ...(specimen && { specimen }),
    orderedAt: timeOf(x, paths.orderedAt, 'orderedAt'),
    orderedBy: personOf(x, paths.orderedBy),
    orderingDepartment: codedOf(x, paths.orderingDepartment),
    reason: valueBy(x, paths.reason),
  };
}

function readPrescription(
  { x, patient, encounter }: Told,
  paths: PrescriptionPaths,
  orderNumber: string,
): Prescription {
  return {
    kind: 'prescription',
    orderNumber,
    patient: patient.patient,
    encounter,
    drug: codedOf(x, paths.drug),
    dose: valueBy(x, paths.dose),
    doseUnit: valueBy(x, paths.doseUnit),
    form: codedOf(x, paths.form),
    route: codedOf(x, paths.route),
    frequency: valueBy(x, paths.frequency),
    startAt: timeOf(x, paths.startAt, 'startAt'),
    endAt: timeOf(x, paths.endAt, 'endAt'),
    instructions: valueBy(x, paths.instructions),
    orderedAt: timeOf(x, paths.orderedAt, 'orderedAt'),
    orderedBy: personOf(x, paths.orderedBy),
  };
}
