import { isAscii } from 'node:buffer';
import { decodeIso2022, isSetNumber, isUpperHalf, type SetNumber } from './iso2022.ts';
import { decodeLossily, decodeStrictly } from './text-decoders.ts';

/** The raw bytes of a text element, and whether they are a person name, which has delimiters of its own. */
export interface RawText {
  bytes: Uint8Array;
  isName: boolean;
}

export interface DecodedTexts {
  /** One for each raw text, not yet split at `\`, with the padding it came with. */
  texts: string[];
  /** `utf-8`, `gb18030`, `iso-8859-1`, `us-ascii`, `iso-2022-ir-58` … */
  charset: string;
  /** The label was absent, unknown, wrong or not followed, and the bytes decided. */
  guessed: boolean;
}

/** What (0008,0005) says, normalised. */
interface Label {
  /** unicode and gb18030: a charset of its own. extended: code sets by ISO 2022. weak: says little (see decodeTexts). */
  kind: 'unicode' | 'gb18030' | 'extended' | 'weak';
  name: string;
  /** The upper half of the code as the first value has it; the other sets that later values allow. */
  upper: SetNumber | undefined;
  others: SetNumber[];
}

/** Spellings in use for the GB family; GB18030 contains the others (reference/dicom.md §3.1). */
const gbLabels = new Set(['GB18030', 'GBK', 'GB2312', 'GB231280', 'GB180302000', 'GB180302005', 'GB180302022']);
const gbAliases = new Set(['CP936', 'MS936', 'WINDOWS936', 'EUCCN', 'CSGB2312']);
const unicodeLabels = new Set(['ISOIR192', 'ISO2022IR192', 'UTF8', 'UNICODE']);
const otherNames = new Map([
  ['ISO88591', 100],
  ['LATIN1', 100],
  ['ASCII', 6],
  ['USASCII', 6],
]);

/** Reads a value of (0008,0005), PS3.3 §C.12.1.1.2; case, `_`, `-` and spaces do not matter. */
function readLabel(label: string): Label {
  const keys = label.split('\\').map((part) => part.toUpperCase().replaceAll(/[^A-Z0-9]/g, ''));
  const plain = { upper: undefined, others: [] };
  if (keys.some((key) => unicodeLabels.has(key))) return { kind: 'unicode', name: 'utf-8', ...plain };
  if (keys.some((key) => gbLabels.has(key) || gbAliases.has(key)))
    return { kind: 'gb18030', name: 'gb18030', ...plain };
  const numbers = keys.map((key) => Number(/^ISO(?:2022)?IR(\d+)$/.exec(key)?.[1] ?? otherNames.get(key) ?? 0));
  const known = numbers.filter(isSetNumber);
  const [first = 0] = numbers;
  const upper = isSetNumber(first) && isUpperHalf(first) ? first : undefined;
  const others = known.filter((number) => number !== upper);
  if (known.every((number) => number === 100))
    return { kind: 'weak', name: known.length > 0 ? 'iso-8859-1' : 'us-ascii', upper, others };
  const name = `iso-${others.length > 0 ? '2022-' : ''}ir-${others[0] ?? upper}`;
  return { kind: 'extended', name, upper, others };
}

/** Decodes a text as the label says; undefined where its bytes are not valid so, or the label says too little. */
function decodeAsSaid(label: Label, { bytes, isName }: RawText): { text: string; assumed: boolean } | undefined {
  const hasEscape = bytes.includes(0x1b);
  if (label.kind === 'unicode' || (label.kind === 'gb18030' && !hasEscape)) {
    const text = decodeStrictly(bytes, label.name);
    return text === undefined ? undefined : { text, assumed: false };
  }
  if (label.kind === 'weak' && !hasEscape) return undefined;
  const others = label.others.filter(isUpperHalf);
  const upper = label.kind === 'gb18030' ? 58 : label.upper;
  const assumed = others.length === 1 ? others[0] : undefined;
  const decoded = decodeIso2022(bytes, { upper, assumed, isName, lossy: false });
  // Escapes under a label without code extension: readable, but not as labelled.
  return (
    decoded && { text: decoded.text, assumed: decoded.assumed || (label.kind !== 'extended' && others.length === 0) }
  );
}

/** The last resort: as labelled, U+FFFD where the bytes mean nothing; Latin-1 where nothing is labelled. */
function decodeAnyway(label: Label, { bytes, isName }: RawText): string {
  if (label.kind === 'weak') return decodeLossily(bytes, 'iso-8859-1');
  if (label.kind !== 'extended') return decodeLossily(bytes, label.name);
  return decodeIso2022(bytes, { upper: label.upper, assumed: undefined, isName, lossy: true })?.text ?? '';
}

/** Han, and the marks that stand among them; nothing else may come out of a guess. */
const chinese = /^[\p{ASCII}\p{Script=Han}\u00b7\u2014\u2018-\u201d\u2026\u3000-\u3011\uff01-\uff5e]*$/u;
/** One character alone between two letters: `ÇÃ` of `CONCEIÇÃO` looks so. */
const insideWord = /[A-Za-z]\p{Script=Han}[A-Za-z]/u;

/**
 * Reads bytes as GB18030 if only common Chinese comes out: at least every third character must be of the first level
 * of GB 2312 (rows 16 to 55, the 3,755 most common), which letters of Latin-1 before an ASCII letter never are.
 */
function decodeCommonChinese(bytes: Uint8Array): string | undefined {
  const text = decodeStrictly(bytes, 'gb18030');
  if (text === undefined || !chinese.test(text) || insideWord.test(text)) return undefined;
  const characters = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  let common = 0;
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) continue;
    const trail = bytes[at + 1] ?? 0;
    if (lead >= 0xb0 && lead <= 0xd7 && trail >= 0xa1) common++;
    // Four bytes where the second is a digit, else two.
    at += trail < 0x40 ? 3 : 1;
  }
  return common > 0 && common * 3 >= characters ? text : undefined;
}

const guesses: ReadonlyArray<{ charset: string; decode: (bytes: Uint8Array) => string | undefined }> = [
  { charset: 'utf-8', decode: (bytes) => decodeStrictly(bytes, 'utf-8') },
  { charset: 'gb18030', decode: decodeCommonChinese },
];

/**
 * What texts may be that are not as labelled: all in one charset if that is possible, since a short Chinese name can
 * happen to be valid UTF-8; otherwise each in the first that fits.
 */
function guess(raw: readonly RawText[]): Array<{ charset: string; text: string } | undefined> {
  const readings = guesses.map(({ charset, decode }) =>
    raw.map(({ bytes }) => {
      const text = decode(bytes);
      return text === undefined ? undefined : { charset, text };
    }),
  );
  const whole = readings.find((reading) => reading.every((text) => text !== undefined));
  return whole ?? raw.map((_, index) => readings.map((reading) => reading[index]).find((text) => text !== undefined));
}

/**
 * Decodes the texts of an instance together (PS3.5 §6.1; reference/dicom.md §3.1), always before they are split,
 * because trail bytes of GB18030 and GBK include `\` and `^`.
 *
 * `label` is (0008,0005) as it stands, undefined when absent. A label in which the bytes are valid is believed. But
 * none, ISO_IR 6 and ISO_IR 100 say little, because anything comes under them: for text beyond ASCII strict UTF-8 is
 * tried first, then strict GB18030 if only common Chinese comes out, and only then the label. The same order holds
 * for bytes that are not valid as labelled. `forced`, a label as well, comes before all this where the bytes are
 * valid in it.
 */
export function decodeTexts(label: string | undefined, raw: readonly RawText[], forced?: string): DecodedTexts {
  const said = readLabel(label ?? '');
  const wanted = forced === undefined ? undefined : readLabel(forced);
  const texts = raw.map(() => '');
  const doubtful: Array<{ index: number; text: RawText }> = [];
  let charset: string | undefined;
  let guessed = false;

  for (const [index, text] of raw.entries()) {
    if (isAscii(text.bytes) && !text.bytes.includes(0x1b)) {
      texts[index] = decodeLossily(text.bytes, 'iso-8859-1');
      continue;
    }
    const asWanted = wanted && decodeAsForced(wanted, text);
    const read = asWanted ?? decodeAsSaid(said, text);
    if (read === undefined) doubtful.push({ index, text });
    else {
      texts[index] = read.text;
      charset ??= asWanted === undefined ? said.name : wanted?.name;
      guessed ||= read.assumed;
    }
  }
  const found = guess(doubtful.map(({ text }) => text));
  for (const [at, { index, text }] of doubtful.entries()) {
    const reading = found[at];
    texts[index] = reading?.text ?? decodeAnyway(said, text);
    charset ??= reading?.charset ?? (said.kind === 'weak' ? 'iso-8859-1' : said.name);
    // Latin-1 under its own label is what was said; anything else was not readable as said.
    guessed ||= reading !== undefined || said.name !== 'iso-8859-1';
  }
  return { texts, charset: charset ?? said.name, guessed };
}

/** A forced charset is believed even where a label would be weak. */
function decodeAsForced(wanted: Label, text: RawText): { text: string; assumed: boolean } | undefined {
  const read = wanted.kind === 'weak' ? { text: decodeAnyway(wanted, text) } : decodeAsSaid(wanted, text);
  return read && { text: read.text, assumed: false };
}
