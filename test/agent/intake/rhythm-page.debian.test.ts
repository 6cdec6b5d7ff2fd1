import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import t from 'tap';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { buildPage } from '../../../installer/build-page.ts';
import { healthyParts, night, serveModel } from '../status/fixture.ts';
import { silentAt } from './rhythm-weeks.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'needs Debian’s chromium (apt-get install chromium fonts-noto-cjk)';
t.setTimeout(600_000);

t.test('the page says in words how long a sender has been silent, in both languages', { skip }, async (t) => {
  await buildPage();
  const parts = healthyParts();
  const rhythm = silentAt(night);
  const server = await serveModel(composeStatus({ ...parts, rhythms: [rhythm] }));
  const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  t.teardown(async () => {
    await browser.close();
    await server.close();
  });
  for (const [locale, silent, sends, learning] of [
    ['zh-CN', '平时每 3 分钟，已 47 分钟没有 HL7-2120', '此时平时每 3 分钟', '发送规律尚在学习'],
    ['en-US', 'usually every 3 min, nothing for 47 min HL7-2120', 'usually every 3 min at this hour', 'still learning'],
  ] as const) {
    server.show(composeStatus({ ...parts, rhythms: [rhythm] }));
    const page = await (await browser.newContext({ locale, viewport: { width: 320, height: 700 } })).newPage();
    await page.goto(server.url);
    const line = page.locator('.senders .group-line');
    await line.getByText(silent).waitFor();
    await line.getByText('1,204').waitFor();
    await page.locator('.verdict').getByText('HL7-2120').waitFor();
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    server.show(composeStatus({ ...parts, rhythms: [{ ...rhythm, silent: false }] }));
    await line.getByText(sends).waitFor();
    t.equal(await page.locator('.problem').count(), 0, 'gone with the next message');
    const { usualMs: _usual, ...fresh } = rhythm;
    server.show(composeStatus({ ...parts, rhythms: [{ ...fresh, silent: false, known: false }] }));
    await line.getByText(learning).waitFor();
  }
});
