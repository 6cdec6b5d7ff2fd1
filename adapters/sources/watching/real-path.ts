import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

const answerMs = 3000;

/**
 * The path with links resolved as far as it exists, so that two names of one folder are seen to be one. A share that
 * does not answer must not keep the agent from starting: then the path as it is written.
 */
export async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  let timer: NodeJS.Timeout | undefined;
  const asWritten = new Promise<string>((done) => {
    timer = setTimeout(done, answerMs, whole);
  });
  try {
    return await Promise.race([resolveLinks(whole), asWritten]);
  } finally {
    clearTimeout(timer);
  }
}

async function resolveLinks(whole: string): Promise<string> {
  try {
    return await realpath(whole);
  } catch {
    return dirname(whole) === whole ? whole : join(await resolveLinks(dirname(whole)), basename(whole));
  }
}
