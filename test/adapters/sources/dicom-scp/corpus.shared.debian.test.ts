import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { datasetOffset } from '../../../../adapters/dicom/part10.ts';
import { dcmtk, noDcmtk, proposing } from './dcmtk.ts';
import { startListener } from './listener.ts';
import { connectDevice, context, ctImage, explicitLittle } from './scu.ts';
import { tapWire } from './wire.ts';

t.setTimeout(300_000);
/** Every file of ../shared/corpus/dicom, sent by Debian's programs and by a device of our own. */
const corpus = fileURLToPath(new URL('../../../../../shared/corpus/dicom/', import.meta.url));
const skip = !existsSync(corpus) ? '../shared is not here' : noDcmtk;
const index: Array<{ file: string; transferSyntax: string }> = skip
  ? []
  : JSON.parse(readFileSync(`${corpus}index.json`, 'utf8'));

for (const [program, most] of [
  ['storescu', 14],
  ['dcmsend', 17],
] as const)
  t.test(`${program}: what it puts on the wire of each file is kept bit for bit`, { skip }, async (t) => {
    const { port, intake, problems } = await startListener(t, { calling_ae_titles: ['STORESCU', 'DCMSEND'] });
    const wire = await tapWire(t, port);
    const syntaxes = new Set<string>();
    const unsent: string[] = [];
    let untouched = 0;
    for (const { file, transferSyntax } of index) {
      const before = intake.kept.length;
      const options = program === 'storescu' ? ['-R', proposing(transferSyntax)] : ['--decompress-never'];
      await dcmtk(program, ...options, '-aec', 'QIANZHI', '127.0.0.1', String(wire.port), `${corpus}${file}`);
      const kept = intake.kept[before];
      if (kept === undefined) {
        unsent.push(file);
        continue;
      }
      const got = readFileSync(kept.file).subarray(-kept.bytes);
      const sent = wire.datasets().at(-1);
      if (sent === undefined || !got.equals(sent)) t.fail(file);
      if (got.equals(readFileSync(`${corpus}${file}`).subarray(-kept.bytes))) untouched += 1;
      syntaxes.add(kept.origin.transferSyntaxUid);
    }
    t.equal(wire.datasets().length, intake.kept.length);
    t.same(problems(), []);
    t.comment(
      `${intake.kept.length} sent in ${syntaxes.size} transfer syntaxes, ${untouched} of them not rewritten by ${program}`,
    );
    t.comment(`not sent: ${unsent.join(' ')}`);
    t.ok(
      unsent.length <= most,
      `${unsent.length} of ${index.length} are refused by ${program} itself (no SOP class, DICOMDIR, damaged)`,
    );
  });

t.test(
  'the dataset of each file as it lies there, in the syntax of the file, is kept bit for bit',
  { skip },
  async (t) => {
    const { port, intake } = await startListener(t);
    const syntaxes = new Set<string>();
    for (const { file, transferSyntax } of index) {
      const bytes = readFileSync(`${corpus}${file}`);
      const dataset = bytes.subarray(datasetOffset(bytes) ?? 0);
      const syntax = transferSyntax === '' ? explicitLittle : transferSyntax;
      const device = await connectDevice(t, port);
      await device.associate({ contexts: [context(1, ctImage, syntax)] });
      t.equal(await device.store(dataset), '0000', file);
      await device.release();
      const kept = intake.kept.at(-1);
      t.ok(kept && readFileSync(kept.file).subarray(-kept.bytes).equals(dataset), file);
      t.equal(kept?.origin.transferSyntaxUid, syntax);
      syntaxes.add(syntax);
    }
    t.equal(intake.kept.length, index.length);
    t.comment(`${index.length} files in ${syntaxes.size} transfer syntaxes`);
  },
);
