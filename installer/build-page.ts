import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/**
 * Bundles the status page to dist/web/{index.html,page.js,page.css}. Says nothing when it succeeds and
 * does nothing when the inputs of the last build are unchanged. Files appear whole, by renaming.
 */
const root = new URL('../', import.meta.url);
const web = new URL('agent/status/web/', root);
const stampName = 'inputs.json';

/** What every build depends on besides the files the bundler met. */
const always = ['installer/build-page.ts', 'agent/status/web/index.html', 'package-lock.json'];

interface Stamp {
  [input: string]: string;
}

async function stampOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(new URL(path, root));
  return `${mtimeMs} ${size}`;
}

async function isCurrent(out: URL): Promise<boolean> {
  try {
    const stamp = JSON.parse(await readFile(new URL(stampName, out), 'utf8')) as Stamp;
    for (const name of ['index.html', 'page.js', 'page.css']) await stat(new URL(name, out));
    for (const [input, known] of Object.entries(stamp)) if ((await stampOf(input)) !== known) return false;
    return true;
  } catch {
    return false;
  }
}

async function put(out: URL, name: string, bytes: Uint8Array | string): Promise<void> {
  const draft = new URL(`${name}.${process.pid}.new`, out);
  await writeFile(draft, bytes);
  await rename(draft, new URL(name, out));
}

/** Builds into `out` (a folder URL ending in `/`); resolves to whether there was anything to do. */
export async function buildPage(out: URL = new URL('dist/web/', root)): Promise<boolean> {
  if (await isCurrent(out)) return false;
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: fileURLToPath(root),
    entryPoints: { page: fileURLToPath(new URL('main.tsx', web)), style: fileURLToPath(new URL('page.css', web)) },
    outdir: fileURLToPath(out),
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    // Hospital PCs run old browsers; what is older still keeps the static text of index.html.
    target: ['es2020', 'chrome80', 'firefox78'],
    format: 'iife',
    charset: 'utf8',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const stamp: Stamp = {};
  for (const input of [...Object.keys(result.metafile.inputs), ...always]) stamp[input] = await stampOf(input);
  await mkdir(out, { recursive: true });
  for (const file of result.outputFiles) {
    await put(out, file.path.endsWith('.css') ? 'page.css' : 'page.js', file.contents);
  }
  await put(out, 'index.html', await readFile(new URL('index.html', web)));
  await put(out, stampName, JSON.stringify(stamp));
  return true;
}

if (import.meta.main) await buildPage();
