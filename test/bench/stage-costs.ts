import type { BenchRun, Measurement } from './bench-run.ts';
import { startChild } from './process.ts';
import type { StageName, StageResult } from './stages.ts';
import { median } from './table.ts';

/** One thread's work without sockets and store, in processes of their own; medians over the rounds. */
export function measureStages(run: BenchRun): Measurement<StageResult> {
  const found = new Map<StageName, number[]>();
  let documentBytes = 0;
  const measure = async (stages: StageName[], flags: string[], ms: number) => {
    const { ready } = await startChild<StageResult>({ script: 'stages.ts', given: [String(ms), stages.join()], flags });
    for (const name of stages) found.set(name, [...(found.get(name) ?? []), ready.costs[name] ?? Number.NaN]);
    documentBytes = ready.documentBytes || documentBytes;
  };
  return {
    async round() {
      run.say('one thread, no store');
      // Ours under the agent's flags, the peer under Node's own.
      await measure(['intake', 'read', 'document'], run.programs.flags, run.plan.stagesMs);
      await measure(['medplumParse'], [], run.plan.stagesMs / 3);
      // One by one: what a peer leaves to the collector is its own. Long enough that a neighbour of this machine's host who
      // takes half of a processor for some hundred milliseconds is not what is measured.
      for (const stage of ['fields', 'nodeHl7Fields', 'medplumFields'] as const)
        await measure([stage], [], run.plan.stagesMs);
    },
    result: () => ({
      costs: Object.fromEntries([...found].map(([name, values]) => [name, median(values)])),
      documentBytes,
    }),
  };
}
