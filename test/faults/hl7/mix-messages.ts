import type { AckProfileName } from '../../../adapters/hl7v2/ack-profiles.ts';
import { frame } from '../../../adapters/hl7v2/framing.ts';

/** How the senders of one port are answered, what they ask for in MSH-15 and MSH-16, and what they must hear. */
export interface Dialect {
  ack: AckProfileName;
  conditions: [accept: string, application: string];
  answers: string[];
}
export const dialects: Dialect[] = [
  { ack: 'original-always', conditions: ['AL', 'AL'], answers: ['AA'] },
  { ack: 'original', conditions: ['', ''], answers: ['AA'] },
  { ack: 'enhanced', conditions: ['AL', 'AL'], answers: ['CA', 'AA'] },
  { ack: 'device-mindray', conditions: ['', '0'], answers: ['AA'] },
];

/** A message of an invented patient; each tenth is a report that becomes a document, the others are acknowledged and filtered. */
export function makeMixed({ conditions }: Dialect, id: string, number: number): Buffer {
  const isReport = number % 10 === 0;
  const type = isReport ? 'ORU^R01' : 'SIU^S12';
  const rest = [
    `PID|1|P${id}|ZY${id}^^^^PatientNO||测试患者||19900307|M`,
    `PV1|1|I|W03^^12^0301^呼吸内科||||||||||||||||JZ${id}`,
    `OBR|1|AP${id}|SP${id}|XCG^血常规|||20240520080500|||||||20240520083000|04^静脉全血|D0001^刘主管||呼吸内科|0301|LR${id}||20240520102001|||F|||||||D1002^李审核|D1001^王医师`,
    'OBX|1|NM|K^钾||4.21|mmol/L|3.5-5.3|N|||F|||20240520093000',
  ];
  return Buffer.from(
    `MSH|^~\\&|LIS|H|EDGE|P|20240520102601||${type}|${id}|P|2.4|||${conditions.join('|')}||UTF-8\r${rest.join('\r')}\r`,
  );
}

export const framed = (message: Uint8Array): Buffer => Buffer.from(frame(message));

/** MSA-1 and MSA-2 of the answers in whole frames; a batch of answers has several in one. */
export function answersIn(frames: string): Array<{ code: string; id: string }> {
  return [...frames.matchAll(/\rMSA\|(\w\w)\|([^|\r]*)/g)].map(([, code = '', id = '']) => ({ code, id }));
}
