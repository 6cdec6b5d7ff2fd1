import type { InstanceState, NotResent } from '../store/image-contract.ts';
import type { ShownStudy } from './model.ts';
import type { Text } from './text.ts';
import { whole } from './web/format.ts';

/** States of studies and images in words: the same on the page and at the command line. */

const notResent: Record<
  NotResent,
  | 'notResentWaiting'
  | 'notResentWithdrawn'
  | 'notResentFileGone'
  | 'notResentFileDamaged'
  | 'notResentConflict'
  | 'notResentNotForIt'
> = {
  waiting: 'notResentWaiting',
  withdrawn: 'notResentWithdrawn',
  'file-gone': 'notResentFileGone',
  'file-damaged': 'notResentFileDamaged',
  conflict: 'notResentConflict',
  'not-for-it': 'notResentNotForIt',
};
/** Why so many are not sent again. */
export const notResentWord = (text: Text, why: NotResent): string => text[notResent[why]];

/** How many of a study stand so. */
export function countWord(text: Text, state: InstanceState, count: number): string {
  const n = whole(count);
  switch (state) {
    case 'waiting':
      return text.imagesWaiting(n);
    case 'delivered':
      return text.imagesDelivered(n);
    case 'held':
      return text.imagesHeld(n);
    case 'conflict':
      return text.imagesConflict(n);
    case 'withdrawn':
      return text.imagesWithdrawn(n);
    case 'kept':
      return text.imagesKept;
  }
}

const stateWords: Record<
  InstanceState,
  'imageWaiting' | 'imageDelivered' | 'imageHeld' | 'imageConflict' | 'imageWithdrawn' | 'imageKept'
> = {
  waiting: 'imageWaiting',
  delivered: 'imageDelivered',
  held: 'imageHeld',
  conflict: 'imageConflict',
  withdrawn: 'imageWithdrawn',
  kept: 'imageKept',
};
/** How one image stands. */
export const stateWord = (text: Text, state: InstanceState): string => text[stateWords[state]];

/** Whether it is complete, and what marks it. */
export function progressWords(text: Text, row: ShownStudy): string[] {
  return [
    row.issue === 0 || row.issued < row.instances ? text.studyOpen : text.studyIssued(row.issue),
    ...(row.urgent ? [text.studyUrgent] : []),
    ...(row.withdrawn ? [text.studyWithdrawn] : []),
    ...(row.contradicts ? [text.studyContradicts] : []),
  ];
}
