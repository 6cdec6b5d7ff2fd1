import iconv from 'iconv-lite';
import { type DraftReport, type Sender, writeMessage } from '../demo/messages.ts';
import { drawResults, type Panel, panels } from '../demo/panels.ts';
import { type InventedPatient, inventPatients, makeRandom, pick } from '../demo/people.ts';
import { senders } from '../demo/script.ts';

/** One version of one report, to be sent until it is acknowledged. */
export interface ReportVersion {
  report: string;
  /** 1 is final (F), later ones are corrections (C). */
  version: number;
  /** In-house patient number. */
  patient: string;
  /** The digits of its first item: no other version of any report has them. */
  marker: string;
  controlId: string;
  bytes: Buffer;
}

interface OpenReport {
  draft: DraftReport;
  serial: number;
  version: number;
}

// Panels whose first item is a number: the marker stands there.
const numericPanels: Panel[] = [panels.bloodCount, panels.chemistry, panels.crp, panels.clotting];
const mostVersions = 4;
const mostOpen = 12;

/**
 * What one connection of a laboratory sends, without end: reports of its own patients, and corrections
 * of reports sent shortly before. A patient's reports all come from one connection, so that their order
 * of sending is known. Report times never go back, so no version is older than the one before it and
 * the life cycle absorbs none: each version must become a document of its own.
 *
 * @param corrections share of messages that correct an earlier report, 0 to 1.
 */
export function* playLaboratory(
  patients: readonly InventedPatient[],
  connection: number,
  seed: number,
  corrections: number,
  now: () => number = Date.now,
): Generator<ReportVersion> {
  const random = makeRandom(seed * 1000 + connection);
  const sender: Sender = senders[connection % senders.length]!;
  const open: OpenReport[] = [];
  let count = 0;
  for (;;) {
    let report = random() < corrections ? pick(random, open) : undefined;
    if (report === undefined) {
      report = { draft: draftReport(pick(random, patients)), serial: count, version: 0 };
      open.push(report);
      if (open.length > mostOpen) open.shift();
    }
    report.version += 1;
    if (report.version === mostVersions) open.splice(open.indexOf(report), 1);
    yield version(report);
  }

  function draftReport(patient: InventedPatient): DraftReport {
    count += 1;
    const panel = pick(random, numericPanels);
    const number = `${String(connection).padStart(2, '0')}${String(count).padStart(6, '0')}`;
    return {
      patient,
      visit: { patientClass: 'O', number: `JZ${number}`, department: ['0301', '呼吸内科'] },
      panel,
      results: drawResults(random, panel),
      reportNumber: `LR${number}`,
      orderNumber: `AP${number}`,
      specimenNumber: `SP${number}`,
      status: 'F',
      collectedMs: now() - 7_200_000,
      reportedMs: 0,
    };
  }

  function version({ draft, serial, version: of }: OpenReport): ReportVersion {
    // Three digits of connection, then the report's serial, then its version: never rounded, never repeated.
    const marker = `${100 + connection}${String(serial).padStart(6, '0')}.${of}`;
    draft.results = draft.results.map((result, at) => (at === 0 ? { ...result, value: marker, flag: 'H' } : result));
    draft.status = of === 1 ? 'F' : 'C';
    draft.reportedMs = now() - 60_000;
    const controlId = `${draft.reportNumber}.${of}`;
    const text = writeMessage(sender, draft, controlId, now());
    return {
      report: draft.reportNumber,
      version: of,
      patient: draft.patient.patientId,
      marker,
      controlId,
      bytes: iconv.encode(text, sender.encoding),
    };
  }
}

/** Invented patients dealt out to connections: patient i belongs to connection i mod n alone. */
export function dealPatients(count: number, connections: number, seed: number): InventedPatient[][] {
  const dealt: InventedPatient[][] = Array.from({ length: connections }, () => []);
  for (const [at, patient] of inventPatients(makeRandom(seed), count).entries()) dealt[at % connections]!.push(patient);
  return dealt;
}
