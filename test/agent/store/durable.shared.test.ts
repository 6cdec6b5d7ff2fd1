import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/**
 * Invariant 1, proven by counting: an acknowledgement stands on a sync of the disk, not on a pragma that
 * says so. ../shared/tools/shim.c counts, delays and fails the syncs of the store's files.
 */
const source = fileURLToPath(new URL('../../../../shared/tools/shim.c', import.meta.url));
const compiler = spawnSync('gcc', ['--version']).status === 0;
const skip = !existsSync(source) ? '../shared is not here' : !compiler ? 'gcc is not installed' : false;
const child = fileURLToPath(new URL('durable-child.ts', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'qianzhi-sync-'));
const shim = join(folder, 'shim.so');
if (!skip) execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', shim, source, '-ldl', '-w']);

/** Runs the store in a process of its own under the shim: `sequential` messages one by one, then `together` at once. */
function run(env: Record<string, string>, sequential: number, together: number) {
  const data = mkdtempSync(join(folder, 'store-'));
  const done = spawnSync(process.execPath, [child, data, String(sequential), String(together)], {
    env: { ...process.env, NODE_OPTIONS: '', LD_PRELOAD: shim, SHIM_PATH: 'qianzhi.db', SHIM_COUNT: '1', ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  const out = JSON.parse(done.stdout.trim().split('\n').at(-1) ?? '{}') as {
    acked: number;
    failed: string[];
    fatal: string[];
  };
  return { ...out, syncs: Number(/shim: syncs=(\d+)/.exec(done.stderr)?.[1] ?? Number.NaN) };
}

t.test('every message acknowledged alone has had a sync of its own', { skip }, async (t) => {
  const none = run({}, 0, 0);
  const forty = run({}, 40, 0);
  t.equal(forty.acked, 40);
  t.ok(forty.syncs - none.syncs >= 40, `${forty.syncs - none.syncs} syncs for 40 acknowledgements`);
});

t.test('messages that arrive together share a commit', { skip }, async (t) => {
  const none = run({}, 0, 0);
  const group = run({ FSYNC_DELAY_US: '10000' }, 0, 200);
  t.equal(group.acked, 200);
  t.ok(group.syncs - none.syncs < 100, `${group.syncs - none.syncs} syncs for 200 acknowledgements at once`);
});

t.test('a sync that fails acknowledges nothing from then on, and the process is told to end', { skip }, async (t) => {
  const start = run({}, 0, 0).syncs;
  const broken = run({ FSYNC_FAIL_FROM: String(start + 6) }, 20, 0);
  t.ok(broken.acked < 20, `${broken.acked} acknowledged before the disk failed`);
  t.same(broken.fatal, ['QUE-4007']);
  t.ok(broken.failed.length > 0 && broken.failed.every((code) => code === 'QUE-4007'));
});
