import { type Sender, writeMessage } from '../demo/messages.ts';
import { drawResults, type Panel, type PanelItem, panels } from '../demo/panels.ts';
import { inventPatients, makeRandom } from '../demo/people.ts';

const sender: Sender = {
  application: 'LIS',
  facility: 'BENCH',
  messageType: 'ORU^R01^ORU_R01',
  encoding: 'utf-8',
  charsetLabel: 'UNICODE UTF-8',
};
/** Ten digits of every number that must differ between reports. */
const slot = '0000000000';
const controlId = `B${slot}`;
/** Who made the value, on what instrument, when: laboratories send it, and it brings a message to its usual 5 KB. */
const performer = '|LAB1^检验科|D1003^张检验||XN9000^全自动分析仪^01|20260115101500';

export interface MessageMaker {
  /** Payload bytes of every message. */
  size: number;
  /** A message never made before by this maker, framed, and its control id. */
  next(): { framed: Buffer; controlId: string };
}

/**
 * ORU^R01 with 30 OBX in UTF-8, Chinese dialect, invented people: as many patients as asked for in turn,
 * every message a report of its own. `first` is the running number of the first.
 */
export function makeMessages(patients: number, first = 1): MessageMaker {
  const random = makeRandom(7);
  const items = Object.values<Panel>(panels)
    .flatMap((panel) => panel.items as PanelItem[])
    .slice(0, 30);
  const panel: Panel = { code: 'BENCH', name: '组合检验', specimen: ['01', '血清'], items };
  const collectedMs = Date.now() - 3_600_000;
  const templates = inventPatients(random, patients).map((patient, index) => {
    const text = writeMessage(
      sender,
      {
        patient,
        panel,
        visit: { patientClass: 'O', number: `V${100_000 + index}`, department: ['0901', '内科'] },
        results: drawResults(random, panel),
        reportNumber: `R${slot}`,
        orderNumber: `O${slot}`,
        specimenNumber: `S${slot}`,
        status: 'F',
        collectedMs,
        reportedMs: collectedMs + 1_800_000,
      },
      controlId,
      collectedMs + 1_900_000,
    ).replaceAll(/(\rOBX[^\r]*)/g, `$1${performer}`);
    const framed = Buffer.from(`\x0b${text}\x1c\r`);
    const slots: number[] = [];
    for (let at = framed.indexOf(slot); at >= 0; at = framed.indexOf(slot, at + slot.length)) slots.push(at);
    return { framed, slots };
  });
  let number = first;
  return {
    size: templates[0]!.framed.length - 3,
    next() {
      const { framed, slots } = templates[number % patients]!;
      const digits = String(number++).padStart(slot.length, '0');
      const message = Buffer.from(framed);
      for (const at of slots) message.write(digits, at, 'latin1');
      return { framed: message, controlId: `B${digits}` };
    },
  };
}
