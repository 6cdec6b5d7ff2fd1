import { decide } from '../../../../agent/clinical/reports/life-cycle.ts';
import type {
  LifeCycleRules,
  ReportDecision,
  ReportState,
  ReportStatement,
} from '../../../../agent/clinical/reports/types.ts';

export interface Turn {
  statement: ReportStatement;
  /** Of the message that says it: its place among the turns, from 1, unless it is one of before. */
  seq?: number;
  rules: LifeCycleRules;
}

/** Decides on statements one after the other. Throws when a decision changed the state it was given. */
export function play(turns: Turn[]): { state: ReportState | undefined; decisions: ReportDecision[] } {
  let state: ReportState | undefined;
  const decisions: ReportDecision[] = [];
  for (const [i, { statement, seq = i + 1, rules }] of turns.entries()) {
    const frozen = JSON.stringify(state);
    const decision = decide(state, statement, { seq, part: 0 }, rules);
    if (JSON.stringify(state) !== frozen) throw new Error('decide changed the state it was given');
    decisions.push(decision);
    if (decision.do !== 'hold') state = decision.next;
  }
  return { state, decisions };
}
