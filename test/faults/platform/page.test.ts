import { readFileSync } from 'node:fs';
import t from 'tap';
import { platformCases } from './cases.ts';
import { platformFaultsPage, platformFaultsPath } from './page.ts';

t.test('docs/platform-faults.md says what the cases say (else run test/faults/platform/page.ts)', async (t) => {
  t.equal(readFileSync(platformFaultsPath, 'utf8').replaceAll('\r\n', '\n'), platformFaultsPage());
});

t.test('every case has a name of its own', async (t) => {
  const ids = platformCases.flatMap(({ cases }) => cases.map(({ id }) => id));
  t.equal(new Set(ids).size, ids.length);
});
