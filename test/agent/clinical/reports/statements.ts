import type { ClinicalRecord, LabItem } from '../../../../agent/clinical/records/types.ts';
import type { CorrectionMode, LifeCycleRules, ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { play } from './play.ts';
import { lab } from './records.ts';

/** The life cycle of a plain list of results. */

interface Words {
  items?: string[];
  action?: ReportStatement['reportAction'];
  itemActions?: ReportStatement['itemActions'];
  reported?: string | undefined;
  sent?: string | undefined;
  patient?: string;
  remarks?: string[];
}

/** A final report of potassium and sodium at ten, unless other words say otherwise. */
export const says = (words: Words = {}): ReportStatement => {
  const reported = 'reported' in words ? words.reported : '20240520100000';
  const remarks = words.remarks ?? [];
  return {
    reportKey: 'lis|R1',
    patientKey: words.patient ?? 'P1',
    report: lab(words.items ?? ['K 4.2', 'Na 140'], { remarks, ...(reported && { reportedAt: reported }) }),
    reportAction: words.action ?? 'publish',
    itemActions: words.itemActions ?? {},
    ...(reported && { reportTime: reported }),
    messageTime: 'sent' in words ? words.sent : '20240520100100',
    findings: [],
  } as ReportStatement;
};

export const later = { reported: '20240520110000', sent: '20240520110100' };
export const earlier = { reported: '20240520090000', sent: '20240520090100' };

export const rules = (corrections: CorrectionMode): LifeCycleRules => ({
  corrections,
  setIdOf: (key: string) => `set-${key}`,
  quietMs: 0,
  nowMs: 0,
});

export const itemsOf = (record: ClinicalRecord | undefined): LabItem[] =>
  record?.kind === 'lab-report' ? record.items : [];

/** Plays statements one after the other and keeps what was decided. */
export function story(corrections: CorrectionMode, ...statements: ReportStatement[]) {
  const { state, decisions } = play(statements.map((statement) => ({ statement, rules: rules(corrections) })));
  const last = decisions.at(-1)!;
  return {
    state,
    last,
    all: decisions.map((d) => (d.do === 'absorb' ? `absorb ${d.reason}` : d.do === 'hold' ? `hold ${d.code}` : d.do)),
    items: last.do === 'publish' ? itemsOf(last.report).map((i) => `${i.key} ${i.value}`) : undefined,
  };
}
