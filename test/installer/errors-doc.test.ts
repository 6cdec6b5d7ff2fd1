import { readFileSync } from 'node:fs';
import t from 'tap';
import { errorTable } from '../../agent/support/errors.ts';
import { errorsDoc, errorsDocPath, homelessCodes } from '../../installer/make-errors-doc.ts';

t.test('docs/errors.md is what the error table makes (else run installer/make-errors-doc.ts)', async (t) => {
  t.equal(readFileSync(errorsDocPath, 'utf8').replaceAll('\r\n', '\n'), errorsDoc());
});

t.test('every code has an anchor in it', async (t) => {
  t.same(homelessCodes(), []);
  const doc = errorsDoc();
  for (const code of Object.keys(errorTable)) t.ok(doc.includes(`\n### ${code}\n`), code);
});
