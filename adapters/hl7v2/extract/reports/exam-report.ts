import type { Coded, Encounter, ExamReport, Patient, Specimen } from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement, StatusAction } from '../../../../agent/clinical/reports/types.ts';
import { missingKey } from '../../profile/path-compile.ts';
import type { ExamPaths } from '../../profile/rules.ts';
import { addNumbers, codedOf, type Extraction, personOf, timeOf, valueBy } from '../reading.ts';
import { Sections } from './exam-sections.ts';
import { noteText } from './lab-item.ts';
import type { ReportReading } from './lab-report.ts';
import { combine, fill, joinCoded, type ReportDraft, readReportHeader } from './report-draft.ts';
import type { OrderGroup } from './result-groups.ts';

/**
 * Reads a report told in words from its orders: lines of one title are joined in their order. Header values and statuses
 * are combined as in a laboratory report (lab-report.ts).
 */
export function readExamReport(
  x: Extraction,
  paths: ExamPaths,
  draft: ReportDraft,
  patient: Patient,
  encounter: Encounter,
  enter: (order: OrderGroup) => void,
): ReportReading<ExamReport> {
  const header: Partial<ExamReport> = {};
  const specimen: Specimen = {};
  const items: Coded[] = [];
  const orderNumbers = new Set<string>();
  const accessionNumbers = new Set<string>();
  const remarks: string[] = [];
  const orderActions: Array<StatusAction | undefined> = [];
  const found = new Sections(x);

  for (const { group } of draft.orders) {
    enter(group);
    const action = x.rules.tables.reportStatus.get(paths.status(x.scope) ?? missingKey);
    orderActions.push(action);
    addNumbers(x, orderNumbers, paths.orderNumbers);
    addNumbers(x, accessionNumbers, paths.accessionNumbers);
    const item = codedOf(x, paths.item);
    if (item !== undefined) items.push(item);
    readHeader(x, paths, header, specimen);
    for (const note of group.notes) remarks.push(...noteText(x, note));
    for (const result of group.results) found.add(result, action);
  }

  const itemActions: ReportStatement['itemActions'] = {};
  const sections = found.settle(itemActions);
  const reportAction = combine(orderActions, found.actions.includes('retract'));
  const item = joinCoded(items);
  const report: ExamReport = {
    kind: 'exam-report',
    reportNumber: draft.number,
    orderNumbers: [...orderNumbers],
    accessionNumbers: [...accessionNumbers],
    patient,
    encounter,
    ...(item && { item }),
    ...(Object.keys(specimen).length > 0 && { specimen }),
    sections,
    ...(found.interpretation && { interpretation: found.interpretation }),
    ...(found.critical && { critical: true }),
    ...(found.attachments.length > 0 && { attachments: found.attachments }),
    remarks: [...remarks, ...found.remarks],
    ...header,
  };
  const incomplete =
    reportAction === undefined
      ? ({ code: 'MAP-3006', where: 'report.status' } as const)
      : found.actions.includes(undefined)
        ? ({ code: 'MAP-3006', where: 'items.status' } as const)
        : sections.length === 0
          ? ({ code: 'HL7-2102', where: 'OBX' } as const)
          : undefined;
  return { report, reportAction: reportAction ?? 'publish', itemActions, incomplete };
}

function readHeader(x: Extraction, paths: ExamPaths, header: Partial<ExamReport>, specimen: Specimen): void {
  fill(header, {
    bodyPart: codedOf(x, paths.bodyPart),
    method: codedOf(x, paths.method),
    orderedAt: timeOf(x, paths.orderedAt, 'orderedAt'),
    performedAt: timeOf(x, paths.performedAt, 'performedAt'),
    performedBy: personOf(x, paths.performedBy),
  });
  readReportHeader(x, paths, header);
  fill(specimen, { number: valueBy(x, paths.specimen.number), type: codedOf(x, paths.specimen.type) });
}
