import { fieldCountOf } from './profile/segments.ts';

/**
 * Some senders lose the ends of their segments, and two blanks stand where a line should end: `…|2.4  PID|1|…`
 * (reference/hl7v2.md §2 no. 11). Only the name of a segment that HL7 knows, or of a Z segment, with the field separator
 * behind it begins one. Blanks and names are ASCII, and no byte of a UTF-8 or GB18030 character is a blank: this may be
 * asked of bytes read as Latin-1 as well as of text.
 */
const joint = (field: string): RegExp => new RegExp(`  (?=([A-Z][A-Z0-9]{2})\\${field})`, 'g');

const isSegment = (name: string | undefined): boolean => name !== undefined && fieldCountOf(name) !== undefined;

/** Separators that stand before MSH-10: nothing before it is taken for the end of MSH. */
const fewestSeparators = 8;

/**
 * Where in MSH another segment begins that blanks join to it; -1 where none does. `header` is MSH behind its name and
 * separator, up to the end of its line.
 */
export function joinedAt(header: string, field: string): number {
  for (const { 1: name, index } of header.matchAll(joint(field))) {
    if (isSegment(name) && header.slice(0, index).split(field).length > fewestSeparators) return index;
  }
  return -1;
}

/** Gives each joined segment a line of its own, if MSH is joined to another one; any other text stays as it is. */
export function separateJoined(text: string): string {
  const [start, field] = /^[\s\ufeff\0]*MSH([!-/:-@[-`{-~])/i.exec(text) ?? [];
  if (start === undefined || field === undefined) return text;
  const end = text.slice(start.length).search(/[\r\n]/);
  const header = end < 0 ? text.slice(start.length) : text.slice(start.length, start.length + end);
  if (joinedAt(header, field) < 0) return text;
  return text.replace(joint(field), (blanks, name: string) => (isSegment(name) ? '\r' : blanks));
}
