import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { goodConfig } from '../../config/small-registry.ts';
import { speak } from './program-of-test.ts';

/** A configuration whose status port is the given one. */
function configFor(t: Test, port: number): string {
  const folder = t.testdir({ 'profile.yaml': 'a: 1\n', 'pack.yaml': 'a: 1\n' });
  const file = join(folder, 'qianzhi.yaml');
  writeFileSync(file, goodConfig.replace('sources:', `status:\n  port: ${port}\nsources:`));
  return file;
}

/** What `status` says to an HTTP server that answers with the given body. */
async function statusOf(t: Test, body: unknown, args: string[] = []) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const said = await speak(['status', '--lang', 'en', '--config', configFor(t, port), ...args]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  t.same(asked, ['/api/v1/status']);
  return said;
}

const model = (level: string, problems: object[] = []) => ({
  site: { name: 'H' },
  verdict: { level },
  facts: { receivedToday: 5, deliveredToday: 3, waiting: 1, heldForPerson: 1 },
  problems,
  sources: [] as object[],
});

t.test('the verdict is the exit code: 0 ok, 3 needs attention, 1 fault', async (t) => {
  t.equal((await statusOf(t, model('ok'))).exit, 0);
  t.equal((await statusOf(t, model('attention'))).exit, 3);
  t.equal((await statusOf(t, model('fault'))).exit, 1);
});

t.test('problems are told with their fix', async (t) => {
  const said = await statusOf(t, model('attention', [{ code: 'NET-1002', component: 'province', count: 4 }]));
  t.match(said.out, 'Needs attention  H');
  t.match(said.out, /NET-1002 province ×4 {2}Platform refuses the connection\n {2}Check the port/);
});

t.test('files of a folder that were not read are told with the reason', async (t) => {
  const ignored = { empty: 2, 'not-hl7': 1, marker: 5, 'not-included': 1204, link: 1, special: 1 };
  const said = await statusOf(t, {
    ...model('attention'),
    sources: [
      { name: 'dropped', folder: { ignored } },
      { name: 'clean', folder: { ignored: { marker: 1 } } },
    ],
  });
  t.match(
    said.out,
    'dropped  not read: not HL7 1, empty 2, not in include 1,204, links and special files 2 (left where they are)',
  );
  t.notMatch(said.out, 'clean');
});

t.test('--json gives the model as it is', async (t) => {
  t.same(JSON.parse((await statusOf(t, model('ok'), ['--json'])).out), model('ok'));
});

t.test('another program on the port is not the agent: exit 5', async (t) => {
  t.equal((await statusOf(t, { hello: 1 })).exit, 5);
});

t.test('nothing on the port: exit 5, told on stderr', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const said = await speak(['status', '--lang', 'en', '--config', configFor(t, port)]);
  t.match(said, { exit: 5, out: '', talk: `No answer from http://127.0.0.1:${port}` });
  t.match(JSON.parse((await speak(['status', '--json', '--config', configFor(t, port)])).talk), {
    code: 'NOT-RUNNING',
  });
});
