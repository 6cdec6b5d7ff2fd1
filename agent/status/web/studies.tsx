import type { Level, ShownStudy } from '../model.ts';
import type { Text } from '../text.ts';
import { whole } from './format.ts';
import { text } from './language.ts';
import { studies } from './live.ts';
import { AgeAndTime, Empty, State } from './parts.tsx';

type AtPlatform = ShownStudy['states'][number];

function word(words: Text, { state, count }: AtPlatform): [Level | undefined, string] {
  const n = whole(count);
  switch (state) {
    case 'waiting':
      return [undefined, words.imagesWaiting(n)];
    case 'delivered':
      return ['ok', words.imagesDelivered(n)];
    case 'held':
      return ['attention', words.imagesHeld(n)];
    case 'conflict':
      return ['attention', words.imagesConflict(n)];
    case 'withdrawn':
      return [undefined, words.imagesWithdrawn(n)];
    case 'kept':
      return [undefined, words.imagesKept];
  }
}

function Row({ row }: { row: ShownStudy }) {
  const words = text.value;
  const marks = [row.urgent ? words.studyUrgent : '', row.withdrawn ? words.studyWithdrawn : ''].filter(
    (m) => m !== '',
  );
  return (
    <tr>
      <th scope="row" class="right number">
        {row.study}
      </th>
      <td data-label={words.source}>{row.source}</td>
      <td class="right number" data-label={words.images}>
        {words.imageCount(whole(row.instances))}
      </td>
      <td class="wide" data-label={words.lastImage}>
        <AgeAndTime at={row.lastMs} />
      </td>
      <td data-label={words.studyState}>
        {row.issue === 0 || row.issued < row.instances ? words.studyOpen : words.studyIssued(row.issue)}
        {marks.length === 0 ? null : ` · ${marks.join(' · ')}`}
      </td>
      <td class="wide" data-label={words.stateAtPlatform}>
        {row.states.map((at) => {
          const [level, said] = word(words, at);
          return (
            <div class="at-platform" key={`${at.platform} ${at.state}`}>
              {level === undefined ? <span>{said}</span> : <State level={level}>{said}</State>}
              {at.platform === '' ? null : <span class="muted">{at.platform}</span>}
            </div>
          );
        })}
      </td>
    </tr>
  );
}

/** The last studies of images and how far they have come. */
export function Studies() {
  const words = text.value;
  const rows = studies.value;
  return (
    <section class="card messages" aria-labelledby="studies-title">
      <h2 id="studies-title">
        {words.studies} <small class="muted">{words.studiesNote}</small>
      </h2>
      {rows !== undefined && rows.length === 0 ? <Empty what={words.noStudies} why={words.noStudiesWhy} /> : null}
      {rows === undefined || rows.length === 0 ? null : (
        <table aria-labelledby="studies-title">
          <thead>
            <tr>
              <th scope="col" class="right">
                {words.seq}
              </th>
              <th scope="col">{words.source}</th>
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
              <Row key={row.study} row={row} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
