import { useState } from 'preact/hooks';
import type { Level, ShownStudy } from '../model.ts';
import { countWord, progressWords } from '../study-words.ts';
import { whole } from './format.ts';
import { text } from './language.ts';
import { studies } from './live.ts';
import { AgeAndTime, Empty, State } from './parts.tsx';
import { createSearch } from './search.ts';
import { SearchForm } from './search-form.tsx';
import { findStudies } from './study-api.ts';
import { StudyDetail } from './study-detail.tsx';

const columns = 7;

const search = createSearch(findStudies);

const levels: Partial<Record<ShownStudy['states'][number]['state'], Level>> = {
  delivered: 'ok',
  held: 'attention',
  conflict: 'attention',
};

function Row({ row, open, toggle }: { row: ShownStudy; open: boolean; toggle(): void }) {
  const words = text.value;
  return (
    <>
      <tr>
        <th scope="row" class="right number">
          <button type="button" class="row-button" aria-expanded={open} onClick={toggle}>
            <svg class="chevron" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
              <path d="M5 3l5 5-5 5" />
            </svg>
            {row.study}
          </button>
        </th>
        <td data-label={words.source}>{row.source}</td>
        <td>{row.modalities.join(' ')}</td>
        <td class="right number" data-label={words.images}>
          {words.imageCount(whole(row.instances))}
        </td>
        <td class="wide" data-label={words.lastImage}>
          <AgeAndTime at={row.lastMs} />
        </td>
        <td class="wide" data-label={words.studyState}>
          {progressWords(words, row).join(' · ')}
        </td>
        <td class="wide" data-label={words.stateAtPlatform}>
          <div>
            {row.states.map(({ platform, state, count }) => {
              const level = levels[state];
              const said = countWord(words, state, count);
              return (
                <div class="at-platform" key={`${platform} ${state}`}>
                  {level === undefined ? <span>{said}</span> : <State level={level}>{said}</State>}
                  {platform === '' ? null : <span class="muted">{platform}</span>}
                </div>
              );
            })}
          </div>
        </td>
      </tr>
      {open ? (
        <tr class="detail">
          <td colSpan={columns}>
            <StudyDetail row={row} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** The last studies of images and how far they have come, or those that were looked for. */
export function Studies() {
  const words = text.value;
  const [opened, setOpened] = useState<number>();
  const found = search.found.value;
  const rows = found ?? studies.value;
  // Nothing is said of what was found before there is an answer.
  const unanswered = found?.length === 0 && search.state.value !== 'idle';
  const answer = unanswered ? '' : words.foundStudies(found?.length ?? 0);
  const note = found === undefined ? words.studiesNote : answer;
  return (
    <section class="card messages" aria-labelledby="studies-title">
      <h2 id="studies-title">
        {words.studies} <small class="muted">{note}</small>
      </h2>
      {studies.value === undefined || studies.value.length === 0 ? null : (
        <SearchForm
          search={search}
          label={words.searchStudies}
          kinds={[
            ['accession', words.byAccession],
            ['uid', words.byUid],
            ['patient', words.byPatient],
          ]}
          hint={words.searchTerm}
          follows={studies}
        />
      )}
      {rows !== undefined && rows.length === 0 && !unanswered ? (
        <Empty
          what={found === undefined ? words.noStudies : words.noStudyFound}
          why={found === undefined ? words.noStudiesWhy : undefined}
        />
      ) : null}
      {rows === undefined || rows.length === 0 ? null : (
        <table aria-labelledby="studies-title">
          <thead>
            <tr>
              <th scope="col" class="right">
                {words.seq}
              </th>
              <th scope="col">{words.source}</th>
              <th scope="col">{words.modality}</th>
              <th scope="col" class="right">
                {words.images}
              </th>
              {[words.lastImage, words.studyState, words.stateAtPlatform].map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row
                key={row.study}
                row={row}
                open={opened === row.study}
                toggle={() => setOpened(opened === row.study ? undefined : row.study)}
              />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
