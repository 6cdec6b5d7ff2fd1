import { type Charset, encodeText } from '../../../adapters/hl7v2/charset.ts';
import { makeRandom } from '../../demo/people.ts';

/** Longest input of a case. */
export const longestInput = 64 * 1024;

type Draw = () => number;
const below = (draw: Draw, n: number): number => Math.floor(draw() * n);
const pick = <T>(draw: Draw, from: readonly T[]): T => from[below(draw, from.length)] as T;
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

const delimiters = ['|', '^', '~', '\\', '&', '\r', '\n', '\r\n', ' ', '\t', '\0', '\v', '\x1c', '\x1c\r', '#'];
const escapes = [
  '\\F\\',
  '\\S\\',
  '\\E\\',
  '\\X41\\',
  '\\XD6D0\\',
  '\\XFF\\',
  '\\X4\\',
  '\\.br\\',
  '\\.sp99\\',
  '\\.sk 9\\',
  '\\.in+5\\',
  '\\H\\',
  '\\C2842\\',
  '\\Zx\\',
  '\\\\',
  '\\',
];
const segmentIds =
  'MSH EVN PID PD1 NK1 PV1 PV2 AL1 DG1 IN1 MRG ORC OBR TQ1 RXO RXE RXR SAC SPM OBX NTE TXA FT1 DSC MSA ERR SFT FHS BHS BTS FTS ADD ZZZ Z01 pid obx wbc X1'.split(
    ' ',
  );
const types =
  'ORU^R01 ORU^W01 OUL^R22 OUL^R24 ADT^A01 ADT^A08 ADT^A37 ADT^A40 ORM^O01 OML^O21 OMG^O19 RDE^O11 MDM^T02 MDM^T10 QRY^A19 ACK ACK^R01 ORU_R01 ^^ 测^试'.split(
    ' ',
  );
const headers = [
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ORU^R01|M1|P|2.4\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ORU^R01|M1|P|2.4||||||UNICODE UTF-8\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ORU^R01|M1|P|2.4||||||GB 18030-2000\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ORU^R01|M1|P|2.4||||||8859/1~UNICODE\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ADT^A40|M1|P|2.4\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||MDM^T10|M1|P|2.4\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ORM^O01|M1|P|2.4\r',
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ACK^R01|M1|P|2.4\rMSA|AA|1\r',
  'MSH$%*!@$A$B$$$20240520$$ORU%R01$1$P$2.3\r',
  'MSH|^~&|A|B\r',
  'MSH|^~\\\\&|A|B|||||ORU^R01|1|P|2.3\r',
  'BHS|^~\\&|A|B|C|D|20240520|||F|B1\r',
  'FHS|^~\\&|A|B|C|D|20240520|||F|F1\r',
  'BTS|2\r',
  'FTS|1\r',
  'MSH|',
];
const values = [
  '""',
  '20240520102600+0800',
  '00000000',
  '99999999999999',
  '<5.0',
  '1e400',
  '-0',
  '3.5-5.5',
  '>=1:160',
  'H~L',
  '110101199003078515',
  '999999199003070017',
  'http://x/y?z=1',
  '^a^b^Base64^QUJD',
  'toString',
  '__proto__',
  'constructor',
  '600-7^1^x',
  '\xd6\xd0\xce\xc4', // 中文 in GB18030
  '\xab\x7c\xab\x5e', // 珅玘 in GB18030: trail bytes are | and ^
  '\x81\x30\x81\x30',
  '\xe6\xb5\x8b', // 测 in UTF-8
  '\xff\xfe',
  '\xef\xbb\xbf',
  '\xc0\x80',
  '\xed\xa0\x80',
];
const small = [...delimiters, ...escapes, ...values];
const anything = [...small, ...headers, ...segmentIds.map((id) => `\r${id}|`)];
const charsets: Charset[] = ['GB18030', 'UTF-16LE', 'UTF-16BE', 'ISO-8859-1', 'US-ASCII', 'UTF-8'];

const between = (whole: Buffer, from: number, to: number, middle: Uint8Array): Buffer =>
  Buffer.concat([whole.subarray(0, from), middle, whole.subarray(to)]);
const linesOf = (whole: Buffer): string[] => whole.toString('latin1').split(/(?<=[\r\n])/);

/** A run of one or a few pieces, up to the limit: what costs more than it is long shows here. */
function flood(draw: Draw): Buffer {
  const pieces = Array.from({ length: 1 + below(draw, 3) }, () => pick(draw, draw() < 0.8 ? small : anything));
  const one = pieces.join('');
  const bytes = draw() < 0.3 ? longestInput : 16 << below(draw, 11);
  return bytesOf(one.repeat(Math.ceil(bytes / Math.max(1, one.length))).slice(0, bytes));
}

function segment(draw: Draw): string {
  const count = draw() < 0.02 ? below(draw, 2000) : below(draw, 30);
  const fields = Array.from({ length: count }, () => {
    const kind = draw();
    return kind < 0.5 ? '' : kind < 0.8 ? pick(draw, values) : pick(draw, small);
  });
  return [pick(draw, segmentIds), ...fields].join('|') + pick(draw, ['\r', '\r', '\r', '\n', '\r\n']);
}

/** A message of known parts in no sensible order. */
function generate(draw: Draw): Buffer {
  const count = draw() < 0.05 ? below(draw, 400) : below(draw, 20);
  const body = Array.from({ length: count }, () => segment(draw)).join('');
  return bytesOf(
    pick(draw, headers) + (draw() < 0.1 ? body.replaceAll('|', pick(draw, ['$', '\\', '^', '測'])) : body),
  );
}

type Mutation = (whole: Buffer, draw: Draw, other: Buffer) => Buffer;
const mutations: Record<string, Mutation> = {
  flip(whole, draw) {
    const changed = Buffer.from(whole);
    for (let n = 1 + below(draw, 8); n > 0 && changed.length > 0; n--) {
      const at = below(draw, changed.length);
      changed[at] = draw() < 0.5 ? below(draw, 256) : (changed[at] ?? 0) ^ (1 << below(draw, 8));
    }
    return changed;
  },
  cutEnd: (whole, draw) => whole.subarray(0, below(draw, whole.length + 1)),
  cutStart: (whole, draw) => whole.subarray(below(draw, Math.min(whole.length, 64) + 1)),
  cutOut(whole, draw) {
    const from = below(draw, whole.length + 1);
    return between(whole, from, Math.min(whole.length, from + below(draw, 200)), Buffer.alloc(0));
  },
  insert(whole, draw) {
    const at = below(draw, whole.length + 1);
    return between(whole, at, at + (draw() < 0.5 ? 0 : below(draw, 8)), bytesOf(pick(draw, anything)));
  },
  insertFlood(whole, draw) {
    const at = below(draw, whole.length + 1);
    return between(whole, at, at, flood(draw));
  },
  /** At the beginning of a value, where a run of delimiters or escapes belongs to one field. */
  fillField(whole, draw) {
    const start = whole.indexOf('|', below(draw, whole.length + 1));
    return start < 0 ? whole : between(whole, start + 1, start + 1, flood(draw));
  },
  doubleDelimiters(whole, draw) {
    const one = pick(draw, ['|', '^', '~', '&', '\\', '\r']);
    return bytesOf(whole.toString('latin1').replaceAll(one, one + one));
  },
  swapSegments(whole, draw) {
    const lines = linesOf(whole);
    const [a, b] = [below(draw, lines.length), below(draw, lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    return bytesOf(lines.join(''));
  },
  dropSegment(whole, draw) {
    const lines = linesOf(whole);
    lines.splice(below(draw, lines.length), 1);
    return bytesOf(lines.join(''));
  },
  repeatSegments(whole, draw) {
    const lines = linesOf(whole);
    const from = below(draw, lines.length);
    const some = lines.slice(from, from + 1 + below(draw, 4)).join('');
    const times = draw() < 0.2 ? Math.ceil(longestInput / Math.max(1, some.length)) : 1 + below(draw, 20);
    lines.splice(from, 0, some.repeat(times).slice(0, longestInput));
    return bytesOf(lines.join(''));
  },
  spliceOther(whole, draw, other) {
    const at = below(draw, whole.length + 1);
    const lines = linesOf(other);
    const from = below(draw, lines.length);
    return between(whole, at, at, draw() < 0.5 ? other : bytesOf(lines.slice(from, from + 3).join('')));
  },
  otherLineEnds(whole, draw) {
    const end = pick(draw, ['\r', '\n', '\r\n', '\n\r', ' ', '\r\r\n', '']);
    return bytesOf(whole.toString('latin1').replace(/\r\n|\r|\n/g, end));
  },
  otherType: (whole, draw) =>
    bytesOf(whole.toString('latin1').replace(/^(\s*MSH(?:\|[^|]*){7}\|)[^|\r]*/, `$1${pick(draw, types)}`)),
  otherDelimiters: (whole, draw) =>
    bytesOf(
      whole
        .toString('latin1')
        .replace('^~\\&', () =>
          pick(draw, ['^~&', '^~\\\\&', '', '^', '||||', '^~\\&#', '\xa3~\\&', '^^^^', '&~\\^', '\\^~&']),
        ),
    ),
  otherCharset: (whole, draw) =>
    Buffer.from(encodeText(whole.toString(draw() < 0.5 ? 'utf8' : 'latin1'), pick(draw, charsets))),
  claimCharset: (whole, draw) =>
    bytesOf(
      whole
        .toString('latin1')
        .replace(
          /^(\s*MSH(?:\|[^|\r\n]*){11})[^\r\n]*/,
          `$1||||||${pick(draw, ['GBK', 'UNICODE', '8859/1', 'ASCII', 'UTF-16', 'BIG5~GBK', 'x'])}`,
        ),
    ),
};
const names = Object.keys(mutations);

export interface FuzzCase {
  payload: Buffer;
  /** How the framed payload comes in: bytes of each chunk but the last. */
  chunks: number[];
  /** What was done to it, for the report of a failure. */
  made: string;
}

/**
 * One input of the fuzz, the same for the same seed, number and seeds: a case that failed is made again alone. `seeds` are
 * whole messages; about one case in eight is generated instead.
 */
export function makeCase(seed: number, number: number, seeds: readonly Buffer[]): FuzzCase {
  const draw = makeRandom((seed * 1_000_003 + number) % 2 ** 31);
  const isGenerated = draw() < 0.12;
  let payload = isGenerated ? generate(draw) : pick(draw, seeds);
  const made = [isGenerated ? 'generated' : 'seed'];
  const rounds = isGenerated ? below(draw, 2) : 1 + below(draw, 4);
  for (let n = 0; n < rounds; n++) {
    const name = pick(draw, names);
    payload = mutations[name]?.(payload, draw, pick(draw, seeds)) ?? payload;
    made.push(name);
    if (payload.length > longestInput) payload = payload.subarray(0, longestInput);
  }
  const chunks = Array.from({ length: below(draw, 4) }, () => below(draw, payload.length + 2));
  return { payload: Buffer.from(payload), chunks, made: made.join(' ') };
}
