import { isUtf8 } from 'node:buffer';
import type { Msh } from './msh.ts';

/** As many as HL7 gives a name; what is longer is cut, and shows it. */
const mostCharacters = 20;

/**
 * MSH-3 and MSH-4 as far as they may be shown: the person who sets the list up must know who called. The first component of
 * each, which is what an entry of `senders` names, in UTF-8 where it is that and else in GB18030; nothing unprintable.
 */
export const calledItself = ({ sendingApplication, sendingFacility, delimiters }: Msh): string =>
  `MSH-3 ${shown(sendingApplication, delimiters)} MSH-4 ${shown(sendingFacility, delimiters)}`.trim();

function shown(field: Uint8Array, { component, repetition }: Msh['delimiters']): string {
  // A name is cut long before these bytes end, perhaps within a character.
  const text = new TextDecoder(isUtf8(field) ? 'utf-8' : 'gb18030').decode(field.subarray(0, 200));
  const [first = ''] = text.split(component);
  const [name = ''] = repetition === undefined ? [first] : first.split(repetition);
  const characters = [...name.trim().replace(/[\p{C}\p{Zl}\p{Zp}\ufffd]/gu, '?')];
  return characters.length <= mostCharacters ? characters.join('') : `${characters.slice(0, mostCharacters).join('')}…`;
}
