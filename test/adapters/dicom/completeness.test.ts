import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import t from 'tap';
import { checkCompleteness } from '../../../adapters/dicom/completeness.ts';
import { quickFolder } from '../../quick-folder.ts';
import {
  dataset,
  element,
  encodingOf,
  file,
  fragments,
  head,
  image,
  type Part,
  raw,
  type SyntaxName,
  seekOf,
  sequence,
  syntaxes,
  us,
} from './build.ts';

const check = (bytes: Uint8Array) => checkCompleteness(seekOf(bytes));
const native = ['implicit', 'explicit', 'big'] as const;
const pieces = [Buffer.alloc(200, 1), Buffer.alloc(3000, 2), Buffer.alloc(90, 3)];
const encoded = () => file(image({ pixels: fragments(pieces) }), { syntax: 'rle' });
const report = [
  element(0x0008_0016, 'UI', '1.2.840.10008.5.1.4.1.1.88.11'),
  element(0x0040_a040, 'CS', 'CONTAINER'),
  sequence(0x0040_a730, [[element(0x0040_a160, 'UT', 'finding')]], { lengths: 'undefined' }),
];

t.test('whole files are whole, in each way a dataset is written', async (t) => {
  for (const syntax of Object.keys(syntaxes) as SyntaxName[]) {
    t.equal(await check(file(image(), { syntax })), 'whole', syntax);
    t.equal(await check(file(report, { syntax })), 'whole', syntax);
  }
  for (const syntax of native)
    for (const options of [
      { preamble: false },
      { meta: false },
      { preamble: false, meta: false },
      { label: false },
    ] as const)
      t.equal(await check(file(image(), { syntax, ...options })), 'whole');
  t.equal(await check(encoded()), 'whole');
});

t.test('a native image that is cut off anywhere is short', async (t) => {
  for (const syntax of native) {
    const whole = file(image({ rows: 64 }), { syntax });
    for (let length = 0; length < whole.length; length += length < 800 ? 1 : 501) {
      // A preamble of zeros might become anything; a few more bytes and it is DICOM or not.
      const verdict = length <= 128 || length >= 132 ? 'short' : 'not-dicom';
      t.equal(await check(whole.subarray(0, length)), verdict, `${syntax} ${length}`);
    }
  }
});

t.test('an encoded image is whole only with the delimiter after its last fragment', async (t) => {
  const whole = encoded();
  t.equal(await check(whole), 'whole');
  for (let length = 150; length < whole.length; length += length > whole.length - 40 ? 1 : 61)
    t.equal(await check(whole.subarray(0, length)), 'short', `${length}`);
});

t.test('a file preallocated with zeros is short while its encoded image is being filled in', async (t) => {
  const whole = encoded();
  for (const written of [0, 100, 140, 300, 700, whole.length - 3100, whole.length - 20, whole.length - 8]) {
    const bytes = Buffer.from(whole);
    bytes.fill(0, written);
    t.equal(await check(bytes), 'short', `${written} of ${whole.length}`);
  }
});

t.test('a file preallocated with zeros is short while its header is being filled in', async (t) => {
  const whole = file(image({ rows: 64 }));
  for (const written of [0, 132, 400, 690]) {
    const bytes = Buffer.from(whole);
    bytes.fill(0, written);
    t.equal(await check(bytes), 'short', `${written}`);
  }
});

t.test('a deflated file is short when its stream is cut off, malformed when it does not inflate', async (t) => {
  const whole = file(image({ rows: 64 }), { syntax: 'deflated' });
  t.equal(await check(whole), 'whole');
  t.equal(await check(Buffer.concat([whole, Buffer.alloc(1)])), 'whole', 'padded to even length');
  const start = whole.length - deflateRawSync(dataset(encodingOf('explicit'), image({ rows: 64 }))).length;
  for (let length = start + 1; length < whole.length; length += 23)
    t.equal(await check(whole.subarray(0, length)), 'short', `${length}`);
  const broken = Buffer.from(whole);
  broken.fill(0xff, start + 20, start + 60);
  t.equal(await check(broken), 'malformed');
  const cutInside = deflateRawSync(dataset(encodingOf('explicit'), image({ rows: 64 })).subarray(0, -10));
  t.equal(
    await check(Buffer.concat([whole.subarray(0, start), cutInside])),
    'short',
    'a whole stream of half an image',
  );
});

t.test('trailing padding and a little zero after the pixels belong to a whole file, other bytes do not', async (t) => {
  const padding = element(0xfffc_fffc, 'OB', Buffer.alloc(126));
  for (const syntax of native) {
    t.equal(await check(file([...image(), padding], { syntax })), 'whole');
    const whole = file(image(), { syntax });
    for (const zeros of [1, 2, 7, 8, 512, 60_000])
      t.equal(await check(Buffer.concat([whole, Buffer.alloc(zeros)])), 'whole', `${zeros}`);
    t.equal(await check(Buffer.concat([whole, Buffer.alloc(100_000)])), 'short');
    t.not(await check(Buffer.concat([whole, Buffer.alloc(20), Buffer.from('x')])), 'whole');
    t.not(await check(Buffer.concat([whole, Buffer.from('xyz')])), 'whole');
  }
  t.equal(await check(Buffer.concat([encoded(), Buffer.alloc(300)])), 'whole');
});

t.test('a header that ends neatly before the pixels is short', async (t) => {
  for (const syntax of native) t.equal(await check(file(image({ pixels: false }), { syntax })), 'short');
  t.equal(
    await check(file(image({ pixels: false }).slice(0, -4))),
    'short',
    'nothing beyond patient, study and series',
  );
  const offsets = element(0x7fe0_0001, 'OV', Buffer.alloc(16));
  t.equal(await check(file(image({ pixels: offsets }), { syntax: 'rle' })), 'short', 'offset tables are no pixels');
  t.equal(await check(file([...image({ pixels: offsets }), fragments(pieces)], { syntax: 'rle' })), 'whole');
  const spectroscopy = element(0x5600_0020, 'OF', Buffer.alloc(64));
  t.equal(await check(file(image({ pixels: spectroscopy }))), 'whole', 'spectroscopy data in place of pixels');
  const provider: Part = element(0x0028_7fe0, 'UR', 'https://x.example/1');
  t.equal(await check(file(image({ pixels: provider }))), 'whole', 'pixels elsewhere');
});

t.test('sequences are followed to their end, however they are written', async (t) => {
  const inner = [sequence(0x0008_1199, [[us(0x0028_0010, 1)], []], { lengths: 'undefined' }), us(0x0040_0001, 1)];
  for (const syntax of native)
    for (const lengths of ['defined', 'undefined'] as const) {
      const parts = [...report.slice(0, 2), sequence(0x0040_a730, [inner, []], { lengths })];
      const whole = file(parts, { syntax });
      t.equal(await check(whole), 'whole');
      const start = whole.length - dataset(encodingOf(syntax), parts.slice(2)).length;
      for (let length = start + 1; length < whole.length; length++)
        t.equal(await check(whole.subarray(0, length)), 'short', `${syntax} ${lengths} ${length}`);
    }
});

t.test('what has no structure is malformed, what is something else is not DICOM', async (t) => {
  const start = file(image({ pixels: false }));
  const open = head(0x7fe0_0010, 'OB', 0xffff_ffff, encodingOf('explicit'));
  const notAnItem = Buffer.concat([start, open, Buffer.from('JFIF and no item head')]);
  t.equal(await check(notAnItem), 'malformed');
  const item = head(0xfffe_e000, '', 0xffff_ffff, encodingOf('explicit'));
  t.equal(await check(Buffer.concat([start, open, item, Buffer.alloc(20)])), 'malformed', 'a fragment without length');
  t.equal(await check(Buffer.concat([start, item])), 'malformed', 'an item outside a sequence');
  t.equal(await check(Buffer.concat([start, Buffer.from('and then some text that is no element')])), 'malformed');
  const level = Buffer.concat([head(0x0009_1010, 'SQ', 0xffff_ffff, encodingOf('explicit')), item]);
  t.equal(await check(file([raw(Buffer.concat(Array.from({ length: 100 }, () => level)))])), 'malformed', 'too deep');
  for (const text of ['%PDF-1.7 and so on', `${'x'.repeat(128)}DICN`, 'GIF89a'])
    t.equal(await check(Buffer.from(text)), 'not-dicom');
});

t.test('an ordinary CT image costs one read of 64 KB', async (t) => {
  for (const syntax of native) {
    const source = seekOf(file(image({ rows: 512 }), { syntax }));
    t.equal(await checkCompleteness(source), 'whole');
    t.same(source.reads.lengths, [64 * 1024]);
  }
});

t.test('an encoded image of many frames costs one small read a frame, and little for small frames', async (t) => {
  const frames = (count: number, bytes: number) =>
    seekOf(file(image({ pixels: fragments(Array.from({ length: count }, () => Buffer.alloc(bytes, 9))) })));
  const large = frames(100, 50_000);
  t.equal(await checkCompleteness(large), 'whole');
  t.ok(large.reads.lengths.length <= 101, `${large.reads.lengths.length} reads`);
  t.ok(large.reads.bytes < 64 * 1024 + 100 * 512 + 1, `${large.reads.bytes} bytes`);
  const small = frames(2000, 100);
  t.equal(await checkCompleteness(small), 'whole');
  t.ok(small.reads.lengths.length < 10, `${small.reads.lengths.length} reads`);
});

t.test('a file of 4 GB is judged in a few reads', async (t) => {
  const folder = quickFolder('sparse');
  t.teardown(() => rm(folder, { recursive: true }));
  const start = file(image({ pixels: false }), { syntax: 'implicit' });
  const pixels = head(0x7fe0_0010, 'OW', 0xffff_fff0, encodingOf('implicit'));
  const handle = await open(join(folder, 'large'), 'w+');
  t.teardown(() => handle.close());
  await handle.write(Buffer.concat([start, pixels]));
  const full = start.length + 8 + 0xffff_fff0;
  for (const [size, verdict] of [
    [full, 'whole'],
    [full - 1, 'short'],
  ] as const) {
    await handle.truncate(size);
    let reads = 0;
    const readAt = async (offset: number, length: number) => {
      reads++;
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    };
    t.equal(await checkCompleteness({ size, readAt }), verdict);
    t.ok(reads <= 2, `${reads} reads`);
  }
});

t.test('a deflate bomb is given up', async (t) => {
  // Blocks that stand for themselves, so that one of them, made once, can follow itself a hundred times.
  const open = { finishFlush: constants.Z_FULL_FLUSH };
  const endless = deflateRawSync(head(0x0009_1001, 'OB', 0xffff_fff0, encodingOf('explicit')), open);
  const zeros = deflateRawSync(Buffer.alloc(2 ** 23), open);
  const bomb = Buffer.concat([endless, ...Array.from({ length: 100 }, () => zeros), deflateRawSync('')]);
  const before = process.memoryUsage().rss;
  t.equal(await check(Buffer.concat([file([], { label: syntaxes.deflated }), bomb])), 'malformed');
  t.ok(process.memoryUsage().rss - before < 100_000_000, 'in bounded memory');
});

t.test('a file that shrinks while it is read is short', async (t) => {
  const whole = file(image({ pixels: fragments([Buffer.alloc(100_000)]) }));
  const source = {
    size: whole.length,
    readAt: async (at: number, n: number) => whole.subarray(0, 90_000).subarray(at, at + n),
  };
  t.equal(await checkCompleteness(source), 'short');
});

t.test('what the file rejects with comes through', async (t) => {
  await t.rejects(checkCompleteness({ size: 10, readAt: () => Promise.reject(new Error('EIO')) }), { message: 'EIO' });
  const whole = file(image({ rows: 512, pixels: element(0x7fe0_0010, 'OW', Buffer.alloc(200_000)) }), {
    syntax: 'deflated',
  });
  let reads = 0;
  const readAt = async (at: number, n: number) => {
    if (++reads > 2) throw new Error('EIO');
    return whole.subarray(at, at + n);
  };
  await t.rejects(checkCompleteness({ size: whole.length, readAt }), { message: 'EIO' });
});
