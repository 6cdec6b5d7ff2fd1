import type { Unmatched } from '../control/study-desk.ts';
import type { ShownStudy, StudyWithReports } from '../status/model.ts';
import { countWord, progressWords, stateWord } from '../status/study-words.ts';
import { type Text, texts } from '../status/text.ts';
import { instant, size, whole } from '../status/web/format.ts';
import type { InstanceRow } from '../store/image-contract.ts';
import type { Language } from '../support/text.ts';

/** The catalogue in the reader's language, and the site's clock. */
export interface StudyWords {
  lang: Language;
  text: Text;
  at(ms: number): string;
}

export const wordsOf = (lang: Language, timeZone: string): StudyWords => ({
  lang,
  text: texts[lang],
  at(ms) {
    const { date, time } = instant(ms, timeZone);
    return `${date} ${time}`;
  },
});

const comma = ({ lang }: StudyWords): string => (lang === 'zh' ? '，' : ', ');
const platformOf = ({ text }: StudyWords, name: string): string => name || text.noPlatform;

export function describeStudy(row: ShownStudy | StudyWithReports, words: StudyWords): string {
  const { text, at } = words;
  const platforms = [...new Set(row.states.map((s) => s.platform))];
  const counted = (platform: string) => row.counted.find((c) => c.platform === platform);
  return [
    [
      text.studyNumber(row.study),
      row.source,
      row.modalities.join(' '),
      text.imageCount(whole(row.instances)),
      ...progressWords(text, row),
    ]
      .filter((part) => part !== '')
      .join(' · '),
    `  ${text.firstImage} ${at(row.firstMs)}  ${text.lastImage} ${at(row.lastMs)}`,
    ...platforms.map((platform) => {
      const said = row.states
        .filter((s) => s.platform === platform)
        .map(({ state, count }) => countWord(text, state, count));
      const there = counted(platform);
      if (there) said.push(text.imagesCounted(whole(there.counted)));
      return `  ${platformOf(words, platform)}: ${said.join(comma(words))}`;
    }),
    ...('reports' in row && row.reports.length > 0
      ? [
          `  ${text.reportsOf(row.reports.map((r) => (r.state === 'linked' ? `${r.seq}` : text.contradictsReport(r.seq))).join(comma(words)))}`,
        ]
      : []),
  ].join('\n');
}

/** `last`: the study after which there may be more. */
export function describeStudies(rows: ShownStudy[], words: StudyWords, last: number | undefined): string {
  if (rows.length === 0) return words.text.noStudyFound;
  const more = last === undefined ? [] : [words.text.moreRows(`--before ${last}`)];
  return [...rows.map((row) => describeStudy(row, words)), ...more].join('\n');
}

export function describeImages(
  study: number,
  rows: InstanceRow[],
  words: StudyWords,
  last: number | undefined,
): string {
  const { text, at } = words;
  if (rows.length === 0) return text.noMoreImages;
  const lines = rows.map((row) => {
    const states = row.states.map(
      ({ platform, state, code, attempts }) =>
        `${platformOf(words, platform)} ${stateWord(text, state)}${code === undefined ? '' : ` ${code}`}${attempts > 1 ? ` ×${attempts}` : ''}`,
    );
    return [
      `  ${text.imageNumber(row.n)}`,
      ...(row.number === undefined ? [] : [`#${row.number}`]),
      at(row.receivedMs),
      size(row.bytes),
      states.join(comma(words)),
      ...(row.code === undefined ? [] : [row.code]),
      ...(row.conflictWith === undefined ? [] : [text.conflictWith(row.conflictWith)]),
      ...(row.fileKept ? [] : [text.fileGone]),
    ].join('  ');
  });
  return [...lines, ...(last === undefined ? [] : [text.moreRows(`study show ${study} --after ${last}`)])].join('\n');
}

/** What has not found its counterpart, and what may be it. */
export function describeUnmatched({ studies, reports, contradictions }: Unmatched, words: StudyWords): string {
  const { text, at } = words;
  const perhaps = (numbers: number[]): string =>
    numbers.length === 0 ? '' : `  ${text.perhaps(numbers.join(comma(words)))}`;
  const line = (what: string, row: { sinceMs: number; overdue: boolean }, numbers: number[]): string =>
    `  ${what}  ${text.since(at(row.sinceMs))}${row.overdue ? `  ${text.overdue}` : ''}${perhaps(numbers)}`;
  return [
    text.studiesAlone(studies.length),
    ...studies.map((row) =>
      line(
        text.studyNumber(row.study),
        row,
        row.suggestions.map((s) => s.seq),
      ),
    ),
    text.reportsAlone(reports.length),
    ...reports.map((row) =>
      line(
        text.messageNumber(row.seq),
        row,
        row.suggestions.map((s) => s.study),
      ),
    ),
    text.pairsThatContradict(contradictions.length),
    ...contradictions.map((pair) => `  ${text.studyNumber(pair.study)}  ${text.messageNumber(pair.seq)}`),
  ].join('\n');
}
