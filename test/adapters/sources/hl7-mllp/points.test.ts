import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** The numbers that the titles of a test file begin with: `point 16: …`, `points 15 and 16: …`, `point 10 over TLS: …`. */
function numbersIn(source: string): number[] {
  const titles = source.matchAll(/\bt\.test\(\s*['"`]points? (\d+)(?: and (\d+))?\b/g);
  return [...titles].flatMap(([, first, second]) => [Number(first), ...(second === undefined ? [] : [Number(second)])]);
}

t.test('each of the 53 points of reference/hl7v2.md §3.2 has a test that is named by its number', (t) => {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const files = globSync('test/**/*.test.ts', { cwd: root });
  const named = new Set(files.flatMap((file) => numbersIn(readFileSync(join(root, file), 'utf8'))));
  const missing = Array.from({ length: 53 }, (_, n) => n + 1).filter((point) => !named.has(point));
  t.same(missing, []);
  t.end();
});
