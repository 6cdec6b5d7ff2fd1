import type { ClinicalRecord } from '../../../../agent/clinical/records/types.ts';
import type { LifeCycleRules, ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { play, type Turn } from './play.ts';
import { grown } from './records.ts';

/** The life cycle of what is not a plain list of results: sections, organisms, records told whole, tests one by one. */

export interface Step extends Partial<Omit<ReportStatement, 'report'>> {
  /** Milliseconds at which it is received. */
  at?: number;
  /** A message that waited is read again instead of a new one. */
  again?: number;
}

export const minute = 60_000;
/** Tests of a report come one by one. */
export const oneByOne = { quietMs: 10 * minute };

/** Plays records, each an hour later than the one before it, unless it says its own report time. */
export function story(how: Partial<LifeCycleRules>, ...steps: Array<[ClinicalRecord, Step?]>) {
  const { state, decisions } = play(
    steps.map(([report, { at, again, ...more } = {}], i): Turn => {
      const statement: ReportStatement = {
        reportKey: 'lis|R1',
        patientKey: 'P1',
        report,
        reportAction: 'publish',
        itemActions: {},
        reportTime: `202405201${i}0000`,
        findings: [],
        ...more,
      };
      const rules = { corrections: 'unknown' as const, setIdOf: () => 'set', quietMs: 0, nowMs: at ?? i, ...how };
      return { statement, rules, ...(again !== undefined && { seq: again }) };
    }),
  );
  const last = decisions.at(-1)!;
  const record = last.do === 'publish' ? last.report : undefined;
  return {
    state,
    last,
    all: decisions.map((d) =>
      d.do === 'absorb' ? `absorb ${d.reason}` : d.do === 'hold' || d.do === 'wait' ? `${d.do} ${d.code}` : d.do,
    ),
    sections: record?.kind === 'exam-report' ? record.sections.map(({ key, text }) => `${key} ${text}`) : undefined,
    items: record?.kind === 'lab-report' ? record.items.map(({ key, value }) => `${key} ${value}`) : undefined,
    grew: record?.kind === 'lab-report' ? record.organisms?.map(({ key }) => key) : undefined,
    tested: record?.kind === 'lab-report' ? record.organisms?.map(grown) : undefined,
  };
}
