import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { MessageRow, StatusModel } from '../../agent/status/model.ts';
import { buildBinary, bundleTexts } from '../../installer/build-binary.ts';
import { v8Flags } from '../../installer/run-settings.ts';
import { makeMllpClient } from '../demo/mllp-client.ts';
import { until } from '../demo/running.ts';
import { readDocument } from '../end-to-end/read-document.ts';
import { chemistry, patient, report, utf8, write } from '../end-to-end/reports.ts';
import { createPki, type Pki } from '../platform/pki.ts';
import type { Sidecar } from '../platform/received.ts';

/** The single binary as a hospital has it: alone, without Node, without the repository, without an environment. */
t.setTimeout(600_000);
t.jobs = 1;

const repository = fileURLToPath(new URL('../../', import.meta.url));
const inRepository = (path: string) => readFileSync(join(repository, path), 'utf8');
const skip = process.platform === 'linux' ? false : 'the single binary can be built on Linux only, so far';

// Outside the repository, so that nothing is found there by a relative path.
const base = mkdtempSync(join(tmpdir(), 'qianzhi-binary-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
const program = join(base, 'program', 'qianzhi');
/** Where the binary is started; it must stay empty. */
const elsewhere = join(base, 'elsewhere');

interface Ended {
  exit: number | null;
  out: string;
  talk: string;
}

function start(args: string[], env: Record<string, string> = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(program, args, { cwd: elsewhere, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', talk: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.talk += chunk;
  });
  return { child, ended: once(child, 'close').then(([exit]) => ({ exit: exit as number | null, ...said })) };
}

/** A site's folder: the example, filled in, and its certificates. Gives the path of the configuration. */
function makeSite(name: string, platform: string, marker: boolean): { folder: string; config: string; pki: Pki } {
  const folder = join(base, name);
  mkdirSync(folder);
  const pki = createPki(join(folder, 'certs'), { marker });
  const filled: Array<[string, string]> = [
    ['port: 8686', 'port: 0'],
    ['port: 2575', 'port: 0'],
    ['"000000000000000000"', '12100000MB0000001P'],
    ['# file: ./qianzhi.log', 'file: ./qianzhi.log'],
    ['https://platform.example.invalid/', platform],
    ['platform-ca.pem', 'ca.pem'],
    ['# hold_seconds: 600', 'hold_seconds: 0'],
  ];
  let text = inRepository('config/examples/qianzhi.yaml');
  for (const [from, to] of filled) {
    if (!text.includes(from)) throw new Error(`the example has no ${from}`);
    text = text.replace(from, to);
  }
  const config = join(folder, 'qianzhi.yaml');
  writeFileSync(config, text);
  return { folder, config, pki };
}

interface ProvinceProcess {
  url: string;
  /** Documents it accepted, in order, with their bytes. */
  received(): Array<Sidecar & { bytes: Buffer }>;
  tell(command: string): Promise<void>;
}

async function startProvince(t: Test, pki: Pki): Promise<ProvinceProcess> {
  const script = join(repository, 'test/platform/province.ts');
  const files = ['--cert', pki.serverCert, '--key', pki.serverKey, '--ca', pki.ca];
  const child = spawn(process.execPath, [script, '--folder', join(base, 'province'), ...files], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  t.teardown(async () => {
    child.stdin.end();
    await exit;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('the province ended');
      const line = JSON.parse(value) as { ready?: true; url: string; received: string; done?: string; failed?: string };
      if (line.failed !== undefined) throw new Error(`the province could not: ${line.failed}`);
      if (line.ready || line.done !== undefined) return line;
    }
  };
  const { url, received: folder } = await next();
  return {
    url,
    received: () =>
      readdirSync(folder)
        .filter((name) => /^\d+\.xml\.json$/.test(name))
        .map((name) => ({
          ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Sidecar),
          bytes: readFileSync(join(folder, name.slice(0, -'.json'.length))),
        }))
        .sort((a, b) => a.n - b.n),
    async tell(command) {
      child.stdin.write(`${command}\n`);
      await next();
    },
  };
}

interface RunningBinary {
  child: ChildProcess;
  ended: Promise<Ended>;
  status: string;
  model(): Promise<StatusModel>;
  messages(): Promise<MessageRow[]>;
  /** Sends a report and gives MSA-1 of the answer. */
  send(number: string): Promise<string>;
}

async function runAgent(t: Test, config: string): Promise<RunningBinary> {
  const { child, ended } = start(['run', '--json', '--config', config]);
  t.teardown(() => child.kill('SIGKILL'));
  const line = once(createInterface({ input: child.stdout! }), 'line') as Promise<string[]>;
  const first = await Promise.race([line, ended.then(({ talk }) => Promise.reject(new Error(talk)))]);
  const { status } = JSON.parse(first[0]!) as { status: string };
  const ask = async (path: string): Promise<unknown> => (await fetch(new URL(path, status))).json();
  const model = () => ask('/api/v1/status') as Promise<StatusModel>;
  const [host, port] = (await model()).sources[0]!.address!.split(':');
  const client = makeMllpClient({ host: host!, port: Number(port) });
  t.teardown(() => client.close());
  return {
    child,
    ended,
    status,
    model,
    messages: async () => ((await ask('/api/v1/messages')) as { messages: MessageRow[] }).messages,
    send(number) {
      const { bytes, controlId } = write(utf8, report(number, { patient: patient(7), results: chemistry('6.21') }));
      return client.send(bytes, controlId);
    },
  };
}

const threadsNamed = (pid: number, name: string): number =>
  readdirSync(`/proc/${pid}/task`).filter(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8') === `${name}\n`,
  ).length;

/** Files that a process has open, apart from devices and what the kernel made up. */
const openFiles = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    })
    .filter((path) => path.startsWith('/') && !path.startsWith('/dev/'));

t.test('it is built, and holds no path of the machine that built it', { skip }, async (t) => {
  mkdirSync(elsewhere);
  mkdirSync(join(base, 'program'));
  mkdirSync(join(base, 'build'));
  await buildBinary(join(base, 'build', 'qianzhi'));
  t.same(readdirSync(join(base, 'build')), ['qianzhi'], 'nothing is left of the work');
  renameSync(join(base, 'build', 'qianzhi'), program);
  const bytes = readFileSync(program);
  for (const path of [base, ...['agent/', 'adapters/', 'node_modules/', 'installer/'].map((p) => repository + p)]) {
    t.equal(bytes.includes(path), false, 'no path of this machine');
  }
  for (const [name, text] of await bundleTexts({ main: 'agent/main.ts' })) {
    t.equal(Buffer.from(text).includes('sourceMappingURL'), false, `no source map in ${name}`);
  }
});

t.test('code that would run outside the binary only is refused when it is built', { skip }, async (t) => {
  const folder = t.testdir({ 'place.js': 'export const place = import.meta.url;', 'gone.js': "import 'not-there';" });
  await t.rejects(bundleTexts({ place: join(folder, 'place.js') }), { message: /place\.js:1 .*import\.meta/ });
  await t.rejects(bundleTexts({ gone: join(folder, 'gone.js') }), { message: /not-there/ });
});

t.test('it says its version, runs under the flags of npm start, and takes no orders for Node', { skip }, async (t) => {
  const { version, scripts } = JSON.parse(inRepository('package.json')) as {
    version: string;
    scripts: { start: string };
  };
  for (const env of [{}, { NODE_OPTIONS: '--require ./not-there.js' }] as Array<Record<string, string>>) {
    t.same(await start(['--version'], env).ended, { exit: 0, out: `qianzhi ${version}\n`, talk: '' });
  }
  t.match(scripts.start, v8Flags.join(' '));
  t.match(await start(['--eval', 'process.exit(99)']).ended, { exit: 2 });
});

t.test('demo certificates are refused with CFG-5007, exit 78', { skip }, async (t) => {
  const site = makeSite('demo-site', 'https://localhost:1/', true);
  const { exit, talk } = await start(['run', '--config', site.config]).ended;
  t.equal(exit, 78, talk);
  t.match(talk, /qianzhi\.yaml:\d+:\d+ CFG-5007 platforms\[0\]\.tls\.cert/);
  t.same(readdirSync(site.folder).sort(), ['certs', 'qianzhi.yaml']);
});

t.test('a message goes all the way, a kill -9 loses nothing, and nothing is written elsewhere', { skip }, async (t) => {
  const site = makeSite('site', 'https://localhost:1/', false);
  const province = await startProvince(t, site.pki);
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('https://localhost:1/', province.url));
  const { config } = site;
  const certificates = readdirSync(join(site.folder, 'certs'));

  for (const [args, said] of [
    [['config', 'validate', '--lang', 'en'], /^Valid: sources 1, platforms 1\.$/m],
    [['config', 'show', '--lang', 'en'], /province/],
    [['config', 'schema'], /"config_version"/],
  ] as const) {
    const file = args[1] === 'schema' ? [] : ['--config', config];
    const { exit, out, talk } = await start([...args, ...file]).ended;
    t.equal(exit, 0, talk);
    t.match(out, said);
  }
  t.same(readdirSync(site.folder).sort(), ['certs', 'qianzhi.yaml'], 'a check writes nothing');

  const first = await runAgent(t, config);
  t.equal((await first.model()).version, JSON.parse(inRepository('package.json')).version);
  t.equal(await first.send('BIN1'), 'AA');
  t.ok(await until(() => province.received().length === 1), 'the first document arrives');

  const page = await (await fetch(first.status)).text();
  t.equal(page, inRepository('dist/web/index.html'));
  for (const [name, type] of [
    ['page.js', 'text/javascript'],
    ['page.css', 'text/css'],
  ] as const) {
    t.ok(page.includes(`/${name}"`), `the page asks for ${name}`);
    const answer = await fetch(new URL(name, first.status));
    t.match([answer.status, answer.headers.get('content-type')], [200, type]);
    t.equal(await answer.text(), inRepository(`dist/web/${name}`));
  }
  t.equal(threadsNamed(first.child.pid!, 'V8Worker'), 1, 'the flags that are Node’s and not V8’s are heard as well');
  const outside = openFiles(first.child.pid!).filter((path) => !path.startsWith(`${site.folder}/`));
  t.same(outside, [], 'every open file lies in the site');

  // Acknowledged while the province is away, and then killed: it must be there afterwards.
  await province.tell('down');
  t.equal(await first.send('BIN2'), 'AA');
  first.child.kill('SIGKILL');
  const { talk } = await first.ended;
  t.notMatch(talk, /warning/i);
  await province.tell('up');

  const second = await runAgent(t, config);
  t.ok(await until(() => province.received().length === 2), 'the second document arrives');
  t.equal(await second.send('BIN1'), 'AA', 'sent again by its sender');
  const settled = async () => {
    const rows = await second.messages();
    return rows.length >= 2 && rows.every(({ states }) => states.every(({ state }) => state !== 'waiting'));
  };
  t.ok(await until(settled));
  const documents = province.received();
  t.same(
    documents.map(({ report, version, operation }) => [report, version, operation]),
    [
      ['BIN1', 1, 'publish'],
      ['BIN2', 1, 'publish'],
    ],
    'each once',
  );
  for (const { report: number, bytes } of documents) {
    t.match(readDocument(bytes), { reportNumber: number, name: '郑珅玘', results: { K: '6.21 mmol/L' } });
  }

  second.child.kill('SIGTERM');
  const { exit, talk: last } = await second.ended;
  t.equal(exit, 0, last);
  t.notMatch(last, /warning/i);
  t.same(readdirSync(site.folder).sort(), ['certs', 'qianzhi-data', 'qianzhi-key', 'qianzhi.log', 'qianzhi.yaml']);
  t.same(readdirSync(join(site.folder, 'certs')), certificates);
  t.same(readdirSync(elsewhere), []);
  t.same(readdirSync(join(base, 'program')), ['qianzhi']);
  t.comment(`${(statSync(program).size / 1e6).toFixed(1)} MB`);
});
