import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Runtime, run } from '../../../agent/cli/run.ts';
import { openStore } from '../../../agent/store/sqlite/store.ts';
import { goodConfig } from '../../config/small-registry.ts';
import { createPki } from '../../platform/pki.ts';
import { speak } from './program-of-test.ts';

// Each case starts whole processes; a busy machine may take long, and nothing here measures time.
t.setTimeout(600_000);

const main = fileURLToPath(new URL('../../../agent/main.ts', import.meta.url));
const example = fileURLToPath(new URL('../../../config/examples/qianzhi.yaml', import.meta.url));
const opensNothing = fileURLToPath(new URL('./opens-nothing.ts', import.meta.url));

/** Node flags under which any opened socket ends the process with 99, and any written file fails. */
const guarded =
  process.platform === 'win32'
    ? []
    : ['--permission', '--allow-worker', '--disable-warning=PERM0006', '--allow-fs-read=*', '--import', opensNothing];

interface Ended {
  exit: number | null;
  out: string;
  talk: string;
}

function start(args: string[], cwd: string, flags: string[] = []): { child: ChildProcess; ended: Promise<Ended> } {
  const node = [process.execPath, ...flags, main, ...args];
  // tap adds its own loader to every Node process through NODE_OPTIONS, and that loader cannot live
  // under the permission model: env(1) takes it out again.
  const [file = '', ...rest] = flags.length > 0 ? ['env', '-u', 'NODE_OPTIONS', ...node] : node;
  const child = spawn(file, rest, {
    cwd,
    // Containers and services are given any zone; what counts is the site's.
    env: { ...process.env, LC_ALL: 'en_US.UTF-8', TZ: 'America/New_York' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let talk = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    talk += chunk;
  });
  return { child, ended: once(child, 'close').then(([exit]) => ({ exit: exit as number | null, out, talk })) };
}

/** The example with free ports and the given replacements, in a folder of its own. */
function exampleFolder(t: Test, ...replace: Array<[string, string]>): string {
  let text = readFileSync(example, 'utf8').replace('port: 8686', 'port: 0').replace('port: 2575', 'port: 0');
  for (const [from, to] of replace) text = text.replace(from, to);
  const folder = t.testdir({});
  writeFileSync(join(folder, 'qianzhi.yaml'), text);
  return folder;
}

t.test('an invalid configuration: exit 78, no socket, no file written', async (t) => {
  const folder = exampleFolder(t, ['org_code', 'orgcode']);
  for (const command of [['run'], ['config', 'validate']]) {
    const { exit, out, talk } = await start([...command, '--config', 'qianzhi.yaml'], folder, guarded).ended;
    t.equal(exit, 78, talk);
    t.equal(out, '');
    t.equal(
      talk,
      `qianzhi.yaml:16:1 CFG-5003 site.org_code is missing and must be given.
qianzhi.yaml:18:3 CFG-5004 site.orgcode is not known here. Did you mean "org_code"?
2 to correct; no port and no data was opened.
`,
    );
  }
  t.notOk(existsSync(join(folder, 'qianzhi-data')));
});

t.test('the example as it is: validate says what is still to be filled, and opens nothing', async (t) => {
  const { exit, out, talk } = await start(['config', 'validate', '--config', 'qianzhi.yaml'], exampleFolder(t), guarded)
    .ended;
  t.equal(exit, 0, talk);
  t.equal(out, 'Valid: sources 1, platforms 1.\n');
  t.equal(
    talk,
    'qianzhi.yaml:18:13 CFG-5012 site.org_code is still the value of the example; replace it before real uploads.\n',
  );
});

t.test('a running agent: names missing certificates, listens all the same, stops at SIGTERM with 0', async (t) => {
  const folder = exampleFolder(t);
  const { child, ended } = start(['run', '--json', '--config', 'qianzhi.yaml'], folder);
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout! });
  const ready = JSON.parse((await once(lines, 'line'))[0] as string) as { ready: boolean; status: string };
  t.equal(ready.ready, true);

  const model = (await (await fetch(new URL('/api/v1/status', ready.status))).json()) as {
    sources: Array<{ address: string }>;
  };
  const [host, port] = model.sources[0]!.address.split(':');
  const sender = createConnection(Number(port), host);
  await once(sender, 'connect');
  sender.write('\x0bMSH|^~\\&|LIS|H|Q|P|20260101080000||ADT^A08|1|P|2.4\r\x1c\r');
  const [ack] = (await once(sender, 'data')) as [Buffer];
  t.match(ack.toString(), 'MSA|AA|1');
  const [year, month, day, hour, minute, second] = (/\|(\d{14})\|/.exec(ack.toString())?.[1] ?? '').match(
    /^\d{4}|\d\d/g,
  )!;
  const answeredMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
  t.ok(Math.abs(answeredMs - Date.now()) < 600_000, 'MSH-7 is the time of the site');
  sender.destroy();

  child.kill('SIGTERM');
  const { exit, talk } = await ended;
  t.equal(exit, 0, talk);
  const warnings = talk
    .split('\n')
    .filter((line) => line.includes('"TLS-1209"') && line.includes('"line"'))
    .map((line) => (JSON.parse(line) as { path: string }).path);
  t.same(warnings, ['platforms[0].tls.ca', 'platforms[0].tls.cert', 'platforms[0].tls.key']);
});

t.test('a second agent on the same data folder is refused with QUE-4005', async (t) => {
  const folder = exampleFolder(t);
  const first = start(['run', '--json', '--config', 'qianzhi.yaml'], folder);
  t.teardown(() => first.child.kill('SIGKILL'));
  await once(createInterface({ input: first.child.stdout! }), 'line');
  const second = await start(['run', '--config', 'qianzhi.yaml'], folder).ended;
  t.equal(second.exit, 1, second.talk);
  t.match(second.talk, 'QUE-4005');
  first.child.kill('SIGINT');
  t.equal((await first.ended).exit, 0);
});

t.test('demo certificates and demo data folders are refused with CFG-5007, exit 78', async (t) => {
  t.test('certificate', async (t) => {
    const folder = exampleFolder(t, ['platform-ca.pem', 'ca.pem']);
    mkdirSync(join(folder, 'certs'));
    createPki(join(folder, 'certs'), { marker: true });
    const { exit, talk } = await start(['run', '--config', 'qianzhi.yaml'], folder, guarded).ended;
    t.equal(exit, 78, talk);
    t.match(talk, /^qianzhi.yaml:\d+:\d+ CFG-5007 platforms\[0\].tls.ca /m);
    t.match(talk, /^qianzhi.yaml:\d+:\d+ CFG-5007 platforms\[0\].tls.cert /m);
  });
  t.test('data folder', async (t) => {
    const folder = exampleFolder(t);
    const store = await openStore(
      {
        folder: join(folder, 'qianzhi-data'),
        keyReference: `file:${join(folder, 'qianzhi-key/data.key')}`,
        demo: true,
        sources: ['lis'],
        platforms: ['province'],
        timeZone: 'Asia/Shanghai',
      },
      () => {},
    );
    await store.close();
    const { exit, talk } = await start(['run', '--config', 'qianzhi.yaml'], folder).ended;
    t.equal(exit, 78, talk);
    t.match(talk, /^CFG-5007 .* \(data.folder\)/m);
  });
});

t.test('what ends the agent decides the exit code', async (t) => {
  const folder = t.testdir({ 'profile.yaml': 'a: 1\n', 'pack.yaml': 'a: 1\n', 'qianzhi.yaml': goodConfig });
  const dying: Runtime<undefined> = {
    startThread: () => undefined,
    startAgent: async () => ({
      addresses: { status: 'http://127.0.0.1:1/' },
      stop: async () => {},
      done: Promise.resolve('QUE-4007'),
    }),
  };
  const said = await speak(['run', '--config', join(folder, 'qianzhi.yaml')], [run(async () => dying)]);
  t.equal(said.exit, 73);
  t.match(said.talk, 'QUE-4007');
});
