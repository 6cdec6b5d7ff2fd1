import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { archiveSealed } from '../../../../adapters/sources/hl7-folder/archiving.ts';
import { identityOf } from '../../../../adapters/sources/watching/identity.ts';
import { openArchived } from '../../../../agent/security/archive.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { archiveKey, bytesOf, startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

t.test('delete removes, leave leaves, and what was left is read by no later start', async (t) => {
  const gone = await startFolder(t, { after: 'delete' });
  gone.put('x.hl7', oru('A'));
  await until(() => gone.files().length === 0);
  t.equal(gone.stored().length, 1);

  const left = await startFolder(t, { after: 'leave' });
  left.put('x.hl7', oru('A'));
  await left.settled(1);
  await left.source.stop(1000);
  t.same(left.files(), ['x.hl7']);
});

t.test('a file of the same name and content is another delivery: put away, and nothing stored twice', async (t) => {
  const d = await startFolder(t);
  for (let i = 1; i <= 3; i++) {
    d.put('x.hl7', oru('A'));
    await until(() => d.source.status().folder.takenToday === i && d.files().length === 0);
  }
  t.equal(d.stored().length, 1);
  t.equal((await d.archived()).length, 3);
  t.match(d.source.status().folder, { takenToday: 3, duplicatesToday: 2 });
});

t.test('a message that stands twice in a file is stored once, as one that is sent again', async (t) => {
  const d = await startFolder(t);
  d.put('x.hl7', oru('A') + oru('B') + oru('A'));
  await until(() => d.files().length === 0);
  t.same(d.stored(), [oru('A'), oru('B')]);
});

t.test('a plain archive keeps files as they are, in their tree', async (t) => {
  const base = quickFolder('hl7-plain');
  const archive = join(base, 'kept');
  const d = await startFolder(t, { archive: { folder: archive, plain: 'read by the legacy export' } });
  d.put('a/x.hl7', oru('A'));
  await until(() => d.files().length === 0);
  t.same(d.files(archive), ['a/x.hl7']);
  t.equal(bytesOf(join(archive, 'a/x.hl7')), oru('A'));
});

const sealing = (base: string) => ({
  root: join(base, 'in'),
  folder: join(base, 'kept'),
  source: 'lis',
  key: archiveKey,
  keyOf: () => new Uint8Array(16).fill(9),
  clock: systemClock,
});

t.test(
  'sealed and not yet removed when the agent was killed: found, recognised, and sealed no second time',
  async (t) => {
    const base = quickFolder('hl7-sealed');
    const parts = sealing(base);
    mkdirSync(parts.root);
    const path = join(parts.root, 'x.hl7');
    writeFileSync(path, oru('A'));
    const identity = identityOf(statSync(path, { bigint: true }));
    // The same inode again under the old name is what a crash after sealing leaves.
    linkSync(path, join(base, 'again'));
    t.equal(await archiveSealed(parts, 'x.hl7', identity), 'done');
    renameSync(join(base, 'again'), path);
    t.equal(await archiveSealed(parts, 'x.hl7', identity), 'done');
    t.notOk(existsSync(path));
    const kept = readdirSync(parts.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.qza'),
    );
    t.equal(kept.length, 1);

    // A damaged one under that name is no copy of anything: it stays, and another is made.
    const [name = ''] = kept;
    const bytes = readFileSync(join(parts.folder, name));
    writeFileSync(join(parts.folder, name), bytes.subarray(0, bytes.length - 1));
    writeFileSync(path, oru('A'));
    await archiveSealed(parts, 'x.hl7', identityOf(statSync(path, { bigint: true })));
    const after = readdirSync(parts.folder, { recursive: true, encoding: 'utf8' }).filter((found) =>
      found.endsWith('.qza'),
    );
    t.equal(after.length, 2);
  },
);

t.test('what was changed since it was taken is not archived, and not removed', async (t) => {
  const base = quickFolder('hl7-changed');
  const parts = sealing(base);
  mkdirSync(parts.root);
  const path = join(parts.root, 'x.hl7');
  writeFileSync(path, oru('A'));
  const identity = identityOf(statSync(path, { bigint: true }));
  writeFileSync(path, oru('B') + oru('C'));
  t.equal(await archiveSealed(parts, 'x.hl7', identity), 'other');
  t.equal(bytesOf(path), oru('B') + oru('C'));
});

t.test('a sealed file that was cut, lengthened, changed, or is of another key does not open', async (t) => {
  const d = await startFolder(t);
  const content = oru('A', `OBX|1|ED|X||${'ABCDEFGH'.repeat(80_000)}\r`);
  d.put('x.hl7', content);
  await until(() => d.files().length === 0);
  const [name = ''] = d.files(d.archive);
  const path = join(d.archive, name);
  const sealed = readFileSync(path);
  t.notMatch(sealed.toString('latin1'), 'ZHANG', 'nothing of it is to be seen');
  const opens = async (bytes: Uint8Array, key = archiveKey): Promise<string> => {
    writeFileSync(path, bytes);
    let read = 0;
    try {
      const opened = await openArchived(key, path);
      try {
        for await (const piece of opened.content) read += piece.length;
      } finally {
        await opened.close();
      }
    } catch (error) {
      return (error as { code: string }).code;
    }
    return read === content.length ? 'whole' : 'short';
  };
  t.equal(await opens(sealed), 'whole');
  for (const length of [0, 10, 40, 56, 1000, 256 * 1024 + 56, 2 * (256 * 1024 + 16) + 40, sealed.length - 1])
    t.equal(await opens(sealed.subarray(0, length)), 'QUE-4003', `cut to ${length}`);
  t.equal(await opens(Buffer.concat([sealed, Buffer.alloc(20)])), 'QUE-4003', 'lengthened');
  for (const at of [3, 60, 300_000, sealed.length - 3]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.equal(await opens(changed), 'QUE-4003', `changed at ${at}`);
  }
  t.equal(await opens(sealed, new Uint8Array(32)), 'QUE-4004', 'another key');
  t.equal(await opens(sealed), 'whole');
});

t.test('where nothing can be archived the file stays, is told of, and is not read again', async (t) => {
  const base = quickFolder('hl7-blocked');
  const blocked = join(base, 'kept');
  writeFileSync(blocked, 'a file, not a folder');
  const d = await startFolder(t, { archive: { folder: blocked } });
  d.put('x.hl7', oru('A'));
  await until(() => d.source.status().folder.held['HL7-2134'] === 1);
  t.same(d.files(), ['x.hl7']);
  t.match(d.source.status().senders[0]?.problem, { code: 'HL7-2134' });
  chmodSync(blocked, 0o600);
  renameSync(blocked, join(base, 'away'));
  await until(() => d.files().length === 0);
  t.equal(d.accepted(), 1);
  t.same((await d.archived()).length, 0);
  t.equal(d.files(blocked).length, 1);
});

t.test('an archive that is the folder, or around it, is refused', async (t) => {
  await t.rejects(startFolder(t, { archive: { folder: '/' } }), { code: 'HL7-2135', where: 'sources.lis.archive' });
});
