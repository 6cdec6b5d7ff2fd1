import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import t from 'tap';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { buildPage } from '../../../installer/build-page.ts';
import { scenes, serveModel } from './fixture.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'needs Debian’s chromium (apt-get install chromium fonts-noto-cjk)';
t.setTimeout(600_000);

/** Screens of old PCs among them: 1024 and 1152. */
const widths = [320, 480, 599, 600, 768, 899, 900, 1024, 1152, 1279, 1280, 1440];

t.test(
  'the page fits every width: nothing stands beyond its card, nothing is reached by scrolling sideways',
  { skip },
  async (t) => {
    await buildPage();
    const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
    t.teardown(() => browser.close());
    for (const [name, parts] of Object.entries(scenes)) {
      const server = await serveModel(composeStatus(parts()));
      for (const locale of ['zh-CN', 'en-US']) {
        const page = await (await browser.newContext({ locale })).newPage();
        await page.goto(server.url);
        await page.locator('.senders').first().waitFor();
        for (const width of widths) {
          await page.setViewportSize({ width, height: 900 });
          const found = await page.evaluate(() => ({
            scrolled: document.documentElement.scrollWidth - window.innerWidth,
            beyond: [...document.querySelectorAll('table')].filter(
              (table) =>
                table.getBoundingClientRect().right >
                (table.parentElement as Element).getBoundingClientRect().right + 1,
            ).length,
          }));
          t.same(found, { scrolled: 0, beyond: 0 }, `${name}, ${locale}, ${width} px`);
        }
        await page.close();
      }
      await server.close();
    }
  },
);
