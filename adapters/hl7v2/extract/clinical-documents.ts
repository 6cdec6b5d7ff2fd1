import type { ClinicalDocument } from '../../../agent/clinical/records/types.ts';
import type { ReportStatement } from '../../../agent/clinical/reports/types.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { valueAt } from '../parser.ts';
import { missingKey } from '../profile/path-compile.ts';
import type { DocumentPaths } from '../profile/rules.ts';
import { hold, stateRecord, type Told } from './message-context.ts';
import { codedOf, personOf, timeOf, valueBy } from './reading.ts';
import { Sections } from './reports/exam-sections.ts';
import type { VisitGroup } from './segment-groups.ts';

/** Triggers that replace the parent document (TXA-13) by a new one (HL7 v2.5.1 §9.6.9, §9.6.10). */
const replaces = new Set(['T09', 'T10']);

/**
 * MDM: a document with its text or data. T11 withdraws it, and so does availability CA (TXA-19). A replacement withdraws
 * its parent and is a document of its own. A notice without content says nothing to publish: filtered, but of a replacement
 * held, for then what stands published is no longer true.
 */
export function readDocument(told: Told, paths: DocumentPaths, group: VisitGroup, trigger: string): Statement[] {
  const { x } = told;
  const { message } = x.scope;
  x.scope.current = { ...told.segments };
  const { TXA } = group.segments;
  if (TXA === undefined) return [hold({ code: 'HL7-2106', where: 'TXA' })];
  const number = valueBy(x, paths.number);
  if (number === undefined) return [hold({ code: 'MAP-3008', where: 'document.number' })];
  const parent = valueBy(x, paths.parentNumber);
  const status = x.rules.tables.documentStatus.get(paths.status(x.scope) ?? missingKey);
  const withdrawn = trigger === 'T11' || valueAt(message, TXA, 19).trim().toUpperCase() === 'CA';
  const action = withdrawn ? 'retract' : status;
  told.keys.add('report', number);
  told.keys.add('report', parent);

  const record: ClinicalDocument = {
    kind: 'clinical-document',
    documentNumber: number,
    patient: told.patient.patient,
    encounter: told.encounter,
    type: codedOf(x, paths.type),
    title: valueBy(x, paths.title),
    sections: [],
    authoredAt: timeOf(x, paths.authoredAt, 'authoredAt'),
    author: personOf(x, paths.author),
  };
  const found = new Sections(x);
  for (const result of group.results) found.add(result, undefined);
  const itemActions: ReportStatement['itemActions'] = {};
  record.sections = found.settle(itemActions);
  if (found.attachments.length > 0) record.attachments = found.attachments;
  const empty = record.sections.length === 0 && found.attachments.length === 0;
  if (empty && action !== 'retract') {
    return replaces.has(trigger)
      ? [hold({ code: 'HL7-2102', where: 'document.content' })]
      : [{ filtered: 'document-without-content' }];
  }

  const keyOf = (documentNumber: string): string => `document|${told.source}|${documentNumber}`;
  const own = stateRecord(told, {
    key: keyOf(number),
    record,
    action: action ?? 'publish',
    itemActions,
    incomplete: action === undefined ? { code: 'MAP-3006', where: 'document.status' } : undefined,
    needsPatient: true,
  });
  if (!replaces.has(trigger) || parent === undefined || parent === number || action !== 'publish' || !('ok' in own)) {
    return [own];
  }
  x.findings = [...told.findings];
  const former: ClinicalDocument = { ...record, documentNumber: parent, sections: [] };
  delete former.attachments;
  return [stateRecord(told, { key: keyOf(parent), record: former, action: 'retract', needsPatient: true }), own];
}
