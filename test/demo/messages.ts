import { drawResults, type Panel, type Result } from './panels.ts';
import type { InventedPatient, Random } from './people.ts';

/** How one of the hospital's systems speaks. */
export interface Sender {
  /** MSH-3. */
  application: string;
  facility: string;
  /** ORU^R01 or OUL^R21: Chinese laboratories send either. */
  messageType: 'ORU^R01^ORU_R01' | 'OUL^R21';
  encoding: 'utf-8' | 'gb18030';
  /** MSH-18 as it writes it; empty when it says nothing. */
  charsetLabel: string;
}

export interface Visit {
  /** PV1-2 as the sender writes it. */
  patientClass: string;
  number: string;
  department: [code: string, name: string];
  ward?: string;
  bed?: string;
}

/** One laboratory report before it is written as a message. */
export interface DraftReport {
  patient: InventedPatient;
  /** Absent: the message has no PV1. */
  visit?: Visit;
  panel: Panel;
  results: Result[];
  reportNumber: string;
  orderNumber: string;
  specimenNumber: string;
  /** OBR-25: P interim, F final, C correction; OBX-11 alike. */
  status: string;
  collectedMs: number;
  reportedMs: number;
}

/** `yyyyMMddHHmmss` in Asia/Shanghai, whatever zone this machine has. */
export const localTime = (ms: number): string =>
  new Date(ms + 8 * 3_600_000).toISOString().replace(/[-:T]/g, '').slice(0, 14);

const doctors = ['D1001^王医师', 'D1002^李审核', 'D1003^张检验', 'D1004^刘主管'];

// Only delimiters need it; ASCII of both charsets.
const escaped = (text: string): string =>
  text.replace(
    /[\\|^~&]/g,
    (found) => ({ '\\': '\\E\\', '|': '\\F\\', '^': '\\S\\', '~': '\\R\\', '&': '\\T\\' })[found]!,
  );

const fields = (name: string, values: Record<number, string>): string => {
  const last = Math.max(...Object.keys(values).map(Number));
  return [name, ...Array.from({ length: last }, (_, index) => values[index + 1] ?? '')].join('|');
};

/** One report as an HL7 v2.4 message in the Chinese dialect (reference/formats.md §4), segments ended by CR. */
export function writeMessage(sender: Sender, draft: DraftReport, controlId: string, sentMs: number): string {
  const { patient, visit, panel } = draft;
  const inpatient = visit?.patientClass === 'I';
  const identifiers = [
    ...(inpatient ? [`ZY${patient.patientId}^^^^PatientNO`] : [`MZ${patient.patientId}^^^^Outpatient`]),
    `${patient.residentId}^^^^IdentifyNO`,
    `88${patient.patientId.slice(4)}^^^^CardNO`,
  ];
  const segments = [
    `MSH|^~\\&|${sender.application}|${sender.facility}|QIANZHI|DEMO|${localTime(sentMs)}||${sender.messageType}|${controlId}|P|2.4|||AL|AL|CHN${sender.charsetLabel === '' ? '' : `|${sender.charsetLabel}`}`,
    fields('PID', {
      1: '1',
      2: patient.patientId,
      3: identifiers.join('~'),
      5: patient.name,
      7: patient.birthDate,
      8: patient.sex,
      11: '示例省示例市示例路1号^^^^^^H',
      13: `^^^^^^^^${patient.phone}`,
      22: '汉族',
    }),
  ];
  if (visit !== undefined) {
    const [code, name] = visit.department;
    segments.push(
      fields('PV1', {
        1: '1',
        2: visit.patientClass,
        3: `${visit.ward ?? ''}^^${visit.bed ?? ''}^${code}^${name}`,
        7: doctors[3]!,
        19: visit.number,
        44: localTime(draft.collectedMs - 36 * 3_600_000),
      }),
    );
  }
  segments.push(
    `ORC|RE|${draft.orderNumber}|${draft.specimenNumber}`,
    fields('OBR', {
      1: '1',
      2: draft.orderNumber,
      3: draft.specimenNumber,
      4: `${panel.code}^${panel.name}`,
      7: localTime(draft.collectedMs),
      14: localTime(draft.collectedMs + 20 * 60_000),
      15: panel.specimen.join('^'),
      16: doctors[0]!,
      18: visit?.department[1] ?? '检验科',
      19: visit?.department[0] ?? '0901',
      20: draft.reportNumber,
      22: localTime(draft.reportedMs),
      25: draft.status,
      32: doctors[1]!,
      33: doctors[2]!,
    }),
    ...draft.results.map(({ item, value, flag }, index) =>
      fields('OBX', {
        1: String(index + 1),
        2: /^-?\d+(\.\d+)?$/.test(value) ? 'NM' : 'ST',
        3: `${item.code}^${item.name}`,
        5: escaped(value),
        6: escaped(item.unit),
        7: escaped(item.range),
        8: flag,
        11: draft.status,
        14: localTime(draft.reportedMs - 15 * 60_000),
      }),
    ),
  );
  return segments.map((segment) => `${segment}\r`).join('');
}

/** The same report with one number measured again: the whole report, as a correction must be. */
export function corrected(random: Random, draft: DraftReport, reportedMs: number): DraftReport {
  const again = drawResults(random, draft.panel);
  const results = draft.results.map((result, index) => (index === 0 ? again[0]! : result));
  return { ...draft, results, status: 'C', reportedMs };
}
