import { readFileSync } from 'node:fs';
import { compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import type { LabReport } from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import type { Reading, Statement } from '../../../../agent/mapping/mapper.ts';
import { isErrorCode } from '../../../../agent/support/errors.ts';
import { phi } from '../../../../agent/support/phi.ts';

export const profileText = readFileSync(
  new URL('../../../../config/dialects/cn-default.yaml', import.meta.url),
  'utf8',
);
export const reader = compileProfile(profileText);
/** 2024-05-20 10:30 in Shanghai. */
const receivedMs = Date.UTC(2024, 4, 20, 2, 30);
export const context = { receivedMs, source: 'lis', timeZone: 'Asia/Shanghai' };

export const read = (segments: string[], with_ = reader): Reading =>
  with_.read(phi(Buffer.from(segments.join('\r'))), context);

/** The default profile with one thing changed. */
export function change(from: string | RegExp, to: string): typeof reader {
  const text = profileText.replace(from, to);
  if (text === profileText) throw new Error(`nothing changed: ${from}`);
  return compileProfile(text);
}

export const mshOf = (type: string): string => `MSH|^~\\&|LIS|H|E|R|20240520102600||${type}|M1|P|2.4`;
export const pid = 'PID|1|P1|ZY1^^^^PatientNO||张三||19900307|M';
export const pv1 = 'PV1|1|I|W03^^12^0301^呼吸内科||||||||||||||||V1';

/** A segment of some fields, by their numbers. */
export function segment(id: string, fields: Record<number, string>): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  return [id, ...Array.from({ length: last }, (_, i) => fields[i + 1] ?? '')].join('|');
}

/** An order of report R1, final, with some fields changed. */
export const obr = (over: Record<number, string> = {}): string =>
  segment('OBR', {
    1: '1',
    2: 'A1',
    3: 'S1',
    4: 'XCG^血常规',
    20: 'R1',
    22: '20240520102000',
    25: 'F',
    34: '',
    ...over,
  });

export const obx = (code: string, value: string, status = 'F', flag = '', type = 'NM'): string =>
  `OBX|1|${type}|${code}^${code}||${value}|mmol/L|3.5-5.5|${flag}|||${status}|||20240520093000`;

const numberOf = ({ report, reportKey }: ReportStatement): string =>
  'reportNumber' in report ? report.reportNumber : reportKey;

function outcomeOf(statement: Statement): string {
  if ('held' in statement) {
    if (!isErrorCode(statement.held.code)) throw new Error(`unknown code ${statement.held.code}`);
    return `held ${statement.held.code}`;
  }
  if ('filtered' in statement) return `filtered ${statement.filtered}`;
  if ('patient' in statement) return `patient ${statement.patient.patientKey}`;
  if ('merge' in statement) {
    const { kind, retired, survivor } = statement.merge;
    return `${kind} ${retired} > ${survivor}`;
  }
  return `${statement.ok.reportAction} ${numberOf(statement.ok)}`;
}

/** What came of each statement: `publish R1`, `held MAP-3006`, `merge P2 > P1`. */
export const outcomes = (reading: Reading): string[] =>
  reading.kind === 'statements'
    ? reading.statements.map(outcomeOf)
    : [`${reading.kind} ${reading.kind === 'held' ? reading.code : reading.rule}`];

/** The one record of a message that says nothing else. */
export function only(reading: Reading): ReportStatement {
  const [statement, ...others] = reading.kind === 'statements' ? reading.statements : [];
  if (statement === undefined || others.length > 0 || !('ok' in statement)) throw new Error(outcomes(reading).join());
  return statement.ok;
}

/** The one laboratory report of a message that says nothing else. */
export function onlyLab(reading: Reading): ReportStatement & { report: LabReport } {
  const statement = only(reading);
  if (statement.report.kind !== 'lab-report') throw new Error(statement.report.kind);
  return { ...statement, report: statement.report };
}

/** Where a message or its first statement is held. */
export function whereHeld(reading: Reading): string | undefined {
  if (reading.kind === 'held') return reading.where;
  const first = reading.kind === 'statements' ? reading.statements[0] : undefined;
  return first !== undefined && 'held' in first ? first.held.where : undefined;
}
