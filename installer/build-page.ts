import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isCurrent, root, writeOutputs } from './outputs.ts';

/**
 * Bundles the status page to dist/web/{index.html,page.js,page.css}. Says nothing when it succeeds and
 * does nothing when the inputs of the last build are unchanged. Files appear whole, by renaming.
 */
const web = new URL('agent/status/web/', root);

/** What every build depends on besides the files the bundler met. */
const always = ['installer/build-page.ts', 'agent/status/web/index.html', 'package-lock.json'];

/** Builds into `out` (a folder URL ending in `/`); resolves to whether there was anything to do. */
export async function buildPage(out: URL = new URL('dist/web/', root)): Promise<boolean> {
  if (await isCurrent(out, ['index.html', 'page.js', 'page.css'])) return false;
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
  const outputs = result.outputFiles.map(({ path, contents }) => ({
    name: path.endsWith('.css') ? 'page.css' : 'page.js',
    contents,
  }));
  const html = { name: 'index.html', contents: await readFile(new URL('index.html', web)) };
  await writeOutputs(out, [...outputs, html], [...Object.keys(result.metafile.inputs), ...always]);
  return true;
}

if (import.meta.main) await buildPage();
