import { createServer as createPlainServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { document } from './documents.ts';
import { never, open, quick, rig } from './rig.ts';

/** Where a server of another kind listens, closed with the test. */
async function addressOf(t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

t.test('refused connection', async (t) => {
  const { platform, connection } = await rig(t);
  await platform.close();
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1002' });
  t.same(await connection.probe(never), { ok: false, code: 'NET-1002' });
});

t.test('unknown host name', async (t) => {
  const { pki } = await rig(t);
  const connection = await open(t, 'https://no-such-platform.invalid:8443', pki);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1001' });
});

t.test('plain HTTP on the port', async (t) => {
  const { pki } = await rig(t);
  const server = createPlainServer((_, res) => res.end());
  const connection = await open(t, await addressOf(t, server), pki);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1005' });
});

t.test('TCP answers and TLS never does', async (t) => {
  const { pki } = await rig(t);
  const server = createTcpServer((socket) => void socket.on('error', () => {}));
  const connection = await open(t, await addressOf(t, server), pki, {}, quick);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'NET-1003' });
});

t.test('the line is cut within the handshake', async (t) => {
  const { pki } = await rig(t);
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  });
  const connection = await open(t, await addressOf(t, server), pki);
  t.same(await connection.send([document(1)], never), { kind: 'retry', code: 'TLS-1210' });
});
