import type { Pki } from '../platform/pki.ts';
import type { LoadJob, LoadResult } from './load.ts';
import type { Programs } from './programs.ts';

/** What one run of the benchmark hands to each of its measurements. */
export interface BenchRun {
  /** Of this run alone; measurements make their folders below it and remove them. */
  folder: string;
  pki: Pki;
  programs: Programs;
  plan: Plan;
  load(job: LoadJob): Promise<LoadResult>;
  say(text: string): void;
  /** Something that a reader of the table must know. */
  note(text: string): void;
  /** Where CPU profiles of the agent's threads go. */
  profile?: string;
}

/** A group of rows: each round adds a sample to every row, so that the machine's moods fall on all alike. */
export interface Measurement<Result> {
  round(number: number): Promise<void>;
  /** Of all rounds so far. */
  result(): Result;
}

/** How long and how much; times in milliseconds. */
export interface Plan {
  rounds: number;
  /** No round begins that would probably end after it. */
  budgetMs: number;
  warmupMs: number;
  windowMs: number;
  diskMs: number;
  /** Open loop. */
  perSecond: number;
  rateConnections: number;
  rateWarmupMs: number;
  intakeRateMs: number;
  wholePathMs: number;
  /** How long after the load the whole path may need to deliver the rest. */
  settleMs: number;
  idleMs: number;
  drainDocuments: number;
  stagesMs: number;
  /** Queue lengths at which starts and intake commits are measured. */
  sizes: number[];
  growthVisits: number;
  /** The longest that filling the largest store may take. */
  fillMs: number;
}

export const fullPlan: Plan = {
  rounds: 3,
  budgetMs: 14.5 * 60_000,
  warmupMs: 400,
  windowMs: 1200,
  diskMs: 500,
  perSecond: 300,
  rateConnections: 16,
  rateWarmupMs: 3000,
  intakeRateMs: 12_000,
  wholePathMs: 60_000,
  settleMs: 30_000,
  idleMs: 30_000,
  drainDocuments: 2000,
  stagesMs: 3000,
  sizes: [1000, 10_000, 100_000, 1_000_000],
  growthVisits: 4,
  fillMs: 300_000,
};

export const quickPlan: Plan = {
  ...fullPlan,
  rounds: 1,
  budgetMs: 2.3 * 60_000,
  warmupMs: 300,
  windowMs: 700,
  rateWarmupMs: 1500,
  intakeRateMs: 5000,
  wholePathMs: 10_000,
  settleMs: 10_000,
  idleMs: 5000,
  drainDocuments: 500,
  stagesMs: 2000,
  sizes: [1000, 10_000, 100_000],
  growthVisits: 3,
  fillMs: 30_000,
};

/** Every row once, as short as it goes: shows that the benchmark works, its figures mean nothing. */
export const smokePlan: Plan = {
  ...quickPlan,
  warmupMs: 50,
  windowMs: 100,
  diskMs: 50,
  perSecond: 50,
  rateWarmupMs: 300,
  intakeRateMs: 700,
  wholePathMs: 1500,
  idleMs: 500,
  drainDocuments: 60,
  stagesMs: 600,
  sizes: [1000, 2000],
  growthVisits: 1,
};
