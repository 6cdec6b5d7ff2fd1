import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { compressed, compressedBeside, decompressed } from '../../../agent/support/zstd.ts';

// About the sizes at which the room is one piece, several, or what Node's pool is.
const sizes = [0, 1, 1024, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 131_072, 1 << 20, (1 << 21) + 1, 5_000_000];

for (const [what, fill] of [
  ['that shrink', (size: number) => Buffer.alloc(size, 'OBX|1|NM|K||6.21')],
  ['that do not', (size: number) => randomBytes(size)],
] as const)
  t.test(`values of every size ${what}, there and back, beside Node's own`, async (t) => {
    for (const size of sizes) {
      const plain = fill(size);
      const was = Buffer.from(plain);
      for (const made of [compressed(plain), await compressedBeside(plain)]) {
        t.ok(zstdDecompressSync(made).equals(was), `${size} there`);
        t.ok(decompressed(made).equals(was), `${size} and back`);
      }
      t.ok(decompressed(zstdCompressSync(plain)).equals(was));
      t.ok(plain.equals(was), 'what was given is as it was');
    }
  });

t.test('several at a time beside the thread', async (t) => {
  const values = Array.from({ length: 64 }, (_, n) => Buffer.alloc(100 + n * 3_000, `value ${n} `));
  const made = await Promise.all(values.map(compressedBeside));
  t.same(
    made.map((one, n) => decompressed(one).equals(values[n]!)),
    values.map(() => true),
  );
});

t.test('damaged bytes throw', async (t) => {
  const made = compressed(Buffer.alloc(5_000, 'text'));
  t.throws(() => decompressed(made.subarray(0, made.length - 3)));
  t.throws(() => decompressed(Buffer.from('no zstd at all')));
});

t.test(
  'what it worked in does not stand: a look among the young finds nothing left of a thousand values',
  async (t) => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as (how: object) => void;
    const plain = Buffer.alloc(20_000, 'OBX|1|NM|K||6.21');
    const standing = async (work: () => unknown): Promise<number> => {
      gc({ type: 'major', execution: 'sync' });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const before = process.memoryUsage().arrayBuffers;
      for (let n = 1; n <= 1_000; n++) {
        work();
        if (n % 100 === 0) gc({ type: 'minor', execution: 'sync' });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      return process.memoryUsage().arrayBuffers - before;
    };
    const made = compressed(plain);
    const ours = await standing(() => decompressed(compressed(plain)));
    const nodes = await standing(() => zstdCompressSync(plain));
    t.ok(ours < 1 << 20, `${ours} bytes`);
    t.comment(`Node's own leave ${nodes} bytes; one value is ${made.length}`);
  },
);
