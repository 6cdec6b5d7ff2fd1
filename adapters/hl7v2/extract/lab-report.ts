import { compareTimes } from '../../../agent/clinical/records/time.ts';
import type { Coded, Encounter, LabItem, LabReport, Patient, Specimen } from '../../../agent/clinical/records/types.ts';
import type { ReportStatement, StatusAction } from '../../../agent/clinical/reports/types.ts';
import { missingKey } from '../profile/path-compile.ts';
import type { OrderGroup } from './groups.ts';
import { type ItemReading, noteText, readItem } from './lab-item.ts';
import { codedOf, type Extraction, personOf, timeOf, valueBy } from './reading.ts';

/** The OBRs of one message that state the same report. */
export interface ReportDraft {
  number: string;
  orders: OrderGroup[];
}

/** What one message says of one report, before patient and ordering are looked at. */
export interface ReportReading {
  report: LabReport;
  reportAction: StatusAction;
  itemActions: ReportStatement['itemActions'];
  /** Set when the report cannot be published as it is; a retraction or an interim does not need it. */
  incomplete: { code: 'MAP-3006' | 'HL7-2102'; where: string } | undefined;
}

/** Sorts the orders of a patient by report number, in the order they come; `unnumbered` have none (MAP-3008). */
export function draftReports(
  x: Extraction,
  orders: readonly OrderGroup[],
  enter: (order: OrderGroup) => void,
): { drafts: ReportDraft[]; unnumbered: number } {
  const drafts = new Map<string, ReportDraft>();
  let unnumbered = 0;
  for (const order of orders) {
    enter(order);
    const number = x.rules.report.number(x.scope);
    if (number === undefined) {
      unnumbered++;
      continue;
    }
    const draft = drafts.get(number) ?? { number, orders: [] };
    draft.orders.push(order);
    drafts.set(number, draft);
  }
  return { drafts: [...drafts.values()], unnumbered };
}

/**
 * Reads a report from its orders. Of header values the first that any order has counts, of report and
 * audit time the latest; items, notes and order numbers of all are taken.
 *
 * Status: an item posted as wrong (`retract`) withdraws the report. So does the status of all its
 * orders; where only some are cancelled, their items are removed. One order that is not final makes the
 * report wait. An unknown or absent status is never final: `incomplete` says MAP-3006.
 */
export function readReport(
  x: Extraction,
  draft: ReportDraft,
  patient: Patient,
  encounter: Encounter,
  enter: (order: OrderGroup) => void,
): ReportReading {
  const { report: paths, specimen: specimenPaths, tables } = x.rules;
  const header: Partial<LabReport> = {};
  const specimen: Specimen = {};
  const panels: Coded[] = [];
  const orderNumbers = new Set<string>();
  const remarks: string[] = [];
  const readings: ItemReading[] = [];
  const orderActions: Array<StatusAction | undefined> = [];
  let nameless = false;

  for (const order of draft.orders) {
    enter(order);
    const action = tables.reportStatus.get(paths.status(x.scope) ?? missingKey);
    orderActions.push(action);
    for (const number of (valueBy(x, paths.orderNumbers) ?? '').split(x.rules.profile.report.order_number_separator)) {
      if (number.trim() !== '') orderNumbers.add(number.trim());
    }
    const panel = codedOf(x, paths.panel);
    if (panel !== undefined) panels.push(panel);
    fill(header, {
      category: codedOf(x, paths.category),
      conclusion: valueBy(x, paths.conclusion),
      orderedBy: personOf(x, paths.orderedBy),
      reportedBy: personOf(x, paths.reportedBy),
      auditedBy: personOf(x, paths.auditedBy),
      technician: personOf(x, paths.technician),
      orderingDepartment: codedOf(x, paths.orderingDepartment),
      performingDepartment: codedOf(x, paths.performingDepartment),
    });
    header.reportedAt = latest(header.reportedAt, timeOf(x, paths.reportedAt, 'reportedAt'));
    header.auditedAt = latest(header.auditedAt, timeOf(x, paths.auditedAt, 'auditedAt'));
    fill(specimen, {
      number: valueBy(x, specimenPaths.number),
      type: codedOf(x, specimenPaths.type),
      condition: codedOf(x, specimenPaths.condition),
      collectedAt: timeOf(x, specimenPaths.collectedAt, 'specimen.collectedAt'),
      receivedAt: timeOf(x, specimenPaths.receivedAt, 'specimen.receivedAt'),
    });
    for (const note of order.notes) remarks.push(...noteText(x, note));
    for (const result of order.results) {
      x.scope.current.OBX = result.obx;
      const reading = readItem(x, result, readings.length);
      if (reading === undefined) nameless = true;
      else readings.push(action === 'retract' ? { ...reading, action: retractedOrderItem(reading.action) } : reading);
    }
  }

  const { items, itemActions } = settleItems(readings);
  const reportAction = combine(orderActions, readings);
  const unknownItem = readings.some((reading) => reading.action === undefined);
  const incomplete =
    reportAction === undefined
      ? ({ code: 'MAP-3006', where: 'report.status' } as const)
      : unknownItem
        ? ({ code: 'MAP-3006', where: 'items.status' } as const)
        : nameless
          ? ({ code: 'HL7-2102', where: 'items.code' } as const)
          : items.length === 0 && header.conclusion === undefined
            ? ({ code: 'HL7-2102', where: 'OBX' } as const)
            : undefined;
  const report: LabReport = {
    kind: 'lab-report',
    reportNumber: draft.number,
    orderNumbers: [...orderNumbers],
    patient,
    encounter,
    panel: joinPanels(panels),
    specimen,
    items,
    remarks,
    ...header,
  };
  return { report, reportAction: reportAction ?? 'publish', itemActions, incomplete };
}

/** Items of a cancelled order go; an item posted as wrong still withdraws the whole report. */
const retractedOrderItem = (action: StatusAction | undefined): StatusAction =>
  action === 'retract' ? 'retract' : 'remove-item';

/** The action of the whole report; undefined when an order's status is unknown. */
function combine(
  orders: ReadonlyArray<StatusAction | undefined>,
  items: readonly ItemReading[],
): StatusAction | undefined {
  if (items.some((reading) => reading.action === 'retract')) return 'retract';
  if (orders.every((action) => action === 'retract')) return 'retract';
  if (orders.includes(undefined)) return undefined;
  return orders.includes('hold') ? 'hold' : 'publish';
}

/**
 * Gives items their final keys. Several with one code (glucose at 0, 1 and 2 hours) are told apart by
 * `#2`, `#3` in their order. A removed one beside a kept one of the same code is its former value: only
 * the kept one remains.
 */
function settleItems(readings: readonly ItemReading[]): {
  items: LabItem[];
  itemActions: ReportStatement['itemActions'];
} {
  const keptKeys = new Set<string>();
  for (const { item, action } of readings) if (action !== 'remove-item') keptKeys.add(item.key);
  const counts = new Map<string, number>();
  const items: LabItem[] = [];
  const itemActions: ReportStatement['itemActions'] = {};
  for (const { item, action } of readings) {
    if (action === 'remove-item' && keptKeys.has(item.key)) continue;
    const count = (counts.get(item.key) ?? 0) + 1;
    counts.set(item.key, count);
    const key = count === 1 ? item.key : `${item.key}#${count}`;
    items.push(count === 1 ? item : { ...item, key });
    if (action === 'hold' || action === 'remove-item') itemActions[key] = action;
  }
  return { items, itemActions };
}

/** One panel as it is; of several the names together, since one code would name only a part. */
function joinPanels(panels: readonly Coded[]): Coded | undefined {
  const [first] = panels;
  if (first === undefined || panels.every((p) => p.code === first.code && p.name === first.name)) return first;
  const names = panels.map((panel) => panel.name ?? panel.code ?? '');
  return { name: [...new Set(names)].join('、') };
}

const latest = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && compareTimes(b, a) > 0) ? b : a;

/** Sets what is not set yet. */
function fill<T extends object>(target: T, source: Partial<T>): void {
  for (const key of Object.keys(source) as Array<keyof T>) {
    if (target[key] === undefined && source[key] !== undefined) target[key] = source[key];
  }
}
