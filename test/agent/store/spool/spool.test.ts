import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CHUNK } from '../../../../agent/security/chunks.ts';
import type { NewSpoolFile } from '../../../../agent/store/image-contract.ts';
import { openSpool, type Spool } from '../../../../agent/store/spool.ts';
import { codeOf } from '../../../../agent/support/errors.ts';
import { quickFolder } from '../../../quick-folder.ts';

const rig = (full = () => false) => {
  const folder = join(quickFolder('spool'), 'spool');
  return { folder, spool: openSpool({ folder, full }) };
};
const pathOf = (folder: string, name: string) => join(folder, name[0]!, name[1]!, name);
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

async function write(spool: Spool, content: Uint8Array, pieceBytes = 100_000, preamble?: Uint8Array) {
  const writing = await spool.begin();
  if (preamble) await writing.write(preamble, false);
  for (let at = 0; at < content.length; at += pieceBytes) await writing.write(content.subarray(at, at + pieceBytes));
  const file = await writing.finish();
  await file.named;
  return file;
}
async function read(spool: Spool, file: NewSpoolFile, end?: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of spool.read(file, end)) {
    if (piece.length === 0 || piece.length > CHUNK) throw new Error('a piece of a wrong size');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
const failure = (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => 'nothing failed',
    (error: unknown) => codeOf(error, 'SYS-6004'),
  );

t.test('what is written is what is read, for every length around a chunk’s', async (t) => {
  const { spool } = rig();
  for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17]) {
    const content = randomBytes(length);
    const file = await write(spool, content, 70_001);
    t.equal(file.bytes, length);
    t.ok((await read(spool, file)).equals(content), `${length} bytes`);
    t.same(file.contentHash, createHash('sha256').update(content).digest());
  }
});

t.test('the caller’s buffer may change after each write', async (t) => {
  const { spool } = rig();
  const writing = await spool.begin();
  const buffer = Buffer.alloc(90_000);
  for (let i = 0; i < 10; i++) await writing.write(buffer.fill(i));
  const file = await writing.finish();
  const content = await read(spool, file);
  for (let i = 0; i < 10; i++) t.ok(content.subarray(i * 90_000, (i + 1) * 90_000).every((byte) => byte === i));
});

t.test('the preamble is in the file and not in what makes two instances the same', async (t) => {
  const { spool } = rig();
  const content = randomBytes(1000);
  const a = await write(spool, content, 300, Buffer.from('made by one'));
  const b = await write(spool, content, 1000, Buffer.from('made by another one'));
  t.same(a.contentHash, b.contentHash);
  t.equal((await read(spool, a)).subarray(0, 11).toString(), 'made by one');
  t.equal(b.bytes, 1019);
});

t.test('a head can be read without the rest', async (t) => {
  const { spool, folder } = rig();
  const content = randomBytes(5 * CHUNK);
  const file = await write(spool, content);
  t.ok((await read(spool, file, 1000)).equals(content.subarray(0, 1000)));
  t.ok((await read(spool, file, CHUNK)).equals(content.subarray(0, CHUNK)));
  t.ok((await read(spool, file, CHUNK + 5)).equals(content.subarray(0, CHUNK + 5)));
  // What is damaged behind it is found by whoever reads that far.
  const path = pathOf(folder, file.name);
  const bytes = readFileSync(path);
  bytes[4 * CHUNK] = bytes[4 * CHUNK]! ^ 1;
  writeFileSync(path, bytes);
  t.ok((await read(spool, file, 1000)).equals(content.subarray(0, 1000)));
  t.equal(await failure(read(spool, file)), 'QUE-4003');
});

t.test('a file that was changed in any way does not open', async (t) => {
  const { spool, folder } = rig();
  const file = await write(spool, randomBytes(3 * CHUNK + 100));
  const path = pathOf(folder, file.name);
  const whole = readFileSync(path);
  const sealed = CHUNK + 16;
  const chunk = (i: number) => whole.subarray(1 + i * sealed, Math.min(whole.length, 1 + (i + 1) * sealed));
  const other = await write(spool, randomBytes(3 * CHUNK + 100));
  const changes: Record<string, Buffer | 'gone'> = {
    'a flipped bit': Buffer.concat([
      whole.subarray(0, 300_000),
      Buffer.of(whole[300_000]! ^ 4),
      whole.subarray(300_001),
    ]),
    'a flipped bit in a tag': Buffer.concat([whole.subarray(0, whole.length - 1), Buffer.of(whole.at(-1)! ^ 1)]),
    'another format': Buffer.concat([Buffer.of(2), whole.subarray(1)]),
    'cut inside a chunk': whole.subarray(0, whole.length - 7),
    'cut between chunks': whole.subarray(0, 1 + 3 * sealed),
    'cut to its first byte': whole.subarray(0, 1),
    empty: Buffer.alloc(0),
    'two chunks swapped': Buffer.concat([whole.subarray(0, 1), chunk(1), chunk(0), chunk(2), chunk(3)]),
    'a chunk left out': Buffer.concat([whole.subarray(0, 1), chunk(0), chunk(2), chunk(3)]),
    'a chunk twice': Buffer.concat([whole, chunk(3)]),
    'bytes behind it': Buffer.concat([whole, Buffer.alloc(5)]),
    'a chunk of zeros behind it': Buffer.concat([whole, Buffer.alloc(sealed)]),
    'a tail of zeros': Buffer.concat([whole.subarray(0, whole.length - 50), Buffer.alloc(50)]),
    'another file in its place': readFileSync(pathOf(folder, other.name)),
    'a missing file': 'gone',
  };
  for (const [what, bytes] of Object.entries(changes)) {
    if (bytes === 'gone') await spool.remove(file.name);
    else writeFileSync(path, bytes);
    t.equal(await failure(read(spool, file)), 'QUE-4003', what);
  }
  writeFileSync(path, whole);
  t.equal(await failure(read(spool, file)), 'nothing failed');
  t.equal(await failure(read(spool, { ...file, key: randomBytes(32) })), 'QUE-4003', 'the key of no file');
});

t.test('nothing of the content lies open in the folder, and each file has a key of its own', async (t) => {
  const { spool, folder } = rig();
  const content = Buffer.from('珅玘金丝雀'.repeat(1000));
  const [a, b] = [await write(spool, content), await write(spool, content)];
  t.notSame(a.key, b.key);
  const [first, second] = [a, b].map(({ name }) => readFileSync(pathOf(folder, name)));
  const keys = [a, b].map(({ key }) => Buffer.from(key));
  t.notOk(first!.equals(second!));
  for (const bytes of [first!, second!]) {
    t.notOk(bytes.includes(Buffer.from('金丝雀')));
    t.notOk(keys.some((key) => bytes.includes(key)));
  }
});

t.test('files made ahead are used one after the other, and do not stay', async (t) => {
  const folder = join(quickFolder('ahead'), 'spool');
  const spool = openSpool({ folder, ahead: 2 });
  t.same(files(folder), [], 'none before the first is asked for');
  const ready = () => files(folder).filter((name) => name.endsWith('.part')).length;
  const contents = Array.from({ length: 6 }, (_, n) => randomBytes(n * 1000));
  const kept: NewSpoolFile[] = [];
  for (const content of contents.slice(0, 3)) kept.push(await write(spool, content));
  t.equal(ready(), 2);
  kept.push(...(await Promise.all(contents.slice(3).map((content) => write(spool, content)))));
  t.equal(ready(), 2, 'and never more than were asked for');
  for (const [n, file] of kept.entries()) t.same(await read(spool, file), contents[n]);
  t.equal(new Set(kept.map(({ name }) => name)).size, 6);
  while (ready() > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  t.same(files(folder).sort(), kept.map(({ name }) => name).sort(), 'those that nobody wanted go');
  t.same(await read(spool, await write(spool, Buffer.from('again'))), Buffer.from('again'));
});

t.test('files made ahead lie together by halves, so that one sync of their folder serves them all', async (t) => {
  const folder = join(quickFolder('together'), 'spool');
  const spool = openSpool({ folder, ahead: 16 });
  await write(spool, Buffer.from('first'));
  const parts = () => files(folder).filter((name) => name.endsWith('.part'));
  while (parts().length < 16) await new Promise((resolve) => setTimeout(resolve, 10));
  t.ok(new Set(parts().map((name) => name.slice(0, 2))).size <= 2, 'two folders of 256');
});

t.test('what is unfinished has no name: it is discarded, or swept after a crash', async (t) => {
  const { spool, folder } = rig();
  const kept = await write(spool, randomBytes(10));
  const discarded = await spool.begin();
  await discarded.write(randomBytes(2 * CHUNK));
  await discarded.discard();
  await discarded.discard();
  t.same(files(folder), [kept.name]);
  t.equal(await failure(discarded.write(randomBytes(1))), 'QUE-4020');
  t.equal(await failure(discarded.finish()), 'QUE-4020');

  const crashed = await spool.begin();
  await crashed.write(randomBytes(2 * CHUNK));
  t.equal(files(folder).length, 2);
  t.same((await Promise.all(spool.prefixes().map((p) => spool.list(p)))).flat(), [kept.name], 'and is in no list');
  const again = openSpool({ folder });
  const left = (await Promise.all(again.prefixes().map((p) => again.unfinished(p)))).flat();
  t.equal(left.length, 1);
  await again.drop(left[0]!);
  t.same(files(folder), [kept.name]);
  await crashed.discard();

  const finished = await write(spool, randomBytes(10));
  const writing = await spool.begin();
  const file = await writing.finish();
  await writing.discard();
  t.ok(existsSync(pathOf(folder, file.name)), 'what is finished stays');
  t.ok((await read(spool, finished)).length === 10);
});

t.test('a file that nobody knows is put aside whole', async (t) => {
  const { spool, folder } = rig();
  const file = await write(spool, randomBytes(1000));
  const bytes = readFileSync(pathOf(folder, file.name));
  await spool.setAside(file.name, Date.now());
  t.ok(readFileSync(join(folder, 'aside', file.name)).equals(bytes));
  t.same((await Promise.all(spool.prefixes().map((p) => spool.list(p)))).flat(), []);
});

t.test('a name that is not one of ours leads nowhere', async (t) => {
  const { spool, folder } = rig();
  writeFileSync(join(folder, '..', 'other'), 'x');
  for (const name of ['../other', '', 'a'.repeat(31), `${'a'.repeat(30)}/x`, 'A'.repeat(32)]) {
    t.equal(await failure(spool.remove(name)), 'QUE-4003');
    t.throws(() => spool.read({ name, key: randomBytes(32) }), { code: 'QUE-4003' });
  }
  t.ok(existsSync(join(folder, '..', 'other')));
});

t.test('while intake is stopped none is begun', async (t) => {
  let full = true;
  const { spool } = rig(() => full);
  t.equal(await failure(spool.begin()), 'QUE-4002');
  full = false;
  t.equal((await write(spool, randomBytes(5))).bytes, 5);
});

t.test('a file that cannot be given its name fails with a code and leaves nothing', async (t) => {
  const { spool, folder } = rig();
  const writing = await spool.begin();
  await writing.write(randomBytes(10));
  const [part] = files(folder);
  const path = pathOf(folder, part!);
  mkdirSync(path.slice(0, -'.part'.length));
  t.equal(await failure(writing.finish()), 'QUE-4020');
  t.notOk(existsSync(path), 'the unfinished file is given up');
});
