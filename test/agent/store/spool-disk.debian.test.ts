import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

t.setTimeout(600_000);

/** A real full disk: a tmpfs of 64 MB in a name space of its own, which needs no rights. */
const disk = mkdtempSync(join(tmpdir(), 'qianzhi-spool-disk-'));
const mount = `mount -t tmpfs -o size=64m tmpfs '${disk}'`;
const possible = spawnSync('unshare', ['-rm', 'sh', '-c', mount]).status === 0;
const skip = possible ? false : 'unshare of util-linux cannot mount here';
const child = fileURLToPath(new URL('spool-disk-child.ts', import.meta.url));

t.test(
  'a disk that fills in the middle of an instance: it is refused, leaves nothing, and the rest goes on',
  { skip },
  async (t) => {
    const command = `${mount} && exec '${process.execPath}' '${child}' '${disk}'`;
    const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', command], {
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: 90_000,
    });
    const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
    t.match(said, { write: 'QUE-4002', filesOnFullDisk: 1 }, 'A700, and what was received of it is gone');
    t.match(said, { begin: 'QUE-4002' }, 'none is begun');
    t.match(said, { readOnFullDisk: true, settled: 'done' }, 'deliveries and their marks go on');
    t.match(said, { after: { n: 2, outcome: 'stored' }, files: 2 }, 'with room again it goes on by itself');
  },
);
