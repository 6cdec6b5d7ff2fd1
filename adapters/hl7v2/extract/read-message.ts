import { compareTimes, localTime, normaliseTime } from '../../../agent/clinical/records/time.ts';
import type { ReportStatement } from '../../../agent/clinical/reports/types.ts';
import type { MappingContext, Reading } from '../../../agent/mapping/mapper.ts';
import type { Phi } from '../../../agent/support/phi.ts';
import { decodeMessage } from '../charset.ts';
import { judgeProcessingId, judgeType } from '../intake-rules.ts';
import { type Hl7Message, parseMessage, type Segment, valueAt } from '../parser.ts';
import type { CompiledProfile } from '../profile/rules.ts';
import type { Scope } from '../profile/scope.ts';
import { readEncounter } from './encounter.ts';
import { groupSegments, type OrderGroup, type PatientGroup } from './groups.ts';
import { draftReports, type ReportDraft, readReport } from './lab-report.ts';
import { isReadable, messageTypeOf, specimenFirst } from './message-type.ts';
import { type PatientReading, readPatient } from './patient.ts';
import { type Extraction, remark } from './reading.ts';
import { SearchKeys } from './search-keys.ts';

export { isReadableType } from './message-type.ts';

/** A sender's clock may be ahead by this much before its times count as future. */
const clockTolerance = 5 * 60_000;

type Statement = { ok: ReportStatement } | { held: { code: string; where: string } };

/**
 * What a message says, after its source profile. Pure: the same bytes, rules and context give the same
 * reading. Filtered are types and processing ids the profile does not take (rules HL7-2104, HL7-2105).
 * Held as a whole is what cannot be decoded (MLLP-2006), is no HL7 (HL7-2101) or does not group
 * (HL7-2106); a report that cannot be trusted is held alone (HL7-2102, MAP-3003 … MAP-3008).
 */
export function readMessage(rules: CompiledProfile, raw: Phi<Uint8Array>, context: MappingContext): Reading {
  const keys = new SearchKeys();
  const { intake, time_zone } = rules.profile;
  const held = (code: string, where: string, type = 'other'): Reading => ({
    kind: 'held',
    type,
    code,
    where,
    lookups: keys.keys,
  });

  const decoded = decodeMessage(raw.reveal(), intake.charset);
  if (!decoded.ok) return held(decoded.code, 'MSH-18');
  const message = parseMessage(decoded.text, escapeCharset(decoded.charset));
  const msh = message?.segments[0];
  if (message === undefined || msh === undefined) return held('HL7-2101', 'MSH');
  if (msh.id !== 'MSH') return held('HL7-2106', msh.id);

  const type = messageTypeOf(message, msh);
  keys.add('control', valueAt(message, msh, 10));
  const scope: Scope = {
    message,
    timeZone: time_zone ?? context.timeZone,
    current: { MSH: msh },
    readFrom: undefined,
    readRepetition: 1,
  };
  const grouping = groupSegments(message, specimenFirst(type));
  const rule =
    judgeProcessingId(intake, valueAt(message, msh, 11)) !== 'accept'
      ? 'HL7-2105'
      : judgeType(intake, type) !== 'accept' || !isReadable(type)
        ? 'HL7-2104'
        : undefined;
  if (rule !== undefined) {
    if (grouping.ok) for (const group of grouping.patients) enterPatient(rules, scope, msh, group, keys);
    return { kind: 'filtered', type: type.shown, rule, lookups: keys.keys };
  }
  if (!grouping.ok) return held('HL7-2106', grouping.where, type.shown);

  const statements: Statement[] = [];
  for (const group of grouping.patients) {
    const { x, patient } = enterPatient(rules, scope, msh, group, keys);
    statements.push(...readGroup(x, group, patient, message, msh, context, keys));
  }
  if (statements.length === 0) return held('HL7-2106', 'OBR', type.shown);
  return { kind: 'statements', type: type.shown, statements, lookups: keys.keys };
}

/** ASCII says nothing of bytes beyond it, and UTF-16 is no charset of escapes. */
const escapeCharset = (charset: string): string =>
  charset === 'US-ASCII' || charset.startsWith('UTF-16') ? 'utf-8' : charset;

function enterPatient(
  rules: CompiledProfile,
  scope: Scope,
  msh: Segment,
  group: PatientGroup,
  keys: SearchKeys,
): { x: Extraction; patient: PatientReading } {
  scope.current = { ...group.segments, MSH: msh };
  const x: Extraction = { rules, scope, findings: [] };
  const patient = readPatient(x);
  keys.addPatient(patient.patient);
  keys.add('visit', rules.encounter.visitNumber?.(scope));
  return { x, patient };
}

function readGroup(
  x: Extraction,
  group: PatientGroup,
  patient: PatientReading,
  message: Hl7Message,
  msh: Segment,
  context: MappingContext,
  keys: SearchKeys,
): Statement[] {
  const { encounter, unknownClassAt } = readEncounter(x, group.diagnoses);
  const patientSegments = x.scope.current;
  const aboutPatient = x.findings;
  const enter = (order: OrderGroup): void => {
    x.scope.current = { ...patientSegments, ...order.segments };
  };
  const horizon = localTime(context.receivedMs + clockTolerance, x.scope.timeZone);
  const messageTime = normaliseTime(valueAt(message, msh, 7), x.scope.timeZone);

  const state = (draft: ReportDraft): Statement => {
    x.findings = [...aboutPatient];
    const reading = readReport(x, draft, patient.patient, encounter, enter);
    const { report, reportAction } = reading;
    keys.add('report', report.reportNumber);
    for (const number of report.orderNumbers) keys.add('order', number);
    keys.add('specimen', report.specimen.number);

    // A withdrawal needs to know the report and the patient, nothing more.
    const { patientKey } = patient;
    if (patientKey === undefined) return hold({ code: 'MAP-3003', where: 'patient.in_house' });
    if (!patient.ok && reportAction !== 'retract') return hold(patient);
    if (reportAction === 'publish') {
      if (reading.incomplete !== undefined) return hold(reading.incomplete);
      if (unknownClassAt !== undefined) return hold({ code: 'MAP-3005', where: unknownClassAt });
    }
    const inFuture = compareTimes(report.reportedAt, horizon) > 0;
    if (inFuture) remark(x, 'MAP-3022', 'reportedAt', 'timeliness');
    return {
      ok: {
        reportKey: `${context.source}|${report.reportNumber}`,
        patientKey,
        report,
        reportAction,
        itemActions: reading.itemActions,
        ...(report.reportedAt !== undefined && !inFuture && { reportTime: report.reportedAt }),
        ...(messageTime !== undefined && compareTimes(messageTime, horizon) <= 0 && { messageTime }),
        findings: x.findings,
      },
    };
  };

  const { drafts, unnumbered } = draftReports(x, group.orders, enter);
  const statements = drafts.map(state);
  for (let i = 0; i < unnumbered; i++) statements.push(hold({ code: 'MAP-3008', where: 'report.number' }));
  return statements;
}

const hold = ({ code, where }: { code: string; where: string }): Statement => ({ held: { code, where } });
