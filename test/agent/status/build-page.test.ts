import { readFile, rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { buildPage } from '../../../installer/build-page.ts';

t.test('the page is built once, and again only when something is missing or changed', async (t) => {
  const out = pathToFileURL(`${t.testdir()}/web/`);
  t.equal(await buildPage(out), true);
  t.equal(await buildPage(out), false);
  await rm(new URL('page.css', out));
  t.equal(await buildPage(out), true);
  t.match(await readFile(new URL('page.css', out), 'utf8'), ':root{');
});

t.test('the bundle asks nothing of anybody else and writes no markup', async (t) => {
  const out = pathToFileURL(`${t.testdir()}/web/`);
  await buildPage(out);
  const script = await readFile(new URL('page.js', out), 'utf8');
  const urls = [...script.matchAll(/https?:\/\/[^"'`\s)]+/g)].map((m) => m[0]);
  t.same(
    [...new Set(urls)].filter((url) => !url.startsWith('http://www.w3.org/')),
    [],
  );
  t.notMatch(script, /\beval\(|new Function|document\.write|insertAdjacentHTML/);
});
