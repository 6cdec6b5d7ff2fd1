import { corrected, type DraftReport, type Sender, type Visit, writeMessage } from './messages.ts';
import { drawResults, type Panel, panels } from './panels.ts';
import { type InventedPatient, inventPatients, makeRandom, pick } from './people.ts';

/** One message to send. `text` is encoded with `sender.encoding` by whoever sends it. */
export interface Scene {
  kind: (typeof kinds)[number];
  sender: Sender;
  controlId: string;
  text: string;
}

const kinds = [
  'final',
  'interim',
  'final-after-interim',
  'correction',
  'retransmission',
  'specimen-first',
  'specimen-second',
  'without-visit',
  'unmapped-code',
] as const;

export const senders: readonly Sender[] = [
  {
    application: 'LIS',
    facility: 'DEMO',
    messageType: 'ORU^R01^ORU_R01',
    encoding: 'utf-8',
    charsetLabel: 'UNICODE UTF-8',
  },
  { application: 'JZLIS', facility: 'DEMO', messageType: 'OUL^R21', encoding: 'gb18030', charsetLabel: 'GBK' },
  { application: 'TJLIS', facility: 'DEMO', messageType: 'ORU^R01^ORU_R01', encoding: 'gb18030', charsetLabel: '' },
];
const [main, emergency, checkup] = senders as [Sender, Sender, Sender];

const departments: Array<[string, string]> = [
  ['0301', '呼吸内科'],
  ['0302', '消化内科'],
  ['0401', '普外科'],
  ['0501', '妇科'],
  ['0601', '儿科'],
];

/** The opening shows every case once; afterwards the special ones come seldom, as in a hospital. */
const opening: Array<(typeof kinds)[number]> = [
  'final',
  'final',
  'interim',
  'specimen-first',
  'specimen-second',
  'retransmission',
  'correction',
  'final',
  'final-after-interim',
  'without-visit',
  'final',
  'unmapped-code',
];
const later = (at: number): (typeof kinds)[number] => {
  const minute = at % 60;
  if (minute === 5) return 'interim';
  if (minute === 17) return 'retransmission';
  if (minute === 29) return 'correction';
  if (minute === 35) return 'final-after-interim';
  if (minute === 41) return 'specimen-first';
  if (minute === 42) return 'specimen-second';
  // The held ones once in ten minutes: a problem list that grows faster tells nothing more.
  if (at % 600 === 71) return 'without-visit';
  return at % 600 === 371 ? 'unmapped-code' : 'final';
};

/**
 * The endless story of a hospital's laboratory. Patients and values come from the seed; report
 * numbers from `startMs`, so that another run never reuses one. `now` is asked at each scene.
 */
export function* playScenes(startMs: number, seed = 20_260_101, now: () => number = Date.now): Generator<Scene> {
  const random = makeRandom(seed);
  const patients = inventPatients(random, 40);
  const run = startMs.toString(36).toUpperCase();
  let count = 0;
  let lastFinal: { scene: Scene; draft: DraftReport } | undefined;
  let interim: { sender: Sender; draft: DraftReport } | undefined;
  let specimen: DraftReport | undefined;

  const visitOf = (patient: InventedPatient, sender: Sender): Visit => {
    const department = pick(random, departments);
    const number = `JZ${run}${count}`;
    if (sender === emergency) return { patientClass: 'E', number, department: ['0201', '急诊科'] };
    if (sender === checkup) return { patientClass: '体检', number, department: ['0801', '体检中心'] };
    if (random() < 0.5) return { patientClass: 'O', number, department };
    const bed = String(1 + Math.floor(random() * 40)).padStart(2, '0');
    return {
      patientClass: 'I',
      number: `ZY${patient.patientId}-1`,
      department,
      ward: `W${department[0].slice(1)}`,
      bed,
    };
  };
  const draft = (sender: Sender, panel: Panel): DraftReport => {
    const patient = pick(random, patients);
    const reportedMs = now() - 60_000;
    return {
      patient,
      visit: visitOf(patient, sender),
      panel,
      results: drawResults(random, panel),
      reportNumber: `LR${run}${String(count).padStart(5, '0')}`,
      orderNumber: `AP${run}${String(count).padStart(5, '0')}`,
      specimenNumber: `SP${run}${String(count).padStart(5, '0')}`,
      status: 'F',
      collectedMs: reportedMs - 90 * 60_000,
      reportedMs,
    };
  };
  const scene = (kind: Scene['kind'], sender: Sender, report: DraftReport): Scene => {
    const controlId = `${sender.application}${run}${String(count).padStart(6, '0')}`;
    return { kind, sender, controlId, text: writeMessage(sender, report, controlId, now()) };
  };

  for (let at = 0; ; at++, count++) {
    const kind = opening[at] ?? later(at);
    const sender = pick(random, [main, main, emergency, checkup]);
    if (kind === 'retransmission' && lastFinal !== undefined) {
      yield { ...lastFinal.scene, kind };
    } else if (kind === 'correction' && lastFinal !== undefined) {
      yield scene(kind, lastFinal.scene.sender, corrected(random, lastFinal.draft, now() - 30_000));
      lastFinal = undefined;
    } else if (kind === 'interim') {
      interim = { sender: main, draft: { ...draft(main, panels.clotting), status: 'P' } };
      yield scene(kind, main, interim.draft);
    } else if (kind === 'final-after-interim' && interim !== undefined) {
      yield scene(kind, interim.sender, { ...interim.draft, status: 'F', reportedMs: now() - 30_000 });
      interim = undefined;
    } else if (kind === 'specimen-first') {
      specimen = draft(emergency, panels.bloodCount);
      yield scene(kind, emergency, specimen);
    } else if (kind === 'specimen-second' && specimen !== undefined) {
      const { patient, visit, specimenNumber, collectedMs } = specimen;
      yield scene(kind, emergency, {
        ...draft(emergency, panels.crp),
        patient,
        ...(visit === undefined ? {} : { visit }),
        specimenNumber,
        collectedMs,
      });
    } else if (kind === 'without-visit') {
      const { visit: _, ...without } = draft(checkup, panels.hepatitis);
      yield scene(kind, checkup, without);
    } else if (kind === 'unmapped-code') {
      const report = draft(main, panels.urine);
      // 特需门诊 as a class of its own: a real case of a local code that no national table has.
      yield scene(kind, main, { ...report, visit: { ...visitOf(report.patient, main), patientClass: 'TX' } });
    } else {
      const panel = pick<Panel>(random, [panels.bloodCount, panels.chemistry, panels.urine, panels.hepatitis]);
      const report = draft(sender, panel);
      const final = scene('final', sender, report);
      lastFinal = { scene: final, draft: report };
      yield final;
    }
  }
}
