import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { datasetOf, instanceFile } from './files.ts';
import { watch } from './watched.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

t.test('a file goes from the folder to the intake whole, and then to the archive in its tree', async (t) => {
  const w = await watch(t);
  mkdirSync(join(w.inbox, 'a/b'), { recursive: true });
  const made = { uid: '1.2.3.4', pixels: 700_000 };
  writeFileSync(join(w.inbox, 'a/b/IM1.dcm'), instanceFile(made));
  await w.folder.full();
  await w.folder.work();
  t.equal(w.intake.begun, 0, 'not before it is old enough');
  await w.settle();
  t.equal(w.intake.stored.length, 1);
  const [stored] = w.intake.stored;
  t.equal(stored?.uid, '1.2.3.4');
  t.equal(stored?.sha256, sha256(datasetOf(made)), 'the dataset is untouched');
  t.same(
    Buffer.concat([stored!.origin.preamble, datasetOf(made)]),
    instanceFile(made),
    'and so is what came before it',
  );
  t.same(w.files(), []);
  t.same(w.files(w.archive), ['a/b/IM1.dcm']);
  t.match(w.folder.figures(), { takenToday: 1, waiting: 0, held: {}, ignored: {} });
});
