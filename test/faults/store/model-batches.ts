import type { PatientState } from '../../../agent/clinical/patients/types.ts';
import type { ClinicalRecord } from '../../../agent/clinical/records/types.ts';
import type { MappedMessage, MappingBatch, Part, RecordEntry } from '../../../agent/store/contract.ts';
import { phi } from '../../../agent/support/phi.ts';
import { lanes } from './check.ts';
import type { ModelPart, StoreModel } from './model.ts';

type Draw = (below: number) => number;

const REPORTS = 8;
const firstLaneOf = (report: string): string => lanes[Number(report.slice(1)) % lanes.length] as string;

/** One entry of the journal, at the model and for the store. */
function journal(model: StoreModel, seq: number, report: string, action: 'publish' | 'retract', lane: string): Entry {
  const version = (model.reports.get(report)?.version ?? 0) + 1;
  const jseq = model.journal.length + 1;
  const setId = `set-${report}`;
  const record = { kind: 'lab-report', reportNumber: report, version } as unknown as ClinicalRecord;
  model.record({ jseq, seq, report, version, action, lane });
  const status = action === 'publish' ? ('published' as const) : ('retracted' as const);
  const current = action === 'publish' ? { current: record } : {};
  model.reports.set(report, { reportKey: report, setId, status, version, patientKey: lane, waiting: [], ...current });
  const content = phi(JSON.stringify({ record }));
  const rest = { recordKind: 'lab-report', reportKey: report, setId, version, patientKey: lane, content, findings: [] };
  return { jseq, entry: { action, ...rest } };
}
interface Entry {
  jseq: number;
  entry: RecordEntry;
}

/**
 * What one statement does to records, so that versions rise and only what is published is retracted: mostly one entry;
 * a merge issues all reports of a patient again as another's; a report that was another's is retracted and published.
 */
function entriesOf(model: StoreModel, seq: number, report: string, draw: Draw): Entry[] {
  const last = model.journal.findLast((e) => e.report === report);
  const lane = last?.lane ?? firstLaneOf(report);
  const published = last?.action === 'publish';
  const other = lanes[draw(lanes.length)] as string;
  const what = draw(15);
  if (what < 4) return [journal(model, seq, report, published ? 'retract' : 'publish', lane)];
  if (what < 6 && published) {
    return [journal(model, seq, report, 'retract', lane), journal(model, seq, report, 'publish', other)];
  }
  if (what === 6 && published) {
    const his = [...model.reports.values()].filter((r) => r.patientKey === lane && r.status === 'published');
    return his.map((r) => journal(model, seq, r.reportKey, 'publish', other));
  }
  return [journal(model, seq, report, 'publish', what < 9 ? other : lane)];
}

/** Messages of one batch as the mapper would hand them over; the model has taken them when it returns. */
export function sayBatch(
  model: StoreModel,
  seqs: number[],
  draw: Draw,
  nowMs: number,
  through: number | undefined,
  keepOf: (seq: number) => number[] | undefined,
): MappingBatch {
  const touched = new Set<string>();
  const again = new Set<ModelPart>();
  const messages = seqs.map((seq): MappedMessage => {
    const keep = keepOf(seq);
    const { parts, said } = partsOf(model, seq, draw, nowMs, keep, touched);
    if (keep) for (const [i, part] of said.entries()) if (!keep.includes(i)) again.add(part);
    return { seq, type: 'ORU^R01', parts, lookups: [], ...(keep && { keep }) };
  });
  const patients = draw(3) === 0 ? [tell(model, again, draw)] : [];
  if (through !== undefined) model.mappedThrough = through;
  const reports = [...touched].flatMap((key) => model.reports.get(key) ?? []);
  return { messages, reports, patients, through };
}

function tell(model: StoreModel, again: Set<ModelPart>, draw: Draw): PatientState {
  const patientKey = lanes[draw(lanes.length)] as string;
  const patient = { identifiers: [], name: `测试患者${draw(1000)}` };
  const state: PatientState = { patientKey, patient, toldAt: {}, encounters: [], retired: [] };
  model.told(state, again);
  return state;
}

function partsOf(
  model: StoreModel,
  seq: number,
  draw: Draw,
  nowMs: number,
  keep: number[] | undefined,
  touched: Set<string>,
): { parts: Part[]; said: ModelPart[] } {
  const message = model.messages.get(seq);
  const before = message?.parts ?? [];
  const count = keep ? before.length : 1 + (draw(5) === 0 ? 1 + draw(2) : 0);
  const parts: Part[] = [];
  const said: Array<ModelPart | undefined> = [];
  const say = (part: Part, model?: ModelPart) => {
    parts.push(part);
    said.push(model);
  };
  for (let i = 0; i < count; i++) {
    if (keep?.includes(i)) say({ kind: 'filtered', rule: 'stands' });
    else sayPart(model, seq, draw, nowMs, touched, say);
  }
  // Of what stands something may have been absorbed meanwhile.
  const now = said.map((part, i) => part ?? (message?.parts?.[i] as ModelPart));
  if (message) message.parts = now;
  return { parts, said: now };
}

function sayPart(
  model: StoreModel,
  seq: number,
  draw: Draw,
  nowMs: number,
  touched: Set<string>,
  say: (part: Part, model: ModelPart) => void,
): void {
  const report = `R${draw(REPORTS)}`;
  const absorbs = [...model.messages.values()].flatMap((m) =>
    (m.parts ?? []).flatMap((p, at) => (p.kind === 'waiting' && p.report === report ? [`${m.seq}:${at}`] : [])),
  );
  const absorb = () => {
    for (const key of absorbs) model.absorb(...(key.split(':').map(Number) as [number, number]));
  };
  const what = draw(20);
  if (what < 14) {
    const entries = entriesOf(model, seq, report, draw);
    absorb();
    for (const { entry } of entries) touched.add(entry.reportKey);
    say(
      { kind: 'record', entries: entries.map((e) => e.entry), absorbs },
      { kind: 'record', jseqs: entries.map((e) => e.jseq) },
    );
  } else if (what === 14) {
    absorb();
    const by = model.journal.findLast((e) => e.report === report)?.seq;
    say({ kind: 'absorbed', reason: 'duplicate', by, absorbs }, { kind: 'absorbed' });
  } else if (what < 18) {
    const due = draw(3) ? { dueMs: nowMs + draw(300_000) } : {};
    const patient = draw(2) ? { awaits: lanes[draw(lanes.length)] as string } : {};
    say(
      { kind: 'waiting', code: 'MAP-3014', reportKey: report, ...due, ...patient },
      { kind: 'waiting', report, ...due, ...patient },
    );
  } else if (what === 18) say({ kind: 'filtered', rule: 'type' }, { kind: 'filtered' });
  else say({ kind: 'quarantined', code: 'MAP-3005', where: 'PV1-2' }, { kind: 'quarantined' });
}
