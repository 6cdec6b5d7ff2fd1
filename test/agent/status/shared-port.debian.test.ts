import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import t from 'tap';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { buildPage } from '../../../installer/build-page.ts';
import { serveModel, sharedPortParts } from './fixture.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'needs Debian’s chromium (apt-get install chromium fonts-noto-cjk)';
t.setTimeout(600_000);

t.test('a port with several senders shows each by itself, with its answers, in both languages', { skip }, async (t) => {
  await buildPage();
  const server = await serveModel(composeStatus(sharedPortParts()));
  const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  t.teardown(async () => {
    await browser.close();
    await server.close();
  });
  for (const [locale, through, answered, silent] of [
    ['zh-CN', '经 lab 接收', 'AE 今日 3', '已 9 小时没有'],
    ['en-US', 'through lab', '3 AE today', 'nothing for 9 h'],
  ] as const) {
    const page = await (await browser.newContext({ locale, viewport: { width: 320, height: 700 } })).newPage();
    await page.goto(server.url);
    const group = (name: string) =>
      page.locator('.senders tbody').filter({ has: page.locator(`.group-line > span:first-child >> text="${name}"`) });
    await group('bc6800').getByText(through).waitFor();
    await group('bc6800').getByText(answered).waitFor();
    t.equal(await group('bs2000').locator('tr:not(.group)').count(), 2, 'a row for each address');
    await group('bs2000').getByText('HL7-2104').waitFor();
    await group('ward3').getByText(silent).waitFor();
    const own = group('lab').locator('tr:not(.group)');
    t.equal(await own.count(), 1, 'who sends under another name is not shown twice');
    t.match(await own.textContent(), /10\.1\.2\.9.*HL7-2121.*MSH-3 CL-2000 MSH-4 Mindray/);
    t.notMatch(await group('lab').locator('.group').textContent(), /学习|learning/, 'nothing comes under its own name');
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  }
  if (process.env.PICTURE !== undefined) {
    for (const [locale, width] of [
      ['zh-CN', 1280],
      ['en-US', 1280],
      ['zh-CN', 375],
    ] as const) {
      const page = await (await browser.newContext({ locale, viewport: { width, height: 900 } })).newPage();
      await page.goto(server.url);
      await page.locator('.senders tbody').first().waitFor();
      await page.locator('.senders').screenshot({ path: `${process.env.PICTURE}/senders-${locale}-${width}.png` });
    }
  }
});
