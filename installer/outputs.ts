import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';

/** The root of the repository. */
export const root = new URL('../', import.meta.url);
const stampName = 'inputs.json';
const drafted = '.new';

interface Stamp {
  [input: string]: string;
}

async function stampOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(new URL(path, root));
  return `${mtimeMs} ${size}`;
}

/** True when every output is there and every input of the last build is unchanged. */
export async function isCurrent(out: URL, outputs: readonly string[]): Promise<boolean> {
  try {
    const stamp = JSON.parse(await readFile(new URL(stampName, out), 'utf8')) as Stamp;
    for (const name of outputs) await stat(new URL(name, out));
    for (const [input, known] of Object.entries(stamp)) if ((await stampOf(input)) !== known) return false;
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes the outputs, each whole by renaming, then what they were made from, and removes what earlier
 * builds left in the folder: parts are named by their content and would heap up.
 */
export async function writeOutputs(
  out: URL,
  outputs: ReadonlyArray<{ name: string; contents: Uint8Array | string }>,
  inputs: readonly string[],
): Promise<void> {
  const stamp: Stamp = {};
  for (const input of inputs) stamp[input] = await stampOf(input);
  await mkdir(out, { recursive: true });
  const all = [...outputs, { name: stampName, contents: JSON.stringify(stamp) }];
  for (const { name, contents } of all) {
    const draft = new URL(`${name}.${process.pid}${drafted}`, out);
    await writeFile(draft, contents);
    await rename(draft, new URL(name, out));
  }
  const current = new Set(all.map(({ name }) => name));
  for (const entry of await readdir(out, { withFileTypes: true })) {
    // A draft may be another build's, under way at the same time.
    if (!entry.isFile() || current.has(entry.name) || entry.name.endsWith(drafted)) continue;
    await rm(new URL(encodeURIComponent(entry.name), out), { force: true });
  }
}
