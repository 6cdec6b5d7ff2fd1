import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { watch } from './watched.ts';

const corpus = fileURLToPath(new URL('../../../../../shared/corpus/dicom/', import.meta.url));
const skip = existsSync(corpus) ? false : 'shared/corpus is not here';

interface CorpusFile {
  file: string;
}

t.test('a medium with its DICOMDIR: the directory is passed over, what it refers to is found', { skip }, async (t) => {
  const w = await watch(t, { after: 'leave' });
  const at = (name: string) => join(corpus, 'pydicom+pydicom', `dicomdirtests_${name}`);
  for (const [i, name] of ['DICOMDIR', 'DICOMDIR-bigEnd', 'DICOMDIR-nooffset'].entries()) {
    mkdirSync(join(w.inbox, `cd${i}/77654033/CR1`), { recursive: true });
    cpSync(at(name), join(w.inbox, `cd${i}/DICOMDIR`));
    cpSync(at('77654033_CR1_6154'), join(w.inbox, `cd${i}/77654033/CR1/6154`));
  }
  await w.settle();
  t.match(w.folder.figures(), { takenToday: 3, duplicatesToday: 2, held: {} });
  t.same(w.folder.figures().ignored, { 'media-directory': 3 });
});

t.test('each file of the corpus is taken with its dataset untouched, or has a reason', { skip }, async (t) => {
  const w = await watch(t, { after: 'leave', giveUpMs: 60_000 });
  const files = (JSON.parse(readFileSync(join(corpus, 'index.json'), 'utf8')) as CorpusFile[]).map(({ file }) => file);
  for (const file of files) {
    mkdirSync(dirname(join(w.inbox, file)), { recursive: true });
    cpSync(join(corpus, file), join(w.inbox, file));
  }
  await w.settle();
  w.clock.pass(120_000);
  await w.settle();
  const { takenToday, ignored, held, waiting } = w.folder.figures();
  const count = (counts: object) => Object.values(counts).reduce((sum: number, n: number) => sum + n, 0);
  t.equal(takenToday + count(ignored) + count(held), files.length);
  t.equal(waiting, 0);
  t.comment(`${takenToday} of ${files.length} taken`, ignored, held);
  for (const { sha256, bytes } of w.intake.stored) {
    const from = files.find((file) => {
      const content = readFileSync(join(corpus, file));
      return (
        createHash('sha256')
          .update(content.subarray(content.length - bytes))
          .digest('hex') === sha256
      );
    });
    t.ok(from, 'the end of a file of the corpus, byte for byte');
  }
  t.same(w.files().length, files.length);
});
