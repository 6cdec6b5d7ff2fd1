import { headerFrom, isBlank } from './msh.ts';

/** HL7 v2 in XML, or whatever else is written in it: the first byte after a BOM and blanks is `<` (point 51). */
export const isXml = (payload: Uint8Array): boolean => payload[headerFrom(payload)] === 0x3c;

/** A continuation pointer is short; a longer last segment is none, and is not searched for its beginning. */
const longestPointer = 1024;

/**
 * The last segment is a DSC that names a continuation: more of the message comes in another one (HL7 v2 §2.10.2). A DSC with
 * an empty pointer says that nothing more comes. Bytes: DSC and the blanks around it are ASCII in every character set.
 */
export function endsInContinuation(payload: Uint8Array, field: string): boolean {
  let end = payload.length;
  while (end > 0 && isBlank(payload[end - 1])) end--;
  let start = end;
  const furthest = Math.max(0, end - longestPointer);
  while (start > furthest && payload[start - 1] !== 0x0d && payload[start - 1] !== 0x0a) start--;
  const line = Buffer.from(payload.buffer, payload.byteOffset + start, end - start).toString('latin1');
  const last = line.slice(line.lastIndexOf('  DSC') + 1).trimStart();
  if (last.slice(0, 3).toUpperCase() !== 'DSC' || last[3] !== field) return false;
  return (last.slice(4).split(field)[0] ?? '').trim() !== '';
}
