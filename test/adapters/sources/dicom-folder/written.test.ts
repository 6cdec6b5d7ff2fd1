import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { element, type FileOptions, file, image, type SyntaxName, sequence } from '../../dicom/build.ts';
import { instanceFile, mediaDirectory } from './files.ts';
import { watch } from './watched.ts';

/** The ways in which files come. */
const ways: Array<FileOptions & { name: string; syntax: SyntaxName; lengths: 'defined' | 'undefined' }> = [];
for (const syntax of ['implicit', 'explicit', 'big', 'deflated'] as const)
  for (const lengths of ['defined', 'undefined'] as const) {
    ways.push({ name: `${syntax}, ${lengths} lengths`, syntax, lengths });
    if (syntax === 'deflated') continue;
    ways.push({ name: `${syntax}, ${lengths} lengths, no preamble`, syntax, lengths, preamble: false, meta: false });
  }

/** One image written in such a way, with a UID of its own. */
function written(way: (typeof ways)[number], at: number): Buffer {
  const inner = [element(0x0008_1150, 'UI', '1.2.840.10008.5.1.4.1.1.2'), element(0x0008_1155, 'UI', '1.2.9')];
  const instead = [
    [0x0008_0018, element(0x0008_0018, 'UI', `1.2.826.0.1.3680043.10.9999.7.${at + 1}`)],
    [0x0008_1140, sequence(0x0008_1140, [inner, inner], { lengths: way.lengths })],
  ] as const;
  return file(image({ instead, rows: 32 }), way);
}

t.test('however a file is written, it is taken when it is whole and waits while it is cut off', async (t) => {
  const w = await watch(t, { after: 'leave' });
  const files = ways.map(written);
  for (const [i, whole] of files.entries())
    writeFileSync(join(w.inbox, `IM${i}`), whole.subarray(0, Math.floor(whole.length * 0.9)));
  await w.settle();
  w.clock.pass(60_000);
  await w.settle();
  t.equal(w.intake.begun, 0);
  t.same(w.folder.figures().held, { 'DCM-2204': files.length }, 'each is shown to wait');

  for (const [i, whole] of files.entries()) writeFileSync(join(w.inbox, `IM${i}`), whole);
  w.clock.pass(60_000);
  await w.settle();
  await w.settle();
  t.match(w.folder.figures(), { takenToday: files.length, waiting: 0, held: {} });
  for (const [i, way] of ways.entries()) {
    const stored = w.intake.stored.find(({ uid }) => uid.endsWith(`.7.${i + 1}`));
    const dataset = (files[i] ?? Buffer.alloc(0)).subarray(-(stored?.bytes ?? 0));
    t.equal(stored?.sha256, createHash('sha256').update(dataset).digest('hex'), `${way.name}: its bytes untouched`);
  }
});

t.test('a medium as it comes: folders of images without extension, and a DICOMDIR that is passed over', async (t) => {
  const w = await watch(t, { after: 'leave' });
  const folders = ['DICOM/PAT00000/STU00000/SER00000', 'DICOM/PAT00000/STU00001/SER00000', 'IMAGES'];
  for (const [i, folder] of folders.entries()) {
    mkdirSync(join(w.inbox, folder), { recursive: true });
    for (const image of [0, 1])
      writeFileSync(join(w.inbox, folder, `IMG0000${image}`), instanceFile({ uid: `1.2.${i}.${image}` }));
  }
  writeFileSync(join(w.inbox, 'DICOMDIR'), mediaDirectory());
  writeFileSync(join(w.inbox, 'AUTORUN.INF'), '[autorun]\nopen=viewer.exe\n');
  writeFileSync(join(w.inbox, 'VIEWER.EXE'), Buffer.concat([Buffer.from('MZ'), Buffer.alloc(500, 0x90)]));
  await w.settle();
  t.match(w.folder.figures(), { takenToday: 6, held: {}, waiting: 0 });
  t.same(w.folder.figures().ignored, { 'media-directory': 1, 'not-dicom': 2 });
});

/** A native image whose file has its full size from the beginning: its structure cannot tell that pixels are missing. */
function preallocated(path: string, whole: Buffer) {
  const handle = openSync(path, 'w');
  ftruncateSync(handle, whole.length);
  let at = 0;
  return {
    write(bytes: number) {
      writeSync(handle, whole, at, Math.min(bytes, whole.length - at), at);
      at += bytes;
    },
    close: () => closeSync(handle),
  };
}

t.test('a native image that got its full size first (Samba) is not taken while it is being written', async (t) => {
  const w = await watch(t);
  const whole = instanceFile({ uid: '1.2.3', pixels: 100_000 });
  const copy = preallocated(join(w.inbox, 'IM1'), whole);
  for (let at = 0; at < whole.length; at += 10_000) {
    copy.write(10_000);
    await w.folder.full();
    w.clock.pass(1500);
    await w.folder.work();
    t.equal(w.intake.begun, 0);
  }
  copy.close();
  await w.settle();
  w.clock.pass(60_000);
  await w.settle();
  t.same(
    w.intake.stored.map(({ bytes }) => bytes),
    [whole.length - (w.intake.stored[0]?.origin.preamble.length ?? 0)],
  );
});

t.test(
  'where its writer stood still for long, what came at last is kept beside it as a conflict, and shown',
  async (t) => {
    const w = await watch(t, { after: 'leave' });
    const whole = instanceFile({ uid: '1.2.3', pixels: 100_000 });
    const copy = preallocated(join(w.inbox, 'IM1'), whole);
    copy.write(50_000);
    await w.settle();
    t.equal(w.intake.stored.length, 1);
    copy.write(whole.length);
    copy.close();
    await w.settle();
    w.clock.pass(60_000);
    await w.settle();
    t.match(w.folder.figures(), { takenToday: 2, conflictsToday: 1 });
    const preamble = w.intake.stored[1]?.origin.preamble.length ?? 0;
    t.equal(w.intake.stored[1]?.sha256, createHash('sha256').update(whole.subarray(preamble)).digest('hex'));
  },
);
