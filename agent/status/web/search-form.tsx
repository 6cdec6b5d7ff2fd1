import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { explain, text } from './language.ts';
import { State } from './parts.tsx';

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
  /** Asks the same again: what was found moves on too. */
  again(): void;
  end(): void;
}

export function createSearch<Row>(ask: (by: string, term: string) => Promise<Row[]>): Search<Row> {
  const found: Signal<Row[] | undefined> = signal(undefined);
  const state: Signal<'idle' | 'busy' | { failed: string | undefined }> = signal('idle');
  let asked: { by: string; term: string } | undefined;
  let latest = 0;
  const run = async (): Promise<void> => {
    if (!asked) return;
    latest += 1;
    const mine = latest;
    try {
      const rows = await ask(asked.by, asked.term);
      if (mine !== latest) return;
      found.value = rows;
      state.value = 'idle';
    } catch (error) {
      if (mine === latest) state.value = { failed: error instanceof Refused ? error.code : undefined };
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
    again: () => void run(),
    end() {
      latest += 1;
      asked = undefined;
      found.value = undefined;
      state.value = 'idle';
    },
  };
}

interface SearchFormProps<Row> {
  search: Search<Row>;
  label: string;
  /** What can be looked for: value and label. */
  kinds: ReadonlyArray<readonly [value: string, label: string]>;
  hint: string;
  /** When this changes, so may what was found. */
  follows: ReadonlySignal<unknown>;
}

export function SearchForm<Row>({ search, label, kinds, hint, follows }: SearchFormProps<Row>) {
  const words = text.value;
  const kind = useRef<HTMLSelectElement>(null);
  const term = useRef<HTMLInputElement>(null);
  useEffect(() => follows.subscribe(search.again), [follows, search]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = term.current?.value.trim() ?? '';
    if (wanted !== '') search.start(kind.current?.value ?? kinds[0]?.[0] ?? '', wanted);
  };
  const clear = (): void => {
    if (term.current) term.current.value = '';
    search.end();
  };
  const state = search.state.value;
  const failed = typeof state === 'object' ? state : undefined;
  return (
    <form class="search" aria-label={label} autocomplete="off" onSubmit={submit}>
      <select ref={kind} aria-label={words.searchBy}>
        {kinds.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <input
        ref={term}
        type="text"
        maxLength={256}
        autocomplete="off"
        spellcheck={false}
        aria-label={hint}
        placeholder={hint}
      />
      <button type="submit" class="plain-button">
        {words.search}
      </button>
      {search.found.value === undefined ? null : (
        <button type="button" class="plain-button" onClick={clear}>
          {words.endSearch}
        </button>
      )}
      <span role="status">
        {state === 'busy' ? words.searching : null}
        {failed === undefined ? null : (
          <State level="attention">
            {failed.failed === undefined ? words.searchFailed : explain(failed.failed).title}
          </State>
        )}
      </span>
    </form>
  );
}
