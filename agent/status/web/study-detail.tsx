import { useEffect, useState } from 'preact/hooks';
import type { InstanceRow } from '../../store/image-contract.ts';
import type { Level, ShownStudy, StudyWithReports } from '../model.ts';
import { stateWord } from '../study-words.ts';
import { size, whole } from './format.ts';
import { explain, text } from './language.ts';
import { studies } from './live.ts';
import { Moment, State } from './parts.tsx';
import { Resend } from './resend.tsx';
import { imagePage, imagesOf, studyNumbered } from './study-api.ts';

type AtPlatform = InstanceRow['states'][number];

const levels: Partial<Record<AtPlatform['state'], Level>> = {
  delivered: 'ok',
  held: 'attention',
  conflict: 'attention',
};

function ImageState({ at }: { at: AtPlatform }) {
  const words = text.value;
  const level = levels[at.state];
  const said = stateWord(words, at.state);
  return (
    <div class="at-platform">
      {level === undefined ? <span>{said}</span> : <State level={level}>{said}</State>}
      {at.platform === '' ? null : <span class="muted">{at.platform}</span>}
      {at.code === undefined ? null : (
        <span>
          <code>{at.code}</code> {explain(at.code).title}
        </span>
      )}
    </div>
  );
}

function ImageRow({ row }: { row: InstanceRow }) {
  const words = text.value;
  return (
    <tr>
      <th scope="row" class="right number">
        {row.n}
      </th>
      <td class="right number" data-label="#">
        {row.number ?? '—'}
      </td>
      <td class="number wide" data-label={words.arrived}>
        <Moment at={row.receivedMs} />
      </td>
      <td class="right number" data-label={words.fileSize}>
        {size(row.bytes)}
      </td>
      <td class="wide" data-label={words.stateAtPlatform}>
        <div>
          {row.states.map((at) => (
            <ImageState key={at.platform} at={at} />
          ))}
          {row.conflictWith === undefined ? null : <div class="muted">{words.conflictWith(row.conflictWith)}</div>}
          {row.fileKept ? null : <div class="muted">{words.fileGone}</div>}
        </div>
      </td>
    </tr>
  );
}

/** Images of a study, page after page; what is shown is read again when something moved. */
function useImages(study: number) {
  const [rows, setRows] = useState<InstanceRow[]>();
  const [reports, setReports] = useState<StudyWithReports['reports']>([]);
  const [wanted, setWanted] = useState(imagePage);
  const [failed, setFailed] = useState(false);
  const [more, setMore] = useState(false);
  useEffect(() => {
    let gone = false;
    async function load(): Promise<void> {
      const all: InstanceRow[] = [];
      try {
        for (let full = true; full && all.length < wanted; ) {
          const page = await imagesOf(study, all.at(-1)?.n ?? 0);
          all.push(...page);
          full = page.length === imagePage;
          if (!gone) setMore(full);
        }
        const { reports: linked } = await studyNumbered(study);
        if (gone) return;
        setRows(all);
        setReports(linked);
        setFailed(false);
      } catch {
        if (!gone) setFailed(true);
      }
    }
    const stop = studies.subscribe(() => void load());
    return () => {
      gone = true;
      stop();
    };
  }, [study, wanted]);
  return { rows, reports, failed, more: more ? () => setWanted(wanted + imagePage) : undefined };
}

/** One study: its images one by one, and what a person can do. */
export function StudyDetail({ row }: { row: ShownStudy }) {
  const words = text.value;
  const { rows, reports, failed, more } = useImages(row.study);
  const linked = reports.map(({ seq, state }) => (state === 'linked' ? `${seq}` : words.contradictsReport(seq)));
  return (
    <div class="study-detail">
      <Resend study={row.study} />
      <p class="muted">
        {words.atCommandLine} <code>qianzhi study withdraw|restore|deleted {row.study}</code>
      </p>
      {linked.length === 0 ? null : <p>{words.reportsOf(linked.join(' · '))}</p>}
      {row.counted.map(({ platform, counted }) => (
        <p key={platform} class="muted">
          {platform}: {words.imagesCounted(whole(counted))}
        </p>
      ))}
      {failed ? <State level="unknown">{words.detailFailed}</State> : null}
      {rows === undefined ? null : (
        <table aria-label={words.studyDetails(row.study)}>
          <thead>
            <tr>
              <th scope="col" class="right">
                {words.seq}
              </th>
              <th scope="col" class="right">
                #
              </th>
              <th scope="col">{words.arrived}</th>
              <th scope="col" class="right">
                {words.fileSize}
              </th>
              <th scope="col">{words.stateAtPlatform}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((image) => (
              <ImageRow key={image.n} row={image} />
            ))}
          </tbody>
        </table>
      )}
      {more === undefined ? null : (
        <button type="button" class="plain-button" onClick={more}>
          {words.moreImages}
        </button>
      )}
    </div>
  );
}
