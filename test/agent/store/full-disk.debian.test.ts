import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

t.setTimeout(600_000);

/** A real full disk: a tmpfs of 64 MB in a name space of its own, which needs no rights. */
const disk = mkdtempSync(join(tmpdir(), 'qianzhi-disk-'));
const mount = `mount -t tmpfs -o size=64m tmpfs '${disk}'`;
const possible = spawnSync('unshare', ['-rm', 'sh', '-c', mount]).status === 0;
const skip = possible ? false : 'unshare of util-linux cannot mount here';
const child = fileURLToPath(new URL('full-disk-child.ts', import.meta.url));

t.test('the disk is full', { skip }, async (t) => {
  const command = `${mount} && exec '${process.execPath}' '${child}' '${disk}'`;
  const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', command], {
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 90_000,
  });
  const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;

  t.test('a claim that could not be written can be made again, and a verdict leaves its document in flight', (t) => {
    t.match(said, { claimOnFullDisk: 'QUE-4001', claimedAfter: [1, 1, 1, 1, 1] });
    t.match(said, { settleOnFullDisk: 'QUE-4001', claimedAgain: 0, settledAfter: 'done', delivered: 5 });
    t.end();
  });
  t.test('at start the ballast is given up, deliveries go on, and intake is told', (t) => {
    t.match(said, { ballastBefore: true, freeBefore: 0, ballastAfter: false, mode: 'intake-stopped' });
    t.match(said, { intake: 'QUE-4002', claimed: 5, settled: 'done' });
    t.same(new Set(Object.values(said.states as object)), new Set(['delivered']));
    t.end();
  });
  t.test('with room again intake goes on by itself', (t) => {
    t.equal(said.recovered, true);
    t.end();
  });
});
