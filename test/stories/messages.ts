import { inventedResidentId } from '../demo/people.ts';

/** An invented person under one in-house number of the hospital. */
export interface Person {
  /** In-house number (PID-2). */
  number: string;
  name: string;
  sex: 'M' | 'F' | '';
  birthDate: string;
  /** Empty: has none or did not show it. */
  residentId: string;
  phone: string;
  /** Organisation code of the institution whose number it is; absent: the hospital's own. */
  institution?: string;
}

/** The person of that number: somebody new, or with `more` somebody particular, such as a newborn or a namesake. */
export function person(number: string, name: string, more: Partial<Person> = {}): Person {
  // The same number is the same person in every form of a story.
  const running = Number(number.replace(/\D/g, '')) % 400;
  const birthDate = more.birthDate ?? `19${60 + (running % 40)}0${1 + (running % 9)}15`;
  const sex = more.sex ?? 'M';
  const residentId = inventedResidentId(birthDate, running * 2 + (sex === 'F' ? 2 : 1));
  return { number, name, sex, birthDate, residentId, phone: '19900001234', ...more };
}

/** What a message is written with when it is sent. */
export interface Head {
  application: string;
  /** MSH-4; absent: the hospital's own. */
  facility?: string;
  controlId: string;
  /** `yyyyMMddHHmmss`. */
  sent: string;
}

/** One HL7 v2 message to be; what it does not say of itself the scene does. */
export interface Message {
  write(head: Head): string;
  /** `10:05`, or `03-06 10:05`; absent: now. */
  sent?: string;
  controlId?: string;
}

/** Messages as another institution sends them: MSH-4 says so; empty says nothing. */
export const sentBy = (facility: string, ...said: Message[]): Message[] =>
  said.map((message) => ({ ...message, write: (head) => message.write({ ...head, facility }) }));

/** The day stories begin on, Asia/Shanghai. */
const year = '2026';
const today = '0305';

/** `10:05`, `10:05:30` or `03-06 10:05` as HL7 writes it. */
export function hl7Time(text: string): string {
  const [, month, day, time] = /^(?:(\d\d)-(\d\d) )?(\d\d:\d\d(?::\d\d)?)$/.exec(text) ?? [];
  if (time === undefined) throw new Error(`not a time of a story: ${text}`);
  return `${year}${month === undefined ? today : month + day}${time.replaceAll(':', '')}`.padEnd(14, '0');
}

const fields = (name: string, values: Record<number, string | undefined>): string => {
  const last = Math.max(...Object.keys(values).map(Number));
  return [name, ...Array.from({ length: last }, (_, index) => values[index + 1] ?? '')].join('|');
};

export const escaped = (text: string): string =>
  text.replace(/[\\|^~&]/g, (of) => ({ '\\': '\\E\\', '|': '\\F\\', '^': '\\S\\', '~': '\\R\\', '&': '\\T\\' })[of]!);

export const segments = (...lines: string[]): string => lines.map((line) => `${line}\r`).join('');

export const msh = (head: Head, type: string): string =>
  `MSH|^~\\&|${head.application}|${head.facility ?? 'H'}|QIANZHI|H|${head.sent}||${type}|${head.controlId}|P|2.4|||||CHN|UTF-8`;

/** What a message says of the patient: everything, or no more than the number. */
export const pid = (who: Person, more: { onlyNumber?: boolean; fields?: Record<number, string> } = {}): string =>
  fields(
    'PID',
    more.onlyNumber
      ? { 1: '1', 2: who.number }
      : {
          1: '1',
          2: who.number,
          3: [`MZ${who.number}^^^^Outpatient`, ...(who.residentId ? [`${who.residentId}^^^^IdentifyNO`] : [])].join(
            '~',
          ),
          5: who.name,
          7: who.birthDate,
          8: who.sex,
          13: `^^^^^^^^${who.phone}`,
          ...more.fields,
        },
  );

export interface Visit {
  /** PV1-2 as the sender writes it. */
  class: string;
  number: string;
  department?: string;
}

export const pv1 = (visit: Visit): string =>
  fields('PV1', {
    1: '1',
    2: visit.class,
    3: `W03^^12^0301^${visit.department ?? '呼吸内科'}`,
    7: 'D1004^刘主管',
    19: visit.number,
    44: '20260305080000',
  });

const names: Record<string, string> = {
  K: '钾',
  Na: '钠',
  Cl: '氯',
  Glu: '葡萄糖',
  ALT: '丙氨酸氨基转移酶',
  WBC: '白细胞计数',
  HGB: '血红蛋白',
  CRP: 'C反应蛋白',
  HBsAg: '乙肝表面抗原',
};

/** An item with a status of its own, told by the sender: `marked('D', 'K 4.1')`. */
export const marked = (status: string, item: string): string => `${item} !${status}`;
/** OBX-11 X: the result could not be obtained. */
export const notObtained = (item: string): string => marked('X', `${item} -`);
/** OBX-11 D: the result is deleted. */
export const deleted = (item: string): string => marked('D', `${item} -`);
/** OBX-11 W: posted as wrong, it is another patient's. */
export const wrong = (item: string): string => marked('W', item);
/** OBX-11 I: the specimen is in the laboratory, the result is to come. */
export const toCome = (item: string): string => marked('I', `${item} -`);

function obx(text: string, n: number, status: string): string {
  const found = /^(\S+) (.*?)(?: (H|L|HH|LL|N|A))?(?: !(\S+))?$/.exec(text);
  if (!found) throw new Error(`not an item of a story: ${text}`);
  const [, code = '', value = '', flag = '', own] = found;
  return fields('OBX', {
    1: String(n),
    2: /^-?\d+(\.\d+)?$/.test(value) ? 'NM' : 'ST',
    3: `${code}^${names[code] ?? code}`,
    5: value === '-' ? '' : escaped(value),
    6: 'mmol/L',
    8: flag,
    11: own ?? status,
  });
}

/** What is said of one report in one message. */
interface Said {
  number: string;
  who?: Person;
  onlyNumber?: boolean;
  pidFields?: Record<number, string>;
  visit?: Visit | 'none';
  status: string;
  /** OBR-22. */
  at?: string;
  tube?: string;
  order?: string;
  panel?: [code: string, name: string];
  items: string[];
  type?: string;
  /** Segments of results written otherwise than as laboratory items. */
  results?: (items: string[], status: string) => string[];
  obr?: Record<number, string>;
}

export interface ReportMessage extends Message {
  said: Said;
  of(who: Person): ReportMessage;
  /** The message tells the patient's number and nothing else of them. */
  withoutDemographics(): ReportMessage;
  /** PID fields in the sender's own words. */
  pid(more: Record<number, string>): ReportMessage;
  visit(visit: Visit): ReportMessage;
  withoutVisit(): ReportMessage;
  /** Report time (OBR-22). */
  at(time: string): ReportMessage;
  /** Message time (MSH-7). */
  sentAt(time: string): ReportMessage;
  control(id: string): ReportMessage;
  tube(number: string): ReportMessage;
  order(number: string): ReportMessage;
  panel(code: string, name: string): ReportMessage;
  as(type: string): ReportMessage;
  obr(more: Record<number, string>): ReportMessage;
  /** OBR-25 F, P, C, X, or whatever the sender writes. */
  final(...items: string[]): ReportMessage;
  interim(...items: string[]): ReportMessage;
  corrected(...items: string[]): ReportMessage;
  withdrawn(...items: string[]): ReportMessage;
  status(status: string, ...items: string[]): ReportMessage;
}

/** A laboratory report of one number. */
export const report = (number: string): ReportMessage => saying({ number, status: 'F', items: [] });

export function saying(said: Said, own: Pick<Message, 'sent' | 'controlId'> = {}): ReportMessage {
  const but = (more: Partial<Said>) => saying({ ...said, ...more }, own);
  const status = (as: string, items: string[]) => but({ status: as, items });
  return {
    ...own,
    said,
    write: (head) => writeReports(head, [said]),
    of: (who) => but({ who }),
    withoutDemographics: () => but({ onlyNumber: true }),
    pid: (pidFields) => but({ pidFields }),
    visit: (visit) => but({ visit }),
    withoutVisit: () => but({ visit: 'none' }),
    at: (at) => but({ at }),
    sentAt: (sent) => saying(said, { ...own, sent }),
    control: (controlId) => saying(said, { ...own, controlId }),
    tube: (tube) => but({ tube }),
    order: (order) => but({ order }),
    panel: (...panel) => but({ panel }),
    as: (type) => but({ type }),
    obr: (more) => but({ obr: { ...said.obr, ...more } }),
    final: (...items) => status('F', items),
    interim: (...items) => status('P', items),
    corrected: (...items) => status('C', items),
    withdrawn: (...items) => status('X', items),
    status: (as, ...items) => status(as, items),
  };
}

/** Several reports of one patient in one message. */
export const together = (...reports: ReportMessage[]): Message => ({
  write: (head) =>
    writeReports(
      head,
      reports.map(({ said }) => said),
    ),
});

function writeReports(head: Head, reports: Said[]): string {
  const [first] = reports;
  if (!first?.who) throw new Error('a report of nobody');
  const visit = first.visit ?? { class: 'O', number: `JZ${first.who.number}` };
  return segments(
    msh(head, first.type ?? 'ORU^R01^ORU_R01'),
    pid(first.who, { onlyNumber: first.onlyNumber ?? false, fields: first.pidFields ?? {} }),
    ...(visit === 'none' ? [] : [pv1(visit)]),
    ...reports.flatMap((said) => orderGroup(head, said)),
  );
}

function orderGroup(head: Head, said: Said): string[] {
  const order = said.order ?? `AP${said.number}`;
  const [code, name] = said.panel ?? ['SH01', '生化全套'];
  return [
    `ORC|RE|${order}`,
    fields('OBR', {
      1: '1',
      2: order,
      3: said.tube ?? `SP${said.number}`,
      4: `${code}^${name}`,
      7: '20260305080000',
      14: '20260305082000',
      15: '01^血清',
      16: 'D1001^王医师',
      20: said.number,
      22: said.at === undefined ? head.sent : hl7Time(said.at),
      25: said.status,
      32: 'D1002^李审核',
      33: 'D1003^张检验',
      ...said.obr,
    }),
    ...(said.results?.(said.items, said.status) ?? said.items.map((item, n) => obx(item, n + 1, said.status))),
  ];
}
