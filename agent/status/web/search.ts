import { type ReadonlySignal, type Signal, signal } from '@preact/signals';

/** An answer that refuses, with its code where it has one. */
export class Refused extends Error {
  readonly code: string | undefined;
  constructor(code: string | undefined) {
    super(code ?? 'refused');
    this.code = code;
  }
}

/** A search for rows: what was found, and how far it is. What is typed goes to the agent and stays nowhere. */
export interface Search<Row> {
  /** Undefined while the newest are shown. */
  found: ReadonlySignal<Row[] | undefined>;
  /** `idle`: what is shown is the answer. */
  state: ReadonlySignal<'idle' | 'busy' | { failed: string | undefined }>;
  start(by: string, term: string): void;
  /** Asks the same again, unless the answer is still under way: what was found moves on too. */
  again(): void;
  end(): void;
}

export function createSearch<Row>(ask: (by: string, term: string) => Promise<Row[]>): Search<Row> {
  const found: Signal<Row[] | undefined> = signal(undefined);
  const state: Signal<'idle' | 'busy' | { failed: string | undefined }> = signal('idle');
  let asked: { by: string; term: string } | undefined;
  let latest = 0;
  let underWay = false;
  const run = async (): Promise<void> => {
    if (!asked) return;
    latest += 1;
    const mine = latest;
    underWay = true;
    try {
      const rows = await ask(asked.by, asked.term);
      if (mine !== latest) return;
      found.value = rows;
      state.value = 'idle';
    } catch (error) {
      if (mine === latest) state.value = { failed: error instanceof Refused ? error.code : undefined };
    } finally {
      if (mine === latest) underWay = false;
    }
  };
  return {
    found,
    state,
    start(by, term) {
      asked = { by, term };
      state.value = 'busy';
      // Rows say nothing of whom they are of: none of the search before may stand under this one, also when it fails.
      found.value = [];
      void run();
    },
    again() {
      // The list moves all the time: a slower search asked anew at each move would never be answered.
      if (!underWay) void run();
    },
    end() {
      latest += 1;
      asked = undefined;
      found.value = undefined;
      state.value = 'idle';
    },
  };
}
