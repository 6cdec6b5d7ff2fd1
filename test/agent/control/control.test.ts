import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { study } from '../../../agent/cli/study.ts';
import { controlOf } from '../../../agent/control/client.ts';
import { socketPlace } from '../../../agent/control/place.ts';
import { startControl } from '../../../agent/control/server.ts';
import { openStudyDesk } from '../../../agent/control/study-desk.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import type { Log, LogFields } from '../../../agent/support/log.ts';
import { goodConfig } from '../../config/small-registry.ts';
import { speak } from '../cli/program-of-test.ts';
import { imageRig } from '../images/rig.ts';

const windows = process.platform === 'win32' && 'unix sockets';

/** tap's own folders are too long for a socket's address. */
function shortFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'qz-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A real store with one delivered study, its desk, and what was logged. */
async function deskRig(t: Test) {
  const rig = await imageRig();
  t.teardown(rig.close);
  await rig.take({ uid: '1.1', patientId: 'CANARY-77', modality: 'CT' });
  await rig.take({ uid: '1.2', patientId: 'CANARY-77', modality: 'CANARY' });
  await rig.indexAll();
  await rig.claimImages();
  await rig.accepted([1, 2]);
  const logged: Array<[event: string, fields?: LogFields]> = [];
  const note = (event: string, fields?: LogFields) => void logged.push([event, fields]);
  const log: Log = { info: note, warn: note, error: note };
  let wakes = 0;
  const wake = () => {
    wakes += 1;
  };
  const desk = openStudyDesk({ store: rig.store, platforms: ['cloud'], wake, clock: systemClock, log });
  return { rig, desk, log, logged, wakes: () => wakes };
}

/** What a request over the socket is answered, whatever it is. */
function ask(
  socketPath: string,
  path: string,
  body: string,
  method = 'POST',
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method, agent: false }, (answer) => {
      let said = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        said += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: said }));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

t.test(
  'what a person asks is answered over a socket that only the agent’s user may open',
  { skip: windows },
  async (t) => {
    const { rig, desk, log, logged, wakes } = await deskRig(t);
    const dataFolder = rig.options.folder;
    const control = await startControl({ dataFolder, desk, log });
    const file = join(dataFolder, 'control.sock');
    t.equal(lstatSync(file).mode & 0o777, 0o600);
    const asked = controlOf(dataFolder);

    const found = await asked('/studies/find', { by: 'patient', term: ' CANARY-77' });
    t.match(found, [{ study: 1, source: 'pacs', instances: 2, modalities: ['CT', '?'], contradicts: false }]);
    t.equal((await asked('/studies/list', {})).length, 1);
    t.match(await asked('/studies/show', { study: 1 }), {
      states: [{ platform: 'cloud', state: 'delivered', count: 2 }],
    });
    t.match(await asked('/studies/instances', { study: 1, limit: 1, after: 1 }), [{ n: 2, fileKept: true }]);
    t.same(await asked('/studies/resend', { study: 1 }), { resent: 2, rest: [] });
    t.equal(wakes(), 1, 'and it goes at once');
    t.match(await asked('/instances/resend', { n: 2 }), { resent: 0, rest: [{ why: 'waiting' }] });
    t.same(await asked('/studies/withdraw', { study: 1 }), { changed: true });
    t.same(await asked('/studies/withdraw', { study: 1 }), { changed: false });
    t.same(await asked('/studies/deleted', { study: 1, platform: 'cloud' }), { images: 2 });
    t.same(await asked('/studies/restore', { study: 1 }), { changed: true, rest: [] });
    t.same(await asked('/platforms/forget', { platform: 'old' }), { images: 0 });

    for (const [path, body, code] of [
      ['/studies/show', { study: 9 }, 'DCM-2281'],
      ['/studies/resend', { study: 9 }, 'DCM-2281'],
      ['/studies/withdraw', { study: 9 }, 'DCM-2281'],
      ['/instances/resend', { n: 9 }, 'DCM-2282'],
      ['/studies/resend', { study: 1, platform: 'nowhere' }, 'DCM-2283'],
      ['/studies/deleted', { study: 1, platform: 'cloud' }, 'DCM-2284'],
      ['/platforms/forget', { platform: 'cloud' }, 'DCM-2285'],
      ['/studies/find', { by: 'patient', term: ' ' }, 'DCM-2286'],
      ['/studies/find', { by: 'patient', term: 'x'.repeat(257) }, 'DCM-2286'],
    ] as const) {
      await t.rejects(asked(path, body as never), { code }, `${path} ${code}`);
    }

    t.equal((await ask(file, '/studies/list', '{}', 'GET')).status, 404);
    t.equal((await ask(file, '/', '{}')).status, 404);
    t.equal((await ask(file, '/__proto__', '{}')).status, 404);
    for (const body of ['', '{', '[]', '{"limit":201}', '{"limit":0}', '{"more":1}']) {
      t.equal((await ask(file, '/studies/list', body)).status, 400, body);
    }
    t.same(await ask(file, '/studies/find', `"${'x'.repeat(20_000)}"`), { status: 413, body: '{"error":"too-long"}' });

    await control?.close();
    t.notOk(existsSync(file), 'nothing is left');
    await t.rejects(asked('/studies/list', {}), { name: 'NotRunning' });
    t.notMatch(JSON.stringify(logged), 'CANARY');
    t.same(
      logged.map(([event]) => event),
      ['study-resent', 'study-withdrawn', 'study-deleted-there', 'study-restored', 'platform-given-up'],
    );
  },
);

t.test(
  'a socket that a killed agent left is taken over, in a folder of any length too',
  { skip: windows },
  async (t) => {
    const { desk, log } = await deskRig(t);
    for (const name of ['short', 'long/'.padEnd(150, 'x')]) {
      const dataFolder = join(shortFolder(t), name);
      mkdirSync(dataFolder, { recursive: true });
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('./listening-child.ts', import.meta.url)), dataFolder],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const file = join(dataFolder, 'control.sock');
      t.ok(lstatSync(file).isSocket(), 'it is left');
      await t.rejects(controlOf(dataFolder)('/studies/list', {}), { name: 'NotRunning' });
      const control = await startControl({ dataFolder, desk, log });
      t.equal((await controlOf(dataFolder)('/studies/list', {})).length, 1);
      await control?.close();
      t.notOk(existsSync(file));
    }
  },
);

t.test(
  'where the socket cannot be made the agent goes on, with a warning, and removes nothing',
  { skip: windows },
  async (t) => {
    const { desk, log, logged } = await deskRig(t);
    const dataFolder = t.testdir({ 'control.sock': 'somebody’s file' });
    t.equal(await startControl({ dataFolder, desk, log }), undefined);
    t.equal(readFileSync(join(dataFolder, 'control.sock'), 'utf8'), 'somebody’s file');
    t.same(logged, [['control-not-open', { code: 'SYS-6007', errno: 'EADDRINUSE' }]]);
    t.equal(await startControl({ dataFolder: join(dataFolder, 'x'.repeat(200)), desk, log }), undefined);
    t.match(logged.at(-1), ['control-not-open', { code: 'SYS-6007', errno: 'ENOENT' }]);
  },
);

const notRoot = process.getuid?.() !== 0 && 'needs root to be somebody else';
t.test('another user of the machine is refused by the operating system', { skip: windows || notRoot }, async (t) => {
  const { desk, log } = await deskRig(t);
  const dataFolder = shortFolder(t);
  chmodSync(dataFolder, 0o755);
  const control = await startControl({ dataFolder, desk, log });
  t.teardown(() => control?.close());
  const connect = `require('net').connect(${JSON.stringify(join(dataFolder, 'control.sock'))})
    .on('connect', () => { console.log('connected'); process.exit(); }).on('error', (e) => console.log(e.code));`;
  writeFileSync(join(dataFolder, 'connect.cjs'), connect, { mode: 0o644 });
  const as = (uid: number) =>
    spawnSync(process.execPath, [join(dataFolder, 'connect.cjs')], { uid, env: {}, encoding: 'utf8', cwd: dataFolder });
  t.match(as(0).stdout, 'connected');
  const nobody = as(65_534);
  t.match(nobody.stdout, 'EACCES', nobody.stderr);
});

t.test(
  'a connection that breaks after the agent was asked leaves the outcome unknown, and is told so',
  { skip: windows },
  async (t) => {
    const folder = shortFolder(t);
    const dataFolder = join(folder, 'data');
    mkdirSync(dataFolder);
    const file = join(folder, 'qianzhi.yaml');
    for (const name of ['profile.yaml', 'pack.yaml']) writeFileSync(join(folder, name), 'a: 1\n');
    writeFileSync(file, goodConfig);
    const talk = async (lang: string, json = false) => {
      const more = json ? ['--json'] : [];
      const told = await speak(['study', 'withdraw', '1', '--lang', lang, '--config', file, ...more], [study]);
      return { exit: told.exit, said: told.talk };
    };
    t.match(await talk('en'), { exit: 5, said: /No agent runs/ });
    const place = socketPlace(dataFolder);
    let asked = 0;
    const agent = createServer((socket) => {
      socket.once('data', () => {
        asked += 1;
        // In the middle of its answer, and before it.
        if (asked === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{');
        socket.destroySoon();
      });
    });
    agent.listen(place.address);
    await once(agent, 'listening');
    t.teardown(() => {
      agent.close();
      place.release();
    });
    for (const lang of ['en', 'zh'] as const) {
      t.match(await talk(lang), {
        exit: 1,
        said: lang === 'en' ? /may have been done, or not/ : /可能已经做了，也可能没有/,
      });
    }
    t.match(await talk('en', true), { exit: 1, said: /"code":"NO-ANSWER"/ });
    t.equal(asked, 3);
  },
);

t.test('a client that hangs up is no error of the agent’s', { skip: windows }, async (t) => {
  const { desk, log, logged } = await deskRig(t);
  const dataFolder = shortFolder(t);
  const control = await startControl({ dataFolder, desk, log });
  t.teardown(() => control?.close());
  const socket = connect(join(dataFolder, 'control.sock'));
  socket.end('POST /studies/withdraw HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"study":');
  socket.resume();
  await once(socket, 'close');
  t.match(await controlOf(dataFolder)('/studies/show', { study: 1 }), { withdrawn: false });
  await control?.close();
  t.same(logged, []);
});
