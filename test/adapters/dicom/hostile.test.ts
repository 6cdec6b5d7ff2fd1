import fc from 'fast-check';
import t from 'tap';
import { type Completeness, checkCompleteness } from '../../../adapters/dicom/completeness.ts';
import { datasetOffset } from '../../../adapters/dicom/part10.ts';
import { type HeaderReading, readHeader } from '../../../adapters/dicom/read-header.ts';
import { encodeGb18030 } from '../../../adapters/hl7v2/gb18030.ts';
import {
  element,
  encodingOf,
  file,
  fragments,
  headOf,
  image,
  type Part,
  type SyntaxName,
  seekOf,
  sequence,
  syntaxes,
} from './build.ts';

const MB16 = 16 * 1024 * 1024;

const sequences = (lengths: 'defined' | 'undefined'): Array<[number, Part]> => {
  const reference = [element(0x0008_1150, 'UI', '1.2'), sequence(0x0008_1199, [[]], { lengths })];
  const hidden = { vr: 'UN', lengths: 'undefined', inside: encodingOf('implicit') } as const;
  return [
    [0x0008_1140, sequence(0x0008_1140, [reference], { lengths })],
    [0x0009_1010, sequence(0x0009_1010, [[element(0x0009_1011, 'LO', 'X')]], hidden)],
  ];
};

const wholes: Uint8Array[] = (Object.keys(syntaxes) as SyntaxName[]).flatMap((syntax) =>
  (['defined', 'undefined'] as const).flatMap((lengths) => {
    const name = encodeGb18030('Zhang^San=张^誠');
    const parts = image({ charset: 'GB18030', name, instead: sequences(lengths) });
    const encapsulated = image({
      instead: sequences(lengths),
      pixels: fragments([Buffer.alloc(40, 1), Buffer.alloc(20)]),
    });
    return [
      file(parts, { syntax }),
      file(encapsulated, { syntax }),
      file(parts, { syntax, preamble: false, meta: syntax === 'deflated' }),
    ];
  }),
);

interface Damage {
  kind: 'set' | 'cut' | 'insert' | 'splice' | 'letters';
  at: number;
  bytes: Uint8Array;
}
/** A part of the whole; doubles would nearly all lie at its beginning. */
const somewhere = fc.integer({ min: 0, max: 9999 }).map((part) => part / 10_000);
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('set', 'cut', 'insert', 'splice', 'letters'),
  at: somewhere,
  // Lengths and tags that mean something are what breaks walks.
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc
      .constantFrom(
        [0xff, 0xff, 0xff, 0xff],
        [0xff, 0xff],
        [0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff],
        [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0],
        [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0],
        [0xf0, 0xff, 0xff, 0xff],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0x1b, 0x24, 0x29, 0x41],
      )
      .map((numbers) => Uint8Array.from(numbers)),
  ),
});

function damaged(whole: Uint8Array, done: readonly Damage[]): Uint8Array {
  let bytes = Buffer.from(whole);
  for (const { kind, at, bytes: put } of done) {
    const where = Math.floor(at * bytes.length);
    if (kind === 'set') bytes.set(put.subarray(0, bytes.length - where), where);
    else if (kind === 'cut') bytes = bytes.subarray(0, where);
    else if (kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, where), put, bytes.subarray(where)]);
    else if (kind === 'splice') bytes = Buffer.concat([bytes.subarray(0, where), bytes.subarray(where + put.length)]);
    else bytes.write(String.fromCharCode(...put.map((byte) => 0x41 + (byte % 26))), where, 'latin1');
  }
  return bytes;
}

const codes = ['DCM-2202', 'DCM-2203', 'DCM-2211', 'DCM-2212', 'DCM-2213', 'DCM-2214', 'DCM-2216'];
const verdicts: Completeness[] = ['whole', 'short', 'not-dicom', 'malformed'];

/** What must hold of any bytes; gives what was seen, so that the test can show that it saw something of everything. */
async function examine(bytes: Uint8Array): Promise<string[]> {
  const head = headOf(bytes);
  const reading: HeaderReading = await readHeader(head);
  if (!reading.ok && !codes.includes(reading.code)) throw new Error('an unknown code');
  if (reading.ok) {
    const { header } = reading;
    for (const uid of [
      header.sopClassUid,
      header.sopInstanceUid,
      header.studyUid,
      header.seriesUid,
      header.transferSyntaxUid,
    ])
      if (!/^[0-9.]{1,64}$/.test(uid)) throw new Error('not a UID');
    if (datasetOffset(bytes) !== reading.datasetOffset) throw new Error('two opinions where the dataset begins');
  }
  if (head.reads.lengths.some((length) => length > MB16)) throw new Error('more than 16 MB asked for');
  const file = seekOf(bytes);
  const verdict = await checkCompleteness(file);
  if (!verdicts.includes(verdict)) throw new Error('an unknown verdict');
  if (file.reads.bytes > 4 * bytes.length + 1024) throw new Error('the same bytes read over and over');
  return [reading.ok ? 'ok' : reading.code, verdict];
}

t.test('whole, these files are read', async (t) => {
  for (const whole of wholes) t.same(await examine(whole), ['ok', 'whole']);
});

t.test('whatever is done to a file, it gets an answer, and nobody reads beyond it', async (t) => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...wholes),
      fc.array(damage, { minLength: 1, maxLength: 5 }),
      async (whole, done) => {
        for (const answer of await examine(damaged(whole, done))) seen.add(answer);
      },
    ),
    { numRuns: 3000 },
  );
  for (const answer of ['ok', 'DCM-2211', 'whole', 'short', 'malformed']) t.ok(seen.has(answer), answer);
});

t.test('a cut file is never whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...wholes), somewhere, async (whole, at) => {
      const verdict = await checkCompleteness(seekOf(whole.subarray(0, Math.floor(at * whole.length))));
      return verdict !== 'whole';
    }),
    { numRuns: 1000 },
  );
});

t.test('bytes without any sense get an answer', async () => {
  const start = file([]);
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 600 }), async (prefix, bytes) => {
      await examine(prefix ? Buffer.concat([start, bytes]) : bytes);
    }),
    { numRuns: 1000 },
  );
});
