import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { StudySearch } from '../../store/image-contract.ts';
import type { ShownStudy } from '../model.ts';
import { explain, text } from './language.ts';
import { studies } from './live.ts';
import { State } from './parts.tsx';
import { findStudies, Refused } from './study-api.ts';

/** What was looked for and found; undefined while the newest are shown. */
export const found = signal<ShownStudy[] | undefined>(undefined);
/** `idle`: what is shown is the answer. */
export const state = signal<'idle' | 'busy' | { failed: string | undefined }>('idle');

let asked: { by: StudySearch; term: string } | undefined;
let latest = 0;

async function run(): Promise<void> {
  if (!asked) return;
  latest += 1;
  const mine = latest;
  try {
    const rows = await findStudies(asked.by, asked.term);
    if (mine !== latest) return;
    found.value = rows;
    state.value = 'idle';
  } catch (error) {
    if (mine === latest) state.value = { failed: error instanceof Refused ? error.code : undefined };
  }
}

function end(): void {
  latest += 1;
  asked = undefined;
  found.value = undefined;
  state.value = 'idle';
}

/** Finds studies by a number that stands in their headers. What is typed goes to the agent and stays nowhere. */
export function StudySearchForm() {
  const words = text.value;
  const kind = useRef<HTMLSelectElement>(null);
  const term = useRef<HTMLInputElement>(null);
  // What was found moves on too: it is asked again when the list of the newest is.
  useEffect(() => studies.subscribe(() => void run()), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = term.current?.value.trim() ?? '';
    if (wanted === '') return;
    asked = { by: (kind.current?.value ?? 'accession') as StudySearch, term: wanted };
    state.value = 'busy';
    // Rows say nothing of whom they are of: none of the search before may stand under this one, also when it fails.
    found.value = [];
    void run();
  };
  const clear = (): void => {
    if (term.current) term.current.value = '';
    end();
  };
  const failed = typeof state.value === 'object' ? state.value : undefined;
  return (
    <form class="search" aria-label={words.searchStudies} autocomplete="off" onSubmit={submit}>
      <select ref={kind} aria-label={words.searchBy}>
        <option value="accession">{words.byAccession}</option>
        <option value="uid">{words.byUid}</option>
        <option value="patient">{words.byPatient}</option>
      </select>
      <input
        ref={term}
        type="text"
        maxLength={256}
        autocomplete="off"
        spellcheck={false}
        aria-label={words.searchTerm}
        placeholder={words.searchTerm}
      />
      <button type="submit" class="plain-button">
        {words.search}
      </button>
      {found.value === undefined ? null : (
        <button type="button" class="plain-button" onClick={clear}>
          {words.endSearch}
        </button>
      )}
      <span role="status">
        {state.value === 'busy' ? words.searching : null}
        {failed === undefined ? null : (
          <State level="attention">
            {failed.failed === undefined ? words.searchFailed : explain(failed.failed).title}
          </State>
        )}
      </span>
    </form>
  );
}
