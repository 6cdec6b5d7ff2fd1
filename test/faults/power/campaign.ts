import { anyLuck, type Cut, choose, cutAt, type Moment, moments, type Run, record, tryCuts } from './cuts.ts';
import type { Tree } from './disk-model.ts';
import type { Promised } from './oracle.ts';

export interface Wanted {
  /** Cuts of the first recording, by what the store was doing. */
  cuts: Partial<Record<Moment, number>>;
  /** So many cuts are opened under the recorder, and each of these recordings is cut again. */
  recoveries: number;
  cutsInRecovery: Partial<Record<Moment, number>>;
}

export interface Outcome {
  cuts: Cut[];
  /** What was wrong already while the recorded processes ran. */
  wrong: string[];
  recorded: { operations: number; syncs: number; acked: number };
}

/** Cuts a recording and opens what is left; then records openings after cuts, and cuts those. */
export async function campaign(recorder: string, run: Run, wanted: Wanted, random: () => number): Promise<Outcome> {
  const first = await tryCuts(run, choose(run, wanted.cuts, random), random);
  const outcome: Outcome = { ...first, recorded: figuresOf(run) };
  const again: Array<{ tree: Tree; promised: Promised }> = [];
  const third = Math.floor(wanted.recoveries / 3);
  const points = choose(run, { load: wanted.recoveries - 2 * third, checkpoint: third, close: third }, random);
  await cutAt(run, points, random, anyLuck, ({ tree, promised }) => {
    again.push({ tree, promised: structuredClone(promised) });
  });
  for (const { tree, promised } of again) {
    const recovery = record(
      recorder,
      { sessions: [{ count: 15, end: 'crash' }] },
      { base: tree, before: promised, subject: run.subject },
    );
    const second = await tryCuts(recovery, choose(recovery, wanted.cutsInRecovery, random), random);
    outcome.cuts.push(...second.cuts);
    outcome.wrong.push(...second.wrong);
  }
  return outcome;
}

function figuresOf(run: Run): Outcome['recorded'] {
  return {
    operations: run.ops.length,
    syncs: run.ops.filter((o) => o.op === 'sync-ends').length,
    acked: run.ops.filter((o) => o.op === 'mark' && ('acked' in o.mark || 'stored' in o.mark)).length,
  };
}

/** A line for each moment: how many cuts, and what came of them. */
export function tableOf(...all: Outcome[]): string[] {
  const sum = (of: keyof Outcome['recorded']) => all.reduce((n, o) => n + o.recorded[of], 0);
  const done = all.flatMap((o) => o.cuts);
  const rows = moments.flatMap((moment) => {
    const cuts = done.filter((c) => c.moment === moment);
    if (cuts.length === 0) return [];
    const count = (of: (c: Cut) => boolean) => String(cuts.filter(of).length).padStart(9);
    const figures = [() => true, (c: Cut) => c.found.lost > 0, (c: Cut) => c.found.refused !== undefined];
    const others = [(c: Cut) => c.found.named.length > 0, (c: Cut) => c.found.wrong.length > 0];
    return [`  ${moment.padEnd(12)}${[...figures, ...others].map(count).join('')}`];
  });
  return [
    `${done.length} power cuts in ${all.length} recording(s) of ${sum('operations')} operations, ${sum('syncs')} syncs and ` +
      `${sum('acked')} acknowledgements, and in openings after a cut`,
    `  ${'moment'.padEnd(12)}${['cuts', 'lost', 'refused', 'named', 'wrong'].map((h) => h.padStart(9)).join('')}`,
    ...rows,
  ];
}

/** The cuts that broke a promise, short enough to read. */
export const broken = (outcome: Outcome): string[] => [
  ...outcome.wrong,
  ...outcome.cuts
    .filter(
      ({ found }) => found.refused !== undefined || found.lost > 0 || found.wrong.length > 0 || found.named.length > 0,
    )
    .map(({ moment, at, acked, luck, found }) =>
      JSON.stringify({ moment, at, acked, luck, ...found, wrong: found.wrong.slice(0, 5) }),
    )
    .slice(0, 20),
];
