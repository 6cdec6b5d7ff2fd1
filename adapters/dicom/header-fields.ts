import type { ImageFacts, PersonName } from '../../agent/images/image-reader.ts';
import { decodeTexts } from './charset.ts';
import { explicitBigUid, explicitLittleUid, type FileStart, implicitLittleUid, isUid, uidText } from './file-start.ts';
import { otherIdsSequenceTag } from './other-patient-ids.ts';

const charsetTag = 0x0008_0005;
const sopClassTag = 0x0008_0016;
const sopInstanceTag = 0x0008_0018;
const studyTag = 0x0020_000d;
const seriesTag = 0x0020_000e;
const nameTag = 0x0010_0010;
const framesTag = 0x0028_0008;

/** Requested Procedure Priority (PS3.3 table C.4-11): no image needs it, and few have it. */
export const priorityTag = 0x0040_1003;

/** Elements of text in the charset of the file, by the field they fill. */
const textTags = [
  [0x0008_0050, 'accessionNumber'],
  [0x0008_0080, 'institutionName'],
  [0x0008_1030, 'studyDescription'],
  [0x0008_103e, 'seriesDescription'],
  [0x0010_0020, 'patientId'],
  [0x0010_0021, 'issuerOfPatientId'],
  [0x0020_0010, 'studyId'],
  [priorityTag, 'priority'],
] as const;
const otherIdsTag = 0x0010_1000;
/** Elements of plain ASCII. */
const codeTags = [
  [0x0008_0020, 'studyDate'],
  [0x0008_0030, 'studyTime'],
  [0x0008_0060, 'modality'],
  [0x0010_0030, 'birthDate'],
  [0x0010_0040, 'sex'],
  [0x0018_0015, 'bodyPart'],
] as const;
const numberTags = [
  [0x0020_0011, 'seriesNumber'],
  [0x0020_0013, 'instanceNumber'],
  [framesTag, 'numberOfFrames'],
] as const;
/** Without these it is no instance. */
export const uidTags = [sopClassTag, sopInstanceTag, studyTag, seriesTag] as const;

/** The last element that a header is read for: behind it a file that is in order has at most a priority for us. */
export const lastWantedTag = framesTag;
/** The elements whose values `headerOf` looks at. */
export const wantedTags: ReadonlySet<number> = new Set([
  ...[...textTags, ...codeTags, ...numberTags].map(([tag]) => tag),
  ...uidTags,
  charsetTag,
  nameTag,
  otherIdsTag,
  otherIdsSequenceTag,
]);

export type HeaderOrFault = { ok: true; header: ImageFacts } | { ok: false; code: 'DCM-2203' | 'DCM-2213' };

/**
 * Makes a header of the raw values of its elements, by tag, and of the Patient IDs of (0010,1002). `forced`: a charset label that holds whatever (0008,0005)
 * says. Fails with DCM-2213 where a UID is missing, with DCM-2203 where one breaks the rules: a UID that passes is
 * digits and dots and at most 64 characters.
 */
export function headerOf(
  values: ReadonlyMap<number, Uint8Array>,
  otherIdsOfItems: readonly Uint8Array[],
  start: FileStart,
  forced: string | undefined,
): HeaderOrFault {
  const bytesOf = (tag: number) => values.get(tag) ?? new Uint8Array(0);
  const uid = (tag: number) => uidText(bytesOf(tag));
  const sopClassUid = uid(sopClassTag) || (start.mediaSopClassUid ?? '');
  const sopInstanceUid = uid(sopInstanceTag);
  const studyUid = uid(studyTag);
  const seriesUid = uid(seriesTag);
  const uids = [sopClassUid, sopInstanceUid, studyUid, seriesUid];
  if (uids.includes('')) return { ok: false, code: 'DCM-2213' };
  if (!uids.every(isUid)) return { ok: false, code: 'DCM-2203' };

  const raw = [
    { bytes: bytesOf(nameTag), isName: true },
    ...[otherIdsTag, ...textTags.map(([tag]) => tag)].map((tag) => ({ bytes: bytesOf(tag), isName: false })),
    ...otherIdsOfItems.map((bytes) => ({ bytes, isName: false })),
  ];
  const label = values.get(charsetTag);
  const { texts, charset, guessed } = decodeTexts(label && ascii(label), raw, forced);
  const [name = '', otherIds = '', ...others] = texts;

  const header: ImageFacts = {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: transferSyntaxOf(start),
    studyUid,
    seriesUid,
    charset,
    charsetGuessed: guessed,
  };
  const patientName = nameOf(name);
  if (patientName !== undefined) header.patientName = patientName;
  const ofItems = others.slice(textTags.length);
  const otherPatientIds = new Set([...otherIds.split('\\'), ...ofItems].map(trimmed).filter(Boolean));
  if (otherPatientIds.size > 0) header.otherPatientIds = [...otherPatientIds];
  for (const [index, [, field]] of textTags.entries()) {
    const value = trimmed(others[index] ?? '');
    if (value !== '') header[field] = value;
  }
  for (const [tag, field] of codeTags) {
    const value = trimmed(ascii(bytesOf(tag)));
    if (value !== '') header[field] = value;
  }
  for (const [tag, field] of numberTags) {
    const value = trimmed(ascii(bytesOf(tag)));
    // IS: at most twelve characters (PS3.5 table 6.2-1).
    if (/^[+-]?\d{1,11}$/.test(value)) header[field] = Number(value);
  }
  return { ok: true, header };
}

/** As the file says it; where it says nothing, as the bytes are. */
function transferSyntaxOf({ transferSyntaxUid, encoding }: FileStart): string {
  if (transferSyntaxUid !== undefined) return transferSyntaxUid;
  if (!encoding.explicit) return implicitLittleUid;
  return encoding.littleEndian ? explicitLittleUid : explicitBigUid;
}

/** Component groups of the first name (PS3.5 §6.2.1); delimiters alone are no name. */
function nameOf(text: string): PersonName | undefined {
  const [first = ''] = text.split('\\');
  const [alphabetic = '', ideographic = '', phonetic = ''] = first.split('=').map(trimmed);
  if (/^\^*$/.test(alphabetic + ideographic + phonetic)) return undefined;
  return { ...(alphabetic && { alphabetic }), ...(ideographic && { ideographic }), ...(phonetic && { phonetic }) };
}

const ascii = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** Without the spaces and NULs that pad a value. */
const trimmed = (text: string): string => text.replace(/^[ \0]+|[ \0]+$/g, '');
