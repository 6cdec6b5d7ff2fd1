import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { StatusModel } from '../../../agent/status/model.ts';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { errorTable, isErrorCode } from '../../../agent/support/errors.ts';
import { buildPage } from '../../../installer/build-page.ts';
import { launchChromium, skipChromium } from './chromium.ts';
import {
  type FixtureServer,
  faultParts,
  freshParts,
  healthyParts,
  knownAccession,
  messageRows,
  serveModel,
  troubledParts,
} from './fixture.ts';

const skip = skipChromium;

// biome-ignore lint/performance/useDomNodeTextContent: what a person sees is the question here
const shown = (part: Locator): Promise<string> => part.innerText();

interface Opened {
  page: Page;
  server: FixtureServer;
  /** Console errors, page errors and CSP reports. */
  complaints: string[];
  /** Requests to anything but the server. */
  foreign: string[];
}

t.setTimeout(600_000);
let browser: Browser;
t.before(async () => {
  if (skip !== false) return;
  await buildPage();
  browser = await launchChromium();
});
t.teardown(() => browser?.close());

async function open(t: Test, model: StatusModel, options: BrowserContextOptions = {}): Promise<Opened> {
  const server = await serveModel(model);
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 768 }, ...options });
  t.teardown(async () => {
    await context.close();
    await server.close();
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) foreign.push(request.url());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP ${e.violatedDirective}`));
  });
  await page.goto(server.url);
  await page.waitForSelector('.stations');
  return { page, server, complaints, foreign };
}

t.test('the verdict, whose side it is, whom to call and what to do are on the first screen', { skip }, async (t) => {
  const { page } = await open(t, composeStatus(faultParts()));
  const verdict = await shown(page.locator('.verdict'));
  for (const words of ['故障', '平台不接受本机证书', 'TLS-1204', '平台一侧', '平台的运维人员', '02:13:07']) {
    t.match(verdict, words);
  }
  t.match(verdict, errorTable['TLS-1204'].zh.fix);
  t.match(await page.title(), '故障');
});

t.test('at 1366×768 the verdict, the stations and three problems need no scrolling', { skip }, async (t) => {
  const { page } = await open(t, { ...composeStatus(faultParts()), demo: true });
  const bottom = await page
    .locator('.problem')
    .nth(2)
    .evaluate((e) => e.getBoundingClientRect().bottom);
  t.ok(bottom <= 768, `third problem ends at ${bottom}`);
});

t.test('every problem gives its cause and its fix after one click', { skip }, async (t) => {
  const model = composeStatus(faultParts());
  const { page } = await open(t, model);
  t.equal(await page.locator('.problem').count(), model.problems.length);
  for (const [at, { code }] of model.problems.entries()) {
    const row = page.locator('.problem').nth(at);
    await row.locator('summary').click();
    const words = await shown(row);
    if (!isErrorCode(code)) throw new Error(code);
    t.match(words, errorTable[code].zh.cause, code);
    t.match(words, errorTable[code].zh.fix, code);
  }
});

t.test('a problem opens from the keyboard too', { skip }, async (t) => {
  const { page } = await open(t, composeStatus(faultParts()));
  await page.locator('.problem summary').first().focus();
  await page.keyboard.press('Enter');
  t.ok((await page.locator('.problem').first().getAttribute('open')) !== null);
});

t.test('the language is the browser’s, can be switched, and is remembered', { skip }, async (t) => {
  const { page, server } = await open(t, composeStatus(healthyParts()));
  t.match(await shown(page.locator('.verdict')), '正常');
  t.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
  await page.click('.plain-button');
  t.match(await shown(page.locator('.verdict')), 'OK');
  t.equal(await page.getAttribute('html', 'lang'), 'en');
  await page.goto(server.url);
  await page.waitForSelector('.stations');
  t.match(await shown(page.locator('.verdict')), 'OK');
  const english = await open(t, composeStatus(healthyParts()), { locale: 'de-DE' });
  t.match(await shown(english.page.locator('.verdict')), 'OK');
});

t.test('the configured language holds until somebody chooses another', { skip }, async (t) => {
  const model = composeStatus(healthyParts());
  const configured = { ...model, site: { ...model.site, language: 'zh' as const } };
  const { page, server } = await open(t, configured, { locale: 'en-US' });
  t.match(await shown(page.locator('.verdict')), '正常');
  await page.click('.plain-button');
  t.match(await shown(page.locator('.verdict')), 'OK');
  await page.goto(server.url);
  await page.waitForSelector('.stations');
  t.match(await shown(page.locator('.verdict')), 'OK');
});

t.test('studies are listed where images come in, with what became of their images', { skip }, async (t) => {
  const model = composeStatus(healthyParts());
  t.equal(await (await open(t, model)).page.locator('#studies-title').count(), 0, 'and nowhere else');
  const { page } = await open(t, { ...model, images }, { locale: 'en-US' });
  const card = page.locator('section', { has: page.locator('#studies-title') });
  await card.locator('tbody tr').first().waitFor();
  const rows = await card.locator('tbody tr').allInnerTexts();
  t.match(rows[0], /7\s+pacs\s+CT\s+30 images.*being received · urgent.*18 waiting for upload\s+cloud.*12 uploaded/s);
  t.match(rows[1], /complete, issue 2 · contradicts itself about the patient.*2 held for a person/s);
});

const images = { files: 3, fileBytes: 1_500_000, unindexed: 0 };

t.test('a study is found by its accession number, which stands in no address', { skip }, async (t) => {
  const model = { ...composeStatus(healthyParts()), images };
  const { page, complaints } = await open(t, model, { locale: 'en-US' });
  const asked: Array<[method: string, url: string]> = [];
  page.on('request', (request) => asked.push([request.method(), request.url()]));
  const card = page.locator('section', { has: page.locator('#studies-title') });
  const numbers = () => card.locator('tbody .row-button').allInnerTexts();
  await card.locator('tbody tr').first().waitFor();
  t.same(await numbers(), ['7', '6', '5']);
  await card.locator('.search input').fill(` ${knownAccession}`);
  await page.keyboard.press('Enter');
  await card.getByText('1 study found').waitFor();
  t.same(await numbers(), ['6']);
  await card.locator('.search select').selectOption('patient');
  await card.getByRole('button', { name: 'Find', exact: true }).click();
  await card.getByText('No study was found.').waitFor();
  await card.locator('.search select').selectOption('accession');
  await card.getByRole('button', { name: 'Find', exact: true }).click();
  await card.getByText('1 study found').waitFor();
  await page.route('**/api/v1/studies/search', (route) => route.abort());
  await card.locator('.search input').fill('A900002');
  await page.keyboard.press('Enter');
  await card.getByText('The search failed').waitFor();
  t.same(await numbers(), [], 'what was found before does not stand under a search that failed');
  t.equal(await card.getByText('No study was found.').count(), 0, 'nor is that an answer');
  await card.getByRole('button', { name: 'Back to the newest' }).click();
  t.same(await numbers(), ['7', '6', '5']);
  t.equal(await card.locator('.search input').inputValue(), '', 'and what was typed is gone');
  t.ok(asked.some(([method, url]) => method === 'POST' && url.endsWith('/api/v1/studies/search')));
  t.same(
    asked.filter(([, url]) => url.includes(knownAccession)),
    [],
  );
  t.equal(await page.evaluate(() => Object.values(localStorage).join()), '', 'nor is it kept');
  t.same(complaints, ['Failed to load resource: net::ERR_FAILED'], 'the one that was cut');
});

t.test('a message is found by the name it is about, which stands in no address and on no row', { skip }, async (t) => {
  const { page, complaints } = await open(t, composeStatus(healthyParts()), { locale: 'en-US' });
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(decodeURI(request.url())));
  const card = page.locator('section', { has: page.locator('#messages-title') });
  const numbers = () => card.locator('tbody th').allInnerTexts();
  await card.locator('tbody tr').first().waitFor();
  const newest = await numbers();
  await card.locator('.search select').selectOption('name');
  await card.locator('.search input').fill(' 珅玘');
  await page.keyboard.press('Enter');
  await card.getByText('1 message found').waitFor();
  t.same(await numbers(), newest.slice(1, 2));
  t.notMatch(await shown(card), '珅玘');
  await card.locator('.search input').fill('王');
  await page.keyboard.press('Enter');
  await card.getByText('No message was found.').waitFor();
  t.same(await numbers(), []);
  await card.getByRole('button', { name: 'Back to the newest' }).click();
  t.same(await numbers(), newest);
  t.same(
    addresses.filter((url) => url.includes('珅玘')),
    [],
  );
  t.same(complaints, []);
});

t.test('a study opens image by image, and is sent again after a question', { skip }, async (t) => {
  const model = { ...composeStatus(healthyParts()), images };
  const { page, complaints } = await open(t, model, { locale: 'en-US' });
  const posts: string[] = [];
  page.on('request', (request) => void (request.method() === 'POST' && posts.push(new URL(request.url()).pathname)));
  const card = page.locator('section', { has: page.locator('#studies-title') });
  await card.getByRole('button', { name: '6', exact: true }).click();
  await card.locator('.detail table tbody tr').first().waitFor();
  const lines = await card.locator('.detail table tbody tr').allInnerTexts();
  t.equal(lines.length, 2);
  t.match(lines[0], /6001\s+1\s.*514 KB\s+held for a person\s+cloud\s+DCM-2274/s);
  t.match(await shown(card.locator('.detail')), 'qianzhi study withdraw|restore|deleted 6');
  t.match(await shown(card.locator('.detail')), 'Reports (by message): 182001');
  await card.getByRole('button', { name: 'Send again' }).click();
  t.same(posts, [], 'not before the answer');
  await card.getByRole('button', { name: 'Cancel' }).click();
  await card.getByRole('button', { name: 'Send again' }).click();
  await card.locator('.resend').getByRole('button', { name: 'Send again' }).click();
  await card.getByText('Sent again: 2.').waitFor();
  t.same(posts, ['/api/v1/studies/6/resend']);
  await card.getByRole('button', { name: '7', exact: true }).click();
  await card.getByRole('button', { name: 'Send again' }).click();
  await card.locator('.resend').getByRole('button', { name: 'Send again' }).click();
  await card.getByText('cloud: 18 waiting for upload already, not queued twice').waitFor();
  t.equal(await card.locator('.detail').count(), 1, 'one is open');
  await card.getByRole('button', { name: '5', exact: true }).click();
  const listed = card.locator('.detail table tbody tr');
  for (const count of [50, 100, 120]) {
    await listed.nth(count - 1).waitFor();
    t.equal(await listed.count(), count);
    if (count < 120) await card.getByRole('button', { name: 'More images' }).click();
  }
  t.equal(await card.getByRole('button', { name: 'More images' }).count(), 0);
  t.same(complaints, []);
});

t.test('the English page holds no Chinese but the switch and configured names', { skip }, async (t) => {
  const model = composeStatus(faultParts());
  const site = { ...model.site, name: 'Example hospital' };
  const { page } = await open(t, { ...model, site, demo: true }, { locale: 'en-US' });
  for (const row of await page.locator('.problem summary').all()) await row.click();
  const words = (await shown(page.locator('body'))).replace('中文', '');
  t.notMatch(words, /[\u4e00-\u9fff]/);
});

t.test('changes arrive by themselves', { skip }, async (t) => {
  const { page, server } = await open(t, composeStatus(healthyParts()));
  server.show(composeStatus(faultParts()));
  await page.waitForSelector('.verdict.is-fault');
  server.show(composeStatus(healthyParts()));
  await page.waitForSelector('.verdict.is-ok');
  t.equal(await page.locator('.problem').count(), 0);
});

t.test('an open problem stays open and in its place while others come', { skip }, async (t) => {
  const before = composeStatus(troubledParts());
  const { page, server } = await open(t, before);
  const first = page.locator('.problem').first();
  await first.locator('summary').click();
  const title = await shown(first.locator('.problem-title'));
  server.show(composeStatus(faultParts()));
  await page.waitForSelector('.verdict.is-fault');
  t.equal(await shown(first.locator('.problem-title')), title, 'not pushed away under the pointer');
  t.not(await first.getAttribute('open'), null);
  await page.mouse.move(2, 2);
  await page.waitForSelector('li:first-child > .problem.is-fault');
  t.pass('sorted once the pointer has left');
});

t.test('when the agent is gone the page says when its data stopped, and ages stand still', { skip }, async (t) => {
  const { page, server } = await open(t, composeStatus(healthyParts()));
  const { port } = server;
  await server.close();
  await page.waitForSelector('.stale-band', { timeout: 15_000 });
  t.match(await shown(page.locator('.stale-band')), /数据停在 02:41:\d\d/);
  t.equal(await page.locator('main.is-stale').count(), 1);
  t.match(await page.title(), '连接中断');
  const ages = () => page.locator('.edge').allInnerTexts();
  const frozen = await ages();
  await page.waitForTimeout(1500);
  t.same(await ages(), frozen);
  const back = await serveModel(composeStatus(faultParts()), messageRows(), port);
  t.teardown(() => back.close());
  await page.waitForSelector('.verdict.is-fault', { timeout: 15_000 });
  t.equal(await page.locator('.stale-band').count(), 0, 'reconnected by itself');
});

t.test('an agent that hangs with its connections open is stale too, and comes back', { skip }, async (t) => {
  const fixture = fileURLToPath(new URL('./fixture.ts', import.meta.url));
  const agent = spawn(process.execPath, [fixture, 'healthy'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const context = await browser.newContext({ locale: 'zh-CN' });
  t.teardown(async () => {
    await context.close();
    agent.kill('SIGKILL');
  });
  const [line] = (await once(agent.stdout, 'data')) as [Buffer];
  const page = await context.newPage();
  await page.goto(line.toString().trim());
  await page.waitForSelector('.verdict.is-ok');
  agent.kill('SIGSTOP');
  await page.waitForSelector('.stale-band', { timeout: 15_000 });
  agent.kill('SIGCONT');
  await page.waitForSelector('.stale-band', { state: 'detached', timeout: 15_000 });
  t.match(await shown(page.locator('.top')), '实时');
});

t.test('nothing scrolls sideways at 320 px, whatever the scene and language', { skip }, async (t) => {
  for (const locale of ['zh-CN', 'en-US']) {
    for (const parts of [healthyParts(), faultParts(), freshParts()]) {
      const model = { ...composeStatus(parts), images };
      const { page } = await open(t, model, { locale, viewport: { width: 320, height: 700 } });
      await page.locator('.row-button').last().click();
      await page.locator('.detail table').waitFor();
      await page.locator('.resend button').click();
      for (const row of await page.locator('.problem summary').all()) await row.click();
      t.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    }
  }
});

t.test('no complaint of the browser, no policy violation, no request to anybody else', { skip }, async (t) => {
  const { page, complaints, foreign } = await open(t, composeStatus(faultParts()), { colorScheme: 'dark' });
  await page.click('.plain-button');
  for (const row of await page.locator('.problem summary').all()) await row.click();
  await page.waitForSelector('.messages tbody tr');
  t.same(complaints, []);
  t.same(foreign, []);
});

t.test('markup in a name stays text', { skip }, async (t) => {
  const bad = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
  const parts = troubledParts();
  const model = composeStatus({
    ...parts,
    site: { ...parts.site, name: bad },
    problemGroups: parts.problemGroups.map((g) => ({ ...g, where: bad })),
    sources: parts.sources.map((s) => ({ ...s, name: bad })),
  });
  const { page, complaints } = await open(t, model);
  t.equal(await shown(page.locator('h1')), bad);
  t.equal(await page.locator('img, main script, header script').count(), 0);
  t.notMatch(await page.title(), 'owned');
  t.same(complaints, []);
});

t.test('the last messages show where each stands and why, and no more than that', { skip }, async (t) => {
  const { page } = await open(t, composeStatus(troubledParts()));
  await page.waitForSelector('.messages tbody tr');
  t.equal(await page.locator('.messages tbody tr').count(), 20);
  const words = await shown(page.locator('.messages'));
  for (const expected of ['182040', 'ORU^R01', '已上传', '待人工处理', 'MAP-3001', '代码没有对照', '并入 182039']) {
    t.match(words, expected);
  }
});

t.test('where nothing is known the page says so and how to begin', { skip }, async (t) => {
  const { page } = await open(t, composeStatus(freshParts()));
  t.match(await shown(page.locator('.verdict')), '不能判断');
  t.match(await shown(page.locator('.senders')), '10.1.1.20:2575');
});
