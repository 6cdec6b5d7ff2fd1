import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why a test of the page cannot run here; false when it can. */
export const skipChromium = existsSync(executablePath)
  ? false
  : 'needs Debian’s chromium (apt-get install chromium fonts-noto-cjk)';

export const launchChromium = (): Promise<Browser> => chromium.launch({ executablePath, args });
