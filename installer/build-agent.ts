import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { buildPage } from './build-page.ts';
import { isCurrent, root, writeOutputs } from './outputs.ts';

/**
 * Bundles the agent to dist/agent/: what `npm start` and the demo run. The single binary bundles the same
 * entries (build-binary.ts). The sources run as they are too (tests do); bundled, a start takes a third of
 * the time and each thread some 25 MB less, because no types are stripped at run time. dist/agent/ lies as
 * deep below the root as the folders of the sources, so that paths relative to a module hold in both.
 */
const entries = {
  main: 'agent/main.ts',
  ...threadEntries(),
  'demo-agent': 'test/demo/agent.ts',
};

/** The entries of the agent's threads by name (`writer-thread` → its source): every file that is called so. */
export function threadEntries(): Record<string, string> {
  const files = globSync('{agent,adapters}/**/*-thread.ts', { cwd: fileURLToPath(root) }).sort();
  return Object.fromEntries(files.map((file) => [basename(file, '.ts'), file.replaceAll('\\', '/')]));
}

/** Our messages come from our own catalogue: of the schema library's fifty languages one is enough. */
const oneLocale: Plugin = {
  name: 'one-locale',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * Of undici what mutual TLS uses: the rest (fetch, caches, mocks) is two fifths of it and would lie in memory. An upgrade that
 * moves these modules ends the build.
 */
const partOfUndici: Plugin = {
  name: 'part-of-undici',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]undici[\\/]index\.js$/ }, () => ({
      contents: `
        Object.assign(require('./lib/dispatcher/dispatcher').prototype, require('./lib/api'));
        exports.Pool = require('./lib/dispatcher/pool');
        exports.buildConnector = require('./lib/core/connect');
      `,
    }));
  },
};

/** For every bundle of the agent. */
export const lessOfLibraries: Plugin[] = [oneLocale, partOfUndici];

/**
 * Node's own modules by `require`, as the single binary has them: an `import` of one reads all that it exports, and
 * `node:http` then loads the fetch implementation inside Node, a tenth of a start and some megabytes.
 */
const builtinsByRequire: Plugin = {
  name: 'builtins-by-require',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      namespace === 'builtin' ? { path, external: true } : { path, namespace: 'builtin' },
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/** Builds into `out` (a folder URL ending in `/`, two levels below the root); resolves to whether there was anything to do. */
export async function buildAgent(out: URL = new URL('dist/agent/', root)): Promise<boolean> {
  if (
    await isCurrent(
      out,
      Object.keys(entries).map((name) => `${name}.js`),
    )
  )
    return false;
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: fileURLToPath(root),
    entryPoints: entries,
    outdir: fileURLToPath(out),
    entryNames: '[name]',
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    charset: 'ascii',
    // Half the text to keep in memory and to read at each start; names stay, so a stack trace can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [...lessOfLibraries, builtinsByRequire],
    // CommonJS packages ask for Node's own modules by require.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  const outputs = result.outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  await writeOutputs(out, outputs, [
    ...Object.keys(result.metafile.inputs).filter((input) => !input.startsWith('builtin:')),
    'installer/build-agent.ts',
    'package-lock.json',
  ]);
  return true;
}

if (import.meta.main) await Promise.all([buildPage(), buildAgent()]);
