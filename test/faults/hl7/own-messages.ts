/** Messages of invented people, of each family the reader knows: what the fuzz starts from besides the corpus. */
const header = (type: string, charset = ''): string =>
  `MSH|^~\\&|LIS|H|E|R|20240520102600||${type}|M1|P|2.4${charset === '' ? '' : `||||||${charset}`}`;
const pid = 'PID|1|P1|ZY1^^^^PatientNO||张三||19900307|M';
const pv1 = 'PV1|1|I|W03^^12^0301^呼吸内科||||||||||||||||V1';
const obr = 'OBR|1|A1|S1|XCG^血常规||||||||||||||||R1||20240520102000|||F';
const obx = (code: string, value: string, type = 'NM'): string =>
  `OBX|1|${type}|${code}^${code}||${value}|mmol/L|3.5-5.5|N|||F|||20240520093000`;

const lab = [pid, pv1, 'DG1|1||J18^x', 'ORC|RE|A1', obr, 'NTE|1||n', obx('K', '4.2'), 'SPM|1|B'];
const texts: string[] = [
  [header('ORU^R01'), ...lab],
  [header('ORU^R01', 'UNICODE UTF-8'), ...lab, ...Array.from({ length: 30 }, (_, i) => obx(`C${i}`, String(i)))],
  [header('ORU^R01'), pid, pv1, obr, obx('检查所见', 'a~b\\.br\\c', 'TX'), obx('PDF', '^a^b^Base64^QUJD', 'ED')],
  [
    header('ORU^R01'),
    pid,
    pv1,
    obr,
    'OBX|1|CE|600-7|1|E^x||||||F',
    'OBR|2|A2|S1|AST^药敏|||||||||||||||||R1||||||600-7^1^x|||A1',
    obx('AMP', '4'),
  ],
  [header('ADT^A08'), 'EVN|A08|20240520', pid, pv1, 'DG1|1||J18^x'],
  [header('ADT^A40'), 'EVN|A40', pid, 'MRG||||P2', 'PID|2|P3', 'MRG||||P4'],
  [header('ADT^A37'), 'EVN|A37', pid, 'PID|2|P3'],
  [header('ORM^O01'), pid, pv1, 'ORC|NW|A1', obr, 'NTE|1||n', 'ORC|CA|A2', obr],
  [header('RDE^O11'), pid, pv1, 'ORC|NW|A1', 'RXE||D^d|1', 'RXR|PO'],
  [header('MDM^T10'), 'EVN|T10', pid, pv1, `TXA|1|DS${'|'.repeat(10)}D2|D1||||LA`, obx('x', 'y')],
  ['BHS|^~\\&|A|B|C|D|20240520|||F|B1', header('ORU^R01'), ...lab, header('ADT^A08'), pid, pv1, 'BTS|2'],
].map((segments) => `${segments.join('\r')}\r`);

export const ownMessages: Buffer[] = texts.map((text) => Buffer.from(text));
