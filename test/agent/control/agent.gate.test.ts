import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { eventually, folderOf, startAgentRig } from '../../faults/disk/agent-rig.ts';

t.setTimeout(600_000);

const entry = fileURLToPath(new URL('../../../dist/agent/main.js', import.meta.url));

const windows = process.platform === 'win32' && 'unix sockets';
t.test(
  'a command reaches the agent that runs, after a kill too; where it cannot, the agent goes on and says so',
  { skip: windows },
  async (t) => {
    const root = folderOf(t);
    const rig = await startAgentRig(t, { root });
    /** Exit code of `qianzhi study find`. */
    async function find(): Promise<number> {
      const args = [entry, 'study', 'find', '--config', join(root, 'qianzhi.yaml')];
      const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '' } });
      const [exit] = (await once(child, 'exit')) as [number];
      return exit;
    }
    const problems = async () => (await rig.status())?.problems.map(({ code }) => code) ?? [];
    t.equal(await find(), 5);
    rig.start();
    t.ok(await rig.ready());
    t.equal(await find(), 3, 'it answers: there is none');
    const socket = join(rig.data, 'control.sock');
    t.equal(lstatSync(socket).mode & 0o777, 0o600);
    t.notOk((await problems()).includes('SYS-6007'));

    rig.kill();
    t.ok(await eventually(() => rig.starts() === 2));
    t.ok(await eventually(async () => (await find()) === 3), 'the one that was started again answers');

    await rig.stop();
    t.throws(() => lstatSync(socket), { code: 'ENOENT' }, 'nothing is left');
    writeFileSync(socket, 'somebody’s file');
    rig.start();
    t.ok(await rig.ready());
    t.same(await problems(), ['SYS-6007']);
    t.equal(await find(), 5);
    t.equal(rig.log().filter(({ code }) => code === 'SYS-6007').length, 1);
  },
);
