import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { decodeMessage } from '../../../adapters/hl7v2/charset.ts';
import {
  fieldText,
  type Hl7Message,
  parseMessage,
  repetitionsOf,
  type Segment,
  unescapeText,
  valueAt,
} from '../../../adapters/hl7v2/parser.ts';

const corpus = new URL('../../../../shared/corpus/hl7/', import.meta.url);
const skip = existsSync(corpus) ? false : 'the corpus (../shared/corpus) is not here';

interface IndexEntry {
  file: string;
  messages: number;
}
type Fields = Record<string, string[][]>;
interface OracleEntry {
  file: string;
  segments: Array<[string, Fields]> | null;
}

/** Segments that hold anything; the oracle leaves out the others. */
const filled = (message: Hl7Message): Segment[] =>
  message.segments.filter((s) => /[^|\s]/.test(message.text.slice(s.start + 3, s.end)));

/** Every component of every repetition. */
function ours(message: Hl7Message, segment: Segment, field: number): string[][] {
  return repetitionsOf(message, fieldText(message, segment, field)).map((part, i) => {
    const count = message.delimiters.component === '' ? 1 : part.split(message.delimiters.component).length;
    return Array.from({ length: count }, (_, c) => valueAt(message, segment, field, i + 1, c + 1));
  });
}

/** Without trailing empties, blanks at the ends, and with one kind of line break. */
const plain = (field: string[][]): string =>
  field
    .map((components) =>
      components
        .map((c) => c.replace(/\r\n?/g, '\n').trim())
        .join('^')
        .replace(/\^+$/, ''),
    )
    .join('~')
    .replace(/~+$/, '');

interface Difference {
  message: Hl7Message;
  segment: Segment;
  field: number;
  /** As sent. */
  raw: string;
  theirs: string;
  mine: string;
}

const wordsOf = (text: string): string[] => text.split(/[~^&]/).map((word) => word.trim());
const asciiOf = (text: string): string => text.replace(/[^\x20-\x7d]+/g, '');

/** Why a value may differ from the oracle's: each is looked at, not only named. The first that holds counts. */
const reasons: Array<[reason: string, holds: (difference: Difference) => boolean]> = [
  ['OBX-2 is empty, and the oracle fills in ST', (d) => d.raw === '' && d.theirs === 'ST' && d.field === 2],
  [
    'a field goes on after a line break: for us with it, for the oracle the rest is a segment or nothing',
    ({ message, segment, theirs }) => {
      const whole = message.text.slice(segment.start, segment.end);
      const firstLine = whole.split(/[\r\n]/)[0] ?? '';
      return whole !== firstLine && (theirs === '' || firstLine.includes(theirs));
    },
  ],
  [
    'the escape character is doubled in MSH-2: for us it counts once',
    ({ message, theirs, mine }) => {
      const [msh] = message.segments;
      const isDoubled = msh !== undefined && fieldText(message, msh, 2).includes('\\\\');
      return isDoubled && theirs.replaceAll(/[&^]/g, '') === mine.replaceAll(/[\\&^]/g, '');
    },
  ],
  [
    'the oracle leaves formatting and hexadecimal escapes as they are',
    ({ message, theirs, mine }) => unescapeText(message, theirs).replace(/\r\n?/g, '\n').trim() === mine,
  ],
  [
    'the oracle takes subcomponents apart, and keeps as many as its data type has',
    ({ raw, theirs, mine }) => {
      const words = new Set(wordsOf(mine));
      return raw.includes('&') && wordsOf(theirs).every((word) => words.has(word));
    },
  ],
  [
    'the oracle was told another charset',
    ({ theirs, mine }) => /[^\0-\x7f]/.test(theirs + mine) && asciiOf(theirs) === asciiOf(mine),
  ],
];

t.test('all fields of all single messages are those of an independent parser', { skip }, (t) => {
  const index = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as IndexEntry[];
  const single = new Set(index.filter(({ messages }) => messages === 1).map(({ file }) => file));
  const lines = readFileSync(new URL('oracle.ndjson', corpus), 'utf8').split('\n').filter(Boolean);
  const differ = new Map<string, number>();
  const unexplained: string[] = [];
  let files = 0;
  let compared = 0;
  for (const line of lines) {
    const { file, segments } = JSON.parse(line) as OracleEntry;
    if (segments === null || !single.has(file)) continue;
    files += 1;
    const decoded = decodeMessage(readFileSync(new URL(file.split('/').map(encodeURIComponent).join('/'), corpus)));
    const message = decoded.ok ? parseMessage(decoded.text, decoded.charset) : undefined;
    if (message === undefined) {
      unexplained.push(`${file}: not parsed`);
      continue;
    }
    const rest = filled(message);
    let last: Segment | undefined;
    for (const [name, fields] of segments) {
      // The oracle calls a CON of a message that has no place for it CON_.
      const id = name.replace(/_$/, '');
      const at = rest.findIndex((s) => s.id === id);
      // Where a line of a text looks like a segment to the oracle, its fields are in ours, the segment before.
      const [segment] = at < 0 ? [] : rest.splice(at, 1);
      if (segment === undefined) {
        const line = last && message.text.slice(last.start, last.end);
        if (line === undefined || !/[\r\n]/.test(line)) unexplained.push(`${file}: no ${id}`);
        continue;
      }
      last = segment;
      fieldText(message, segment, 3);
      const numbers = new Set([...Object.keys(fields).map(Number), ...(segment.bounds ?? []).map((_, i) => i + 1)]);
      for (const field of numbers) {
        const raw = fieldText(message, segment, field);
        const isDelimiters = id === 'MSH' && field <= 2;
        const theirs = isDelimiters ? (fields[String(field)]?.[0]?.[0] ?? '') : plain(fields[String(field)] ?? []);
        const mine = isDelimiters ? raw : plain(ours(message, segment, field));
        if (theirs === '' && mine === '') continue;
        compared += 1;
        if (theirs === mine) continue;
        const reason = reasons.find(([, holds]) => holds({ message, segment, field, raw, theirs, mine }))?.[0];
        if (reason === undefined) unexplained.push(`${file} ${id}-${field}`);
        else differ.set(reason, (differ.get(reason) ?? 0) + 1);
      }
    }
  }
  t.same(unexplained, []);
  t.ok(files > 1_200, `${files} files`);
  t.ok(compared > 75_000, `${compared} values`);
  t.comment(`${files} files, ${compared} values that are not empty`);
  for (const [reason, count] of differ) t.comment(`${count} differ: ${reason}`);
  t.end();
});
