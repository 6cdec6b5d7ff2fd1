import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';

const page = readFileSync(new URL('../../docs/platform-api.md', import.meta.url), 'utf8');
const api = parse(readFileSync(new URL('../../docs/platform-api.openapi.yaml', import.meta.url), 'utf8'));

t.test('every reference of the OpenAPI file leads somewhere', async (t) => {
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, value] of Object.entries(node)) {
      if (name !== '$ref') walk(value);
      else {
        const steps = String(value).slice(2).split('/');
        t.ok(
          steps.reduce((at: Record<string, never> | undefined, step) => at?.[step], api),
          String(value),
        );
      }
    }
  };
  walk(api);
});

t.test('page and OpenAPI file name the same paths, members, verdicts and answers', async (t) => {
  for (const path of Object.keys(api.paths)) t.match(page, `{url}${path}`);
  for (const member of Object.keys(api.components.schemas.Document.properties)) t.match(page, `| \`${member}\` |`);
  for (const status of api.components.schemas.Verdict.properties.status.enum) t.match(page, `| \`${status}\` |`);
  for (const status of Object.keys(api.paths['/v1/documents'].post.responses)) t.match(page, status);
});
