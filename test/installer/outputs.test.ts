import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { isCurrent, writeOutputs } from '../../installer/outputs.ts';

t.test('a build leaves its own files and nothing of earlier builds', async (t) => {
  const folder = t.testdir();
  const out = pathToFileURL(`${join(folder, 'out')}/`);
  const build = (...names: string[]) =>
    writeOutputs(
      out,
      names.map((name) => ({ name, contents: name })),
      ['package.json'],
    );
  await build('main.js', 'part-OLD.js');
  mkdirSync(join(folder, 'out', 'folder'));
  writeFileSync(join(folder, 'out', 'part-OTHER.js.1.new'), 'the draft of a build at the same time');

  await build('main.js', 'part-NEW.js');
  t.same(readdirSync(new URL(out)).sort(), ['folder', 'inputs.json', 'main.js', 'part-NEW.js', 'part-OTHER.js.1.new']);
  t.equal(await isCurrent(out, ['main.js', 'part-NEW.js']), true);
  t.equal(await isCurrent(out, ['main.js', 'part-OLD.js']), false);
});
