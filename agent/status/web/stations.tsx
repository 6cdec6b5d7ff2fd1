import type { StatusModel } from '../model.ts';
import type { Text } from '../text.ts';
import { duration, rate, size, whole } from './format.ts';
import { text } from './language.ts';
import { nowMs } from './live.ts';
import { Ago, levelWord, Moment, State } from './parts.tsx';

type Station = StatusModel['stations'][number];

const nameOf = (words: Text, id: Station['id']): string =>
  ({
    hospital: words.stationHospital,
    intake: words.stationIntake,
    queue: words.stationQueue,
    platform: words.stationPlatform,
  })[id];

function countOf(words: Text, { id, count }: Station): string {
  const n = whole(count);
  if (id === 'hospital') return words.stationHospitalCount(n);
  if (id === 'intake') return words.stationIntakeCount(n);
  return id === 'queue' ? words.stationQueueCount(n) : words.stationPlatformCount(n);
}

/** What flows out of a station: rate and last success. Cut when the next station has failed. */
function Edge({ from, cut }: { from: Station; cut: boolean }) {
  const words = text.value;
  return (
    <div class={cut ? 'edge is-cut' : 'edge'}>
      <span class="number">
        {from.perMinute === undefined ? words.rateUnknown : words.perMinute(rate(from.perMinute))}
      </span>
      <svg viewBox="0 0 96 12" preserveAspectRatio="xMaxYMid slice" aria-hidden="true" focusable="false">
        <path d="M-400 6H94M88 1.5 94 6l-6 4.5" />
        {cut ? <path class="cross" d="M44 1l8 10M52 1l-8 10" /> : null}
      </svg>
      <span class="number">
        {from.lastMs === undefined ? null : <LastAt at={from.lastMs} />}
        {from.lastMs === undefined ? (from.id === 'intake' ? '\u00a0' : words.lastNever) : null}
      </span>
    </div>
  );
}

function LastAt({ at }: { at: number }) {
  const [before = '', after = ''] = text.value.lastAt('\u0000').split('\u0000');
  return (
    <>
      {before}
      <Ago at={at} />
      {after}
    </>
  );
}

export function Stations({ model }: { model: StatusModel }) {
  const words = text.value;
  return (
    <ol class="stations" aria-label={words.stationsLabel}>
      {model.stations.map((station, at) => {
        const next = model.stations[at + 1];
        return (
          <li key={station.id}>
            <div class={`station is-${station.level}`}>
              <h2>{nameOf(words, station.id)}</h2>
              <State level={station.level}>{levelWord(words, station.level)}</State>
              <span class="number muted">
                {countOf(words, station)}
                {station.images === undefined ? null : ` · ${words.factImages(whole(station.images))}`}
              </span>
            </div>
            {next === undefined ? null : <Edge from={station} cut={next.level === 'fault'} />}
          </li>
        );
      })}
    </ol>
  );
}

function diskLasts(words: Text, days: number | undefined): string {
  if (days === undefined) return words.diskUnknown;
  return days > 366 ? words.daysMany : words.days(whole(Math.floor(days)));
}

/** Images beside messages and documents, never among them. */
function ImageFact({
  n,
  studies = 0,
  attention = false,
}: {
  n: number | undefined;
  studies?: number | undefined;
  attention?: boolean;
}) {
  const words = text.value;
  if (n === undefined) return null;
  const said = words.factImages(whole(n)) + (studies > 0 ? ` · ${words.factStudies(whole(studies))}` : '');
  return <dd class="small">{attention && n + studies > 0 ? <State level="attention">{said}</State> : said}</dd>;
}

export function Facts({ model }: { model: StatusModel }) {
  const words = text.value;
  const { facts } = model;
  return (
    <dl class="facts" aria-label={words.factsLabel}>
      <div>
        <dt>{words.factOldest}</dt>
        <dd>{facts.oldestMs === undefined ? words.nothingWaiting : duration(words, nowMs.value - facts.oldestMs)}</dd>
        {facts.oldestMs === undefined ? null : (
          <dd class="small">
            <Moment at={facts.oldestMs} />
          </dd>
        )}
      </div>
      <div>
        <dt>{words.factWaiting}</dt>
        <dd>{whole(facts.waiting)}</dd>
        <ImageFact n={facts.images?.waiting} />
      </div>
      <div>
        <dt>{words.factReceived}</dt>
        <dd>
          {whole(facts.receivedToday)} <small>{words.unitMessages}</small>
        </dd>
        <ImageFact n={facts.images?.receivedToday} />
      </div>
      <div>
        <dt>{words.factDelivered}</dt>
        <dd>
          {whole(facts.deliveredToday)} <small>{words.unitDocuments}</small>
        </dd>
        <ImageFact n={facts.images?.deliveredToday} />
      </div>
      <div>
        <dt>{words.factHeld}</dt>
        <dd>{facts.heldForPerson > 0 ? <State level="attention">{whole(facts.heldForPerson)}</State> : '0'}</dd>
        <ImageFact n={facts.images?.held} studies={facts.images?.studies} attention />
      </div>
      <div>
        <dt>{words.factDisk}</dt>
        <dd>{diskLasts(words, facts.diskDaysLeft)}</dd>
        <dd class="small">{words.free(size(facts.freeBytes))}</dd>
      </div>
    </dl>
  );
}
