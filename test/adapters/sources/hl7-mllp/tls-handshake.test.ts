import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { createPki } from '../../../platform/pki.ts';
import { choosePort } from '../../../platform/ports.ts';
import { connectSender, type Listener, oru, startListener, until } from './listener.ts';

const pki = createPki(t.testdir());
const tls = { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca };
const good = { ca: readFileSync(pki.ca), cert: readFileSync(pki.clientCert), key: readFileSync(pki.clientKey) };
const connections = ({ source }: Listener): Array<number | undefined> =>
  source.status().senders.map((sender) => sender.connections);
const stateOf = ({ source }: Listener, address: string) => {
  const sender = source.status().senders.find((s) => s.address === address);
  return { connections: sender?.connections, problem: sender?.problem?.code };
};

/** Connects until it is let in, and sends one message. */
async function letIn(t: Test, port: number): Promise<string[]> {
  for (;;) {
    const device = await connectSender(t, port, { tls: good }).catch(() => undefined);
    if (device !== undefined) {
      device.frames(oru('G1'));
      return device.acks(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

t.test('probes that connect and go take no place of a TLS port, and are no failed handshakes', async (t) => {
  const listener = await startListener(t, { config: { tls, max_connections_per_peer: 8 } });
  for (const leave of [(probe: Socket) => probe.end(), (probe: Socket) => probe.resetAndDestroy()]) {
    const probes = await Promise.all(Array.from({ length: 8 }, () => connectSender(t, listener.port)));
    await until(() => connections(listener)[0] === 8);
    for (const { socket } of probes) leave(socket);
    await until(() => connections(listener)[0] === 0);
    t.same(listener.problems(), [], 'closed by them, not by a time-out of ours');
  }
  t.same(await letIn(t, listener.port), ['AA:G1']);
  t.same(listener.problems(), []);
  const mumbling = await connectSender(t, listener.port);
  mumbling.send('\x16\x03\x01');
  mumbling.socket.end();
  await until(() => listener.problems()[0] === 'MLLP-2011');
  t.pass('who began a handshake and went has failed');
});

t.test('hosts that are silent in their handshakes do not lock a good sender out', async (t) => {
  const listener = await startListener(t, { config: { tls, max_connections: 4, max_connections_per_peer: 2 } });
  const silent = [];
  for (const from of ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3']) {
    silent.push(await connectSender(t, listener.port, { from }));
  }
  await until(() => connections(listener).join() === '2,2');
  silent[0]?.send('\x16\x03\x01');
  t.same(await letIn(t, listener.port), ['AA:G1']);
  t.same(stateOf(listener, '127.0.0.2'), { connections: 1, problem: 'MLLP-2007' }, 'its oldest gave way');
  t.same(stateOf(listener, '127.0.0.3'), { connections: 2, problem: undefined });
  await silent[0]?.closed;
});

t.test('at the limit of a peer its own handshake gives way, not that of another', async (t) => {
  const listener = await startListener(t, { config: { tls, max_connections: 3, max_connections_per_peer: 2 } });
  await connectSender(t, listener.port, { from: '127.0.0.2' });
  await until(() => connections(listener).join() === '1');
  const old = await connectSender(t, listener.port);
  await connectSender(t, listener.port);
  await until(() => connections(listener).join() === '1,2');
  t.same(await letIn(t, listener.port), ['AA:G1']);
  await old.closed;
  t.same(stateOf(listener, '127.0.0.2'), { connections: 1, problem: undefined });
  t.same(stateOf(listener, '127.0.0.1'), { connections: 2, problem: 'MLLP-2007' });
});

t.test('handshakes that have only begun are not cut by those who come after', async (t) => {
  const listener = await startListener(t, { config: { tls, max_connections: 2 } });
  const early = await Promise.all([connectSender(t, listener.port), connectSender(t, listener.port)]);
  await until(() => connections(listener)[0] === 2);
  await (await connectSender(t, listener.port)).closed;
  t.equal(listener.source.status().refusedConnections, 1);
  for (const { socket } of early) {
    socket.removeAllListeners('data');
    const secure = connectTls({ socket, ...good });
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    secure.write(frame(Buffer.from(oru('E1'))));
    t.match(await new Promise((resolve) => secure.once('data', (answer) => resolve(String(answer)))), 'MSA|AA|E1');
    secure.destroy();
  }
});

t.test('a device that connects anew from the same port during its handshake leaves no place taken', async (t) => {
  const listener = await startListener(t, { config: { tls } });
  // A port that the system gives to nobody else meanwhile.
  const options = { port: listener.port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort: await choosePort() };
  const first = connect(options);
  t.teardown(() => first.destroy());
  await until(() => connections(listener)[0] === 1);
  // In one turn, so that the listener sees the new connection before the old one is quite closed.
  first.resetAndDestroy();
  const again = connect(options);
  t.teardown(() => again.destroy());
  const secure = connectTls({ socket: again, ...good });
  await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
  secure.write(frame(Buffer.from(oru('S1'))));
  t.match(await new Promise((resolve) => secure.once('data', (answer) => resolve(String(answer)))), 'MSA|AA|S1');
  await until(() => connections(listener)[0] === 1);
  secure.destroy();
  await until(() => connections(listener)[0] === 0);
  await listener.source.stop(60_000);
  t.equal(listener.source.status().state, 'stopped', 'and nothing holds up the stop');
});

t.test('point 10 over TLS 1.2 and 1.3: the end of a side right after the message, the answer late', async (t) => {
  const { port, behave } = await startListener(t, { config: { tls } });
  behave(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return {};
  });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const device = await connectSender(t, port, { tls: { ...good, minVersion: version, maxVersion: version } });
    device.frames(oru('H1'));
    device.socket.end();
    await device.closed;
    t.same(await device.acks(1), ['AA:H1'], version);
  }
  const held = await holdingBack(t, port);
  const device = await connectSender(t, held, { tls: good });
  device.frames(oru('H2'));
  device.socket.end();
  await device.closed;
  t.same(await device.acks(1), ['AA:H2'], 'also where the end comes together with the end of the handshake');
});

/** A port before another that passes on at once what comes first, and all the rest when the sender has ended its side. */
async function holdingBack(t: Test, port: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (sender) => {
    const beyond = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    t.teardown(() => beyond.destroy());
    for (const socket of [sender, beyond]) socket.on('error', () => {});
    beyond.pipe(sender);
    const rest: Buffer[] = [];
    sender.once('data', (hello) => {
      beyond.write(hello);
      sender.on('data', (chunk: Buffer) => rest.push(chunk));
    });
    sender.once('end', () => beyond.end(Buffer.concat(rest)));
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
