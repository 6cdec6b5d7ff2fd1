import { globSync } from 'node:fs';
import { join } from 'node:path';
import { killOnce } from './story.ts';

/**
 * The stories once more: the agent killed once, at one place between two steps, and then played on. In the gate a sixth of
 * them at one place each, in the proof all of them at every place.
 */
if (process.env.QIANZHI_PROOF === '1') killOnce(Number.POSITIVE_INFINITY);
else killOnce(1, 1 / 6);

const here = import.meta.dirname;
const files = globSync('*.test.ts', { cwd: here }).filter((file) => !file.includes('.long.'));
for (const file of files.sort()) await import(join(here, file));
