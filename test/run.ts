import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { buildPage } from '../installer/build-page.ts';

/**
 * The three tiers of proof.
 *   fast   what needs only npm, without the suites of faults, which wait for time-outs, and without what builds or plays the
 *          whole product or waits for long (*.gate.test.ts); stories played plainly (npm test)
 *   all    everything, long tests in their short form; a skipped test fails the run (.ci/run)
 *   proof  the long tests in their full form (npm run proof)
 * Names of files after the mode narrow it down. Prints a line a file, the whole output of a file that
 * failed, what long tests measured, and last `N passed, N failed`.
 */
const [mode = 'fast', ...named] = process.argv.slice(2);
if (!['fast', 'all', 'proof'].includes(mode)) {
  console.error('usage: node test/run.ts fast|all|proof [file …]');
  process.exit(2);
}
const isLong = (file: string) => file.endsWith('.long.test.ts');
const needsMore = (file: string) =>
  /\.(long|debian|shared|gate)\.test\.ts$/.test(file) || file.includes('test/faults/');
const chosen = (file: string) => (mode === 'fast' ? !needsMore(file) : mode === 'proof' ? isLong(file) : true);
const files =
  named.length > 0
    ? named
    : globSync('test/**/*.test.ts')
        .map((file) => file.replaceAll('\\', '/'))
        .sort()
        .filter(chosen);

buildRunner();
await buildPage();
// In the proof they take the whole machine and would disturb each other's figures: one after the other.
const together = files.filter((f) => !isLong(f));
const alone = files.filter(isLong);
const totals = { passed: 0, failed: 0, skipped: 0 };
/** Rows of test/long/figures.ts `tried`. */
const tried: string[][] = [];
await runFiles(together, 2);
await runFiles(alone, mode === 'proof' ? 1 : 2);

if (tried.length > 0) {
  const rows = [['what was tried', 'how often', 'lost'], ...tried];
  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
const strict = mode !== 'fast' && totals.skipped > 0;
if (strict) console.log(`${totals.skipped} skipped: this run skips nothing`);
const failed = totals.failed + (strict ? totals.skipped : 0);
console.log(`${totals.passed} passed, ${failed} failed`);
process.exit(failed > 0 || totals.passed === 0 ? 1 : 0);

/** tap is made for the plugins that .taprc names once after each install: without it every file loads its TypeScript plugin. */
function buildRunner(): void {
  const mark = 'node_modules/.tap-built';
  if (existsSync(mark)) return;
  execFileSync(process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'build'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(mark, '');
}

/** Runs files, so many at a time, each by itself: under tap's own runner each costs half a second more (decision 0004). */
async function runFiles(run: string[], jobs: number): Promise<void> {
  const left = [...run];
  const worker = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) await runFile(file);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

async function runFile(file: string): Promise<void> {
  const seconds = mode === 'proof' ? 3600 : 600;
  const startedMs = performance.now();
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      QIANZHI_PROOF: mode === 'proof' ? '1' : '',
      QIANZHI_TIER: mode,
      // Every file is a process of its own: they share what was compiled, and stripped of types, once.
      ...(mode !== 'proof' && { NODE_COMPILE_CACHE: resolve('node_modules/.cache/compiled') }),
      TAP: '1',
      TAP_TIMEOUT: String(seconds),
    },
  });
  // It ends itself in time; one that does not even do that is ended.
  const late = setTimeout(() => child.kill('SIGKILL'), (seconds + 60) * 1000);
  const exit = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(String(signal ?? code))));
  const output = createInterface({ input: child.stdout });
  // Whatever it started and left behind may hold its output open.
  child.once('exit', () => setTimeout(() => output.close(), 5000).unref());
  const lines: string[] = [];
  for await (const line of output) lines.push(line);
  const code = await exit;
  clearTimeout(late);

  const summary = lines.findLast((line) => /^# \{ .* \}$/.test(line));
  const failed = summary === undefined ? 0 : count(summary);
  const isGood = code === '0' && summary !== undefined && failed === 0;
  console.log(`${isGood ? 'ok' : 'FAILED'} ${file} ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  if (!isGood) {
    console.log(lines.join('\n'));
    // A file that broke off, or reported nothing, is a failure even when nothing says so.
    if (failed === 0) {
      console.log(`${file} ended with ${code}`);
      totals.failed += 1;
    }
    return;
  }
  for (const line of lines) {
    const row = /^ +# tried \| (.*)$/.exec(line)?.[1];
    if (row !== undefined) tried.push(row.split(' | '));
    else if (/# SKIP/.test(line)) console.log(`  ${line.trim()}`);
    else if (isLong(file) && /^ +# (?!Subtest|\{|time)/.test(line)) console.log(line);
  }
}

/** Adds `# { total: 116, pass: 115, fail: 1, skip: 1 }` to the totals; gives how many failed. */
function count(summary: string): number {
  const of = (key: string) => Number(new RegExp(`\\b${key}: (\\d+)`).exec(summary)?.[1] ?? 0);
  totals.passed += of('pass');
  totals.failed += of('fail');
  totals.skipped += of('skip') + of('todo');
  return of('fail');
}
