import type { SourceStatus } from '../intake/source.ts';
import { type Text, texts } from './text.ts';
import { whole } from './web/format.ts';

/** Reasons for which files of a folder are passed over; what may be a lost report comes first. */
const words = {
  'not-hl7': 'passedOverNotHl7',
  'not-dicom': 'passedOverNotDicom',
  empty: 'passedOverEmpty',
  'not-included': 'passedOverNotIncluded',
  acknowledgements: 'passedOverAcknowledgements',
  'media-directory': 'passedOverMediaDirectory',
  unfinished: 'passedOverTemporary',
  hidden: 'passedOverHidden',
} as const;

/** They belong beside the messages. */
const expected = new Set(['marker', 'answer']);

/** What lies in a source's folder and was not read, in one line of words and counts; undefined where there is nothing. */
export function passedOverLine(text: Text, { folder }: SourceStatus): string | undefined {
  const left = { ...folder?.ignored };
  const reasons: string[] = [];
  for (const [reason, word] of Object.entries(words)) {
    const count = left[reason] ?? 0;
    if (count > 0) reasons.push(text[word](whole(count)));
    delete left[reason];
  }
  const others = Object.entries(left).reduce((sum, [reason, n = 0]) => sum + (expected.has(reason) ? 0 : n), 0);
  if (others > 0) reasons.push(text.passedOverOther(whole(others)));
  return reasons.length === 0 ? undefined : text.passedOver(reasons.join(text === texts.zh ? '，' : ', '));
}
