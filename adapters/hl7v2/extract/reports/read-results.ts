import type { Statement } from '../../../../agent/mapping/mapper.ts';
import { type Circumstances, hold, readTold, stateRecord, type Told } from '../message-context.ts';
import { type MessageType, specimenFirst } from '../message-type.ts';
import { atOrganisation } from '../organisation.ts';
import type { Said } from '../reading.ts';
import { readExamReport } from './exam-report.ts';
import { readLabReport } from './lab-report.ts';
import { draftReports, type ReportDraft } from './report-draft.ts';
import { groupSegments, type OrderGroup, type PatientGroup } from './result-groups.ts';

/** ORU and OUL: reports of laboratory and of examinations, of each patient in the message. */
export function readResults(circumstances: Circumstances, type: MessageType): Said {
  const grouping = groupSegments(circumstances.scope.message, specimenFirst(type), circumstances.rules);
  if (!grouping.ok) return { unreadable: grouping.where };
  const statements: Statement[] = [];
  for (const group of grouping.patients) {
    const told = readTold(circumstances, group);
    statements.push(...atOrganisation(told, readGroup(told, group)));
  }
  return statements.length === 0 ? { unreadable: 'OBR' } : { statements };
}

function readGroup(told: Told, group: PatientGroup): Statement[] {
  const { x } = told;
  const enter = (order: OrderGroup): void => {
    x.scope.current = { ...told.segments, ...order.segments };
  };
  const { drafts, unnumbered, rules } = draftReports(x, group.orders, enter);
  const statements = drafts.map((draft) => stateReport(told, draft, enter));
  for (let i = 0; i < unnumbered; i++) statements.push(hold({ code: 'MAP-3008', where: 'report.number' }));
  for (const rule of rules) statements.push({ filtered: rule });
  return statements;
}

function stateReport(told: Told, draft: ReportDraft, enter: (order: OrderGroup) => void): Statement {
  const { x, patient, encounter, keys } = told;
  x.findings = [...told.findings];
  const { exam } = x.rules;
  const reading =
    draft.kind === 'exam' && exam !== undefined
      ? readExamReport(x, exam, draft, patient.patient, encounter, enter)
      : readLabReport(x, draft, patient.patient, encounter, enter);
  const { report } = reading;
  keys.add('report', report.reportNumber);
  for (const number of report.orderNumbers) keys.add('order', number);
  if (report.kind === 'exam-report') for (const number of report.accessionNumbers) keys.add('report', number);
  keys.add('specimen', report.specimen?.number);
  return stateRecord(told, {
    key: `${told.source}|${report.reportNumber}`,
    record: report,
    action: reading.reportAction,
    itemActions: reading.itemActions,
    incomplete: reading.incomplete,
    reportTime: report.reportedAt,
    needsPatient: true,
  });
}
