import type {
  Attachment,
  Coded,
  Encounter,
  LabItem,
  LabReport,
  Patient,
  Specimen,
} from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement, StatusAction } from '../../../../agent/clinical/reports/types.ts';
import { fieldText } from '../../parser.ts';
import { missingKey } from '../../profile/path-compile.ts';
import { addNumbers, codedOf, type Extraction, personOf, remark, timeOf, valueBy } from '../reading.ts';
import { attach, isAddress } from './attachments.ts';
import { type ItemReading, noteText, readItem, statusOf, withinOrder } from './lab-item.ts';
import { Cultures, isInline, type OrganismLink } from './microbiology.ts';
import { insteadOfValue } from './observation-value.ts';
import { combine, fill, joinCoded, type ReportDraft, readReportHeader } from './report-draft.ts';
import type { OrderGroup, ResultGroup } from './result-groups.ts';

/** What one message says of one report, before patient and ordering are looked at. */
export interface ReportReading<Report> {
  report: Report;
  reportAction: StatusAction;
  itemActions: ReportStatement['itemActions'];
  /** Set when the report cannot be published as it is; a retraction or an interim does not need it. */
  incomplete: { code: 'MAP-3006' | 'HL7-2102'; where: string } | undefined;
}

/**
 * Reads a report from its orders. Of header values the first that any order has counts, of report and
 * audit time the latest; items, notes and order numbers of all are taken.
 *
 * Status: an item posted as wrong (`retract`) withdraws the report. So does the status of all its
 * orders; where only some are cancelled, their items are removed. One order that is not final makes the
 * report wait. An unknown or absent status is never final: `incomplete` says MAP-3006.
 */
export function readLabReport(
  x: Extraction,
  draft: ReportDraft,
  patient: Patient,
  encounter: Encounter,
  enter: (order: OrderGroup) => void,
): ReportReading<LabReport> {
  const { report: paths, tables } = x.rules;
  const header: Partial<LabReport> = {};
  const specimen: Specimen = {};
  const panels: Coded[] = [];
  const orderNumbers = new Set<string>();
  const remarks: string[] = [];
  const orderActions: Array<StatusAction | undefined> = [];
  const results = new LabResults(x);

  for (const { group, organism } of draft.orders) {
    enter(group);
    const action = tables.reportStatus.get(paths.status(x.scope) ?? missingKey);
    orderActions.push(action);
    addNumbers(x, orderNumbers, paths.orderNumbers);
    const panel = codedOf(x, paths.panel);
    if (panel !== undefined) panels.push(panel);
    readHeader(x, header, specimen);
    for (const note of group.notes) remarks.push(...noteText(x, note));
    const inline = isInline(x) ? group : undefined;
    for (const result of group.results) results.add(result, action, organism, inline);
  }

  const { items, itemActions } = settleItems(results.readings);
  const organisms = results.cultures.settle(itemActions);
  const { attachments, actions } = results;
  const reportAction = combine(orderActions, actions.includes('retract'));
  const report: LabReport = {
    kind: 'lab-report',
    reportNumber: draft.number,
    orderNumbers: [...orderNumbers],
    patient,
    encounter,
    panel: joinCoded(panels),
    specimen,
    items,
    ...(organisms.length > 0 && { organisms }),
    ...(attachments.length > 0 && { attachments }),
    remarks,
    ...header,
  };
  const empty = items.length === 0 && organisms.length === 0 && header.conclusion === undefined;
  const incomplete =
    reportAction === undefined
      ? ({ code: 'MAP-3006', where: 'report.status' } as const)
      : actions.includes(undefined)
        ? ({ code: 'MAP-3006', where: 'items.status' } as const)
        : results.nameless
          ? ({ code: 'HL7-2102', where: 'items.code' } as const)
          : empty
            ? ({ code: 'HL7-2102', where: 'OBX' } as const)
            : undefined;
  return { report, reportAction: reportAction ?? 'publish', itemActions, incomplete };
}

function readHeader(x: Extraction, header: Partial<LabReport>, specimen: Specimen): void {
  const { report: paths, specimen: specimenPaths } = x.rules;
  fill(header, { conclusion: valueBy(x, paths.conclusion), technician: personOf(x, paths.technician) });
  readReportHeader(x, paths, header);
  fill(specimen, {
    number: valueBy(x, specimenPaths.number),
    type: codedOf(x, specimenPaths.type),
    condition: codedOf(x, specimenPaths.condition),
    collectedAt: timeOf(x, specimenPaths.collectedAt, 'specimen.collectedAt'),
    receivedAt: timeOf(x, specimenPaths.receivedAt, 'specimen.receivedAt'),
  });
}

/** What the OBXs of a report are: items, what grew, attachments. */
class LabResults {
  readonly readings: ItemReading[] = [];
  readonly cultures = new Cultures();
  readonly attachments: Attachment[] = [];
  /** The status of every OBX; undefined is one that is in no table. */
  readonly actions: Array<StatusAction | undefined> = [];
  /** One has neither code nor name. */
  nameless = false;
  readonly #x: Extraction;

  constructor(x: Extraction) {
    this.#x = x;
  }

  add(
    result: ResultGroup,
    orderAction: StatusAction | undefined,
    organism: OrganismLink | undefined,
    /** Its order, when that names organism and drug in one OBX each. */
    inline: OrderGroup | undefined,
  ): void {
    const x = this.#x;
    const { message } = x.scope;
    x.scope.current.OBX = result.obx;
    const { notResults } = x.rules.items;
    if (notResults?.values.has(valueBy(x, notResults.path) ?? '')) {
      // One sent for a wrong patient says so of the whole report, whatever line it stands in.
      if (statusOf(x) === 'retract') this.actions.push('retract');
      return;
    }
    const instead = insteadOfValue(message, result.obx);
    if (instead !== undefined) {
      if (instead === 'payload') this.#attach(result, orderAction);
      else remark(x, 'MAP-3024', 'OBX', 'completeness');
      return;
    }
    if (organism !== undefined || inline !== undefined) {
      const action = withinOrder(orderAction, statusOf(x));
      const taken = organism
        ? this.cultures.addLinked(x, organism, action)
        : inline && this.cultures.addInline(x, inline, action);
      if (taken) {
        this.actions.push(action);
        return;
      }
    }
    const reading = readItem(x, result, this.readings.length);
    if (reading === undefined) {
      this.nameless = true;
      return;
    }
    if (orderAction === 'retract') reading.action = withinOrder(orderAction, reading.action);
    const isBlank = fieldText(message, result.obx, 5).trim() === '';
    if (isBlank && isEmpty(reading) && x.rules.profile.items.empty === 'leave-out') return;
    const { value } = reading.item;
    if (value !== undefined && !reading.item.numeric && isAddress(value)) {
      this.#attach(result, orderAction);
      return;
    }
    this.actions.push(reading.action);
    this.readings.push(reading);
  }

  #attach({ obx }: ResultGroup, orderAction: StatusAction | undefined): void {
    const x = this.#x;
    const action = withinOrder(orderAction, statusOf(x));
    this.actions.push(action);
    if (action === 'remove-item') return;
    attach(x, this.attachments, obx);
  }
}

/** Whether an OBX says no more than what was to be tested: a deletion has no value either, and says something. */
const isEmpty = ({ action, item: { value, flag, referenceRange, notes } }: ItemReading): boolean =>
  action === 'publish' &&
  value === undefined &&
  flag === undefined &&
  referenceRange === undefined &&
  notes.length === 0;

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
  if (readings.some(({ action }) => action === 'remove-item')) {
    for (const { item, action } of readings) if (action !== 'remove-item') keptKeys.add(item.key);
  }
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
