import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { explain, text } from './language.ts';
import { State } from './parts.tsx';
import type { Search } from './search.ts';

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
