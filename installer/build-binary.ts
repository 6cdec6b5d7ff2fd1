import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lessOfLibraries, threadEntries } from './build-agent.ts';
import { buildPage } from './build-page.ts';
import { withBlobInElf } from './elf-blob.ts';
import { root } from './outputs.ts';
import { v8Flags } from './run-settings.ts';

/**
 * Makes the single binary for this platform: Node's own, with the bundled agent, its threads, the status
 * page and the files of config/ inside (decision 0002). Whoever has it needs nothing else.
 *
 *     node installer/build-binary.ts [file]        default dist/qianzhi
 */

/** The pinned Node of this platform, as npm installed it: the binary is made from it and by it. */
const nodeOfPlatform = (): string =>
  fileURLToPath(new URL(`node_modules/node-${process.platform}-${process.arch}/bin/node`, root));

/** Modules that know of both worlds and ask `isSea()` before they use the place of their own file. */
const knowBothWorlds = new Set(['agent/support/assets.ts', 'agent/support/thread.ts']);

const folder = fileURLToPath(root);

/** Files read through agent/support/assets.ts, by their path in the repository. */
const shipped = (): string[] =>
  [
    'package.json',
    ...globSync(['dist/web/{index.html,page.js,page.css}', 'config/{codes,dialects,provinces}/**/*.{csv,yaml}'], {
      cwd: folder,
    }),
  ]
    .map((path) => path.replaceAll('\\', '/'))
    .sort();

/**
 * Bundles entry points to CommonJS texts, by name. Throws, naming file and line, where code would run
 * outside the binary only: a use of `import.meta`, a module that the bundle does not hold.
 */
export async function bundleTexts(entryPoints: Record<string, string>): Promise<Map<string, Uint8Array>> {
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: folder,
    entryPoints,
    outdir: folder,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Escaped, V8 keeps the text with one byte a character.
    charset: 'ascii',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: lessOfLibraries,
  });
  const stray = result.warnings.filter(
    (w) => w.id !== 'empty-import-meta' || !knowBothWorlds.has(w.location?.file ?? ''),
  );
  if (stray.length > 0) {
    throw new Error(stray.map((w) => `${w.location?.file}:${w.location?.line} ${w.text}`).join('\n'));
  }
  return new Map(result.outputFiles.map(({ path, contents }) => [basename(path, '.js'), contents]));
}

/** Builds the binary into a file, which appears whole by renaming: one that is running is not disturbed. */
export async function buildBinary(file: string = fileURLToPath(new URL('dist/qianzhi', root))): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the single binary can be built on Linux only, so far');
  await buildPage();
  const node = nodeOfPlatform();
  await mkdir(dirname(file), { recursive: true });
  const work = await mkdtemp(`${file}-`);
  try {
    const texts = await bundleTexts({ main: 'agent/main.ts', ...threadEntries() });
    const assets: Record<string, string> = Object.fromEntries(shipped().map((path) => [path, join(folder, path)]));
    for (const [name, text] of texts) {
      await writeFile(join(work, `${name}.js`), text);
      if (name !== 'main') assets[`threads/${name}.js`] = `${name}.js`;
    }
    await writeFile(
      join(work, 'sea.json'),
      JSON.stringify({
        // Relative: the path is kept in the binary, and says in a stack trace where code comes from.
        main: 'main.js',
        output: 'blob',
        disableExperimentalSEAWarning: true,
        useSnapshot: false,
        useCodeCache: true,
        execArgv: v8Flags,
        // Nothing in the environment changes how the agent runs.
        execArgvExtension: 'none',
        assets,
      }),
    );
    // Compiled code is valid under the flags that it was compiled under.
    await promisify(execFile)(node, [...v8Flags, '--experimental-sea-config', 'sea.json'], {
      cwd: work,
      env: {},
    });
    const binary = withBlobInElf(await readFile(node), await readFile(join(work, 'blob')));
    await writeFile(join(work, 'binary'), binary, { mode: 0o755 });
    await rename(join(work, 'binary'), file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (import.meta.main) await buildBinary(process.argv[2]);
