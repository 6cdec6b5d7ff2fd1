import iconv from 'iconv-lite';
import { type DraftReport, type Sender, writeMessage } from '../demo/messages.ts';
import { panels, type Result } from '../demo/panels.ts';
import { type InventedPatient, inventedResidentId } from '../demo/people.ts';

/** The hospital's laboratory system; `application` is MSH-3, `charsetLabel` MSH-18. */
export const laboratory = (encoding: Sender['encoding'], charsetLabel: string): Sender => ({
  application: 'LIS',
  facility: 'DEMO',
  messageType: 'ORU^R01^ORU_R01',
  encoding,
  charsetLabel,
});
export const utf8 = laboratory('utf-8', 'UNICODE UTF-8');
export const gb18030 = laboratory('gb18030', 'GBK');

/** An invented patient; the second byte of 珅 and of 玘 in GB18030 is `|` and `^`. */
export const patient = (number: number, name = '郑珅玘'): InventedPatient => ({
  patientId: `E2E${String(number).padStart(5, '0')}`,
  residentId: inventedResidentId('19870614', number * 2 + 1),
  name,
  sex: 'M',
  birthDate: '19870614',
  phone: '19900001234',
});

const items = panels.chemistry.items;
/** Two items of the chemistry panel with the potassium and creatinine given, digits as written. */
export const chemistry = (potassium: string, creatinine = '88'): Result[] =>
  [
    { code: 'K', value: potassium },
    { code: 'CREA', value: creatinine },
  ].map(({ code, value }) => {
    const item = items.find((of) => of.code === code)!;
    const [low, high] = item.values as [number, number, number];
    return { item, value, flag: Number(value) > high ? 'H' : Number(value) < low ? 'L' : 'N' };
  });

const collectedMs = Date.UTC(2026, 2, 5, 0, 30);
/** A final chemistry report of an outpatient; numbers are derived from the report number. */
export const report = (reportNumber: string, rest: Partial<DraftReport> = {}): DraftReport => ({
  patient: patient(1),
  visit: { patientClass: 'O', number: `JZ${reportNumber}`, department: ['0301', '呼吸内科'] },
  panel: panels.chemistry,
  results: chemistry('6.21'),
  reportNumber,
  orderNumber: `AP${reportNumber}`,
  specimenNumber: `SP${reportNumber}`,
  status: 'F',
  collectedMs,
  reportedMs: collectedMs + 90 * 60_000,
  ...rest,
});

export interface Written {
  text: string;
  bytes: Buffer;
  controlId: string;
}

/** The report as its sender writes it; sent a minute after it was reported. */
export function write(sender: Sender, draft: DraftReport, controlId = `C${draft.reportNumber}`): Written {
  const text = writeMessage(sender, draft, controlId, draft.reportedMs + 60_000);
  return { text, bytes: iconv.encode(text, sender.encoding), controlId };
}
