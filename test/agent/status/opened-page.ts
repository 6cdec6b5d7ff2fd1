import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { StatusModel } from '../../../agent/status/model.ts';
import { buildPage } from '../../../installer/build-page.ts';
import { launchChromium, skipChromium } from './chromium.ts';
import { type FixtureServer, serveModel } from './fixture.ts';

// biome-ignore lint/performance/useDomNodeTextContent: what a person sees is the question here
export const shown = (part: Locator): Promise<string> => part.innerText();

interface Opened {
  page: Page;
  server: FixtureServer;
  /** Console errors, page errors and CSP reports. */
  complaints: string[];
  /** Requests to anything but the server. */
  foreign: string[];
}

let browser: Browser;
t.before(async () => {
  if (skipChromium !== false) return;
  await buildPage();
  browser = await launchChromium();
});
t.teardown(() => browser?.close());

/** The page of an agent in the state given, in a browser of its own for each file of tests. */
export async function open(t: Test, model: StatusModel, options: BrowserContextOptions = {}): Promise<Opened> {
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

/** A context without a page, for what is no server of ours. */
export const newContext = (): ReturnType<Browser['newContext']> => browser.newContext({ locale: 'zh-CN' });
