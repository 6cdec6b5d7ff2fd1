import { readFileSync, writeFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { HL7Message } from 'hl7v2';
import { Hl7Client } from 'hl7v2-net';
import t, { type Test } from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { createPki, type Pki, reissue } from '../../../platform/pki.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

/** PEM of what a sender of this PKI has. */
const sender = (files: Pki): ConnectionOptions => ({
  ca: readFileSync(files.ca),
  cert: readFileSync(files.clientCert),
  key: readFileSync(files.clientKey),
});
const listenerTls = (files: Pki) => ({ cert: files.serverCert, key: files.serverKey, ca: files.ca });
const folder = t.testdir();
const pki = createPki(`${folder}/site`);
const good = sender(pki);
const tls = listenerTls(pki);
const said = (listener: Awaited<ReturnType<typeof startListener>>) => listener.source.status().senders[0]?.problem;

t.test('over TLS 1.2 and 1.3 with a client certificate messages are taken and answered', async (t) => {
  const listener = await startListener(t, { config: { tls } });
  for (const [n, version] of (['TLSv1.2', 'TLSv1.3'] as const).entries()) {
    const device = await connectSender(t, listener.port, {
      tls: { ...good, minVersion: version, maxVersion: version },
    });
    device.frames(oru(`A${n}`), oru(`B${n}`));
    t.same(await device.acks(2), [`AA:A${n}`, `AA:B${n}`], version);
    // One byte in a record each, as the smallest devices write.
    for (const byte of frame(Buffer.from(oru(`C${n}`)))) device.send(Uint8Array.of(byte));
    t.same((await device.acks(3))[2], `AA:C${n}`);
  }
  t.equal(listener.stored.length, 6);
  t.same(listener.problems(), []);
});

t.test('hl7v2-net over mutual TLS gets its AA, and acknowledges it without harm', async (t) => {
  const listener = await startListener(t, { config: { tls } });
  const { cert, key, ca } = good as { cert: Buffer; key: Buffer; ca: Buffer };
  const client = Hl7Client.createTlsClient({ host: '127.0.0.1', port: listener.port, cert, key, ca });
  t.teardown(() => client.close());
  let written = 0;
  client.on('send', () => void written++);
  for (const id of ['F1', 'F2']) {
    const msa = (await client.sendMessageWaitAck(HL7Message.parse(oru(id)))).getSegment('MSA');
    t.same([msa?.field(1).getValue(), msa?.field(2).getValue()], ['AA', id]);
  }
  await until(() => written === 4);
  t.equal(listener.stored.length, 2);
  t.same(listener.problems(), []);
});

t.test('point 10 over TLS: a sender that ends its side right after its message still gets the answer', async (t) => {
  const { port, behave } = await startListener(t, { config: { tls } });
  behave(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return {};
  });
  const device = await connectSender(t, port, { tls: good });
  device.frames(oru('H1'));
  device.socket.end();
  await device.closed;
  t.same(await device.acks(1), ['AA:H1']);
});

t.test('point 11 over TLS: the answer to what is too long arrives before the close', async (t) => {
  const { port, stored } = await startListener(t, { config: { tls, max_message_bytes: 100_000 } });
  const device = await connectSender(t, port, { tls: good });
  device.frames(oru('L1', `OBX|1|ED|${'QUJD'.repeat(500_000)}\r`));
  await device.closed;
  t.same(await device.acks(1), ['AR:L1']);
  t.same(stored, []);
});

t.test('point 53: of a peer with a wrong certificate nothing is read, and the page says why', async (t) => {
  const listener = await startListener(t, { config: { tls } });
  const other = createPki(`${folder}/other`, { client: 'other-ca' });
  const clients: Array<[what: string, client: ConnectionOptions, reason: RegExp]> = [
    ['none', {}, /DID_NOT_RETURN_A_CERTIFICATE/],
    ['of another CA', sender(other), /UNABLE_TO_VERIFY/],
    ['too old a version', { ...good, maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }, /UNSUPPORTED_PROTOCOL/],
  ];
  let count = 0;
  for (const [what, client, reason] of clients)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { maxVersion, ...client, minVersion: 'TLSv1.1' as const, ca: good.ca };
      // With TLS 1.3 a client may speak before it learns of the refusal.
      const device = await connectSender(t, listener.port, { tls: options }).catch(() => undefined);
      device?.frames(oru('W1'));
      await device?.closed;
      t.equal(device?.received() ?? '', '', `${what}: no answer`);
      count += 1;
      await until(() => said(listener)?.count === count);
      t.match(said(listener), { code: 'MLLP-2011', said: reason }, what);
    }
  t.same(listener.stored, [], 'and nothing is stored');
  for (const [files, reason] of [
    [createPki(`${folder}/late`, { client: 'expired' }), 'CERT_HAS_EXPIRED'],
    [createPki(`${folder}/early`, { client: 'not-yet-valid' }), 'CERT_NOT_YET_VALID'],
  ] as const) {
    const own = await startListener(t, { config: { tls: listenerTls(files) } });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const device = await connectSender(t, own.port, { tls: { ...sender(files), maxVersion } }).catch(() => undefined);
      device?.frames(oru('W2'));
      await device?.closed;
      t.equal(device?.received() ?? '', '');
    }
    await until(() => said(own)?.count === 2);
    t.match(said(own), { code: 'MLLP-2011', said: reason });
    t.same(own.stored, []);
  }
  const device = await connectSender(t, listener.port, { tls: good });
  device.frames(oru('W3'));
  t.same(await device.acks(1), ['AA:W3'], 'the listener goes on');
});

t.test('plain MLLP on a TLS port is refused unread and named; so is TLS on a plain port', async (t) => {
  const secure = await startListener(t, { config: { tls } });
  const plain = await connectSender(t, secure.port);
  plain.frames(oru('P1'));
  await plain.closed;
  await until(() => said(secure)?.code === 'MLLP-2013');
  t.same(secure.stored, []);

  for (const profile of ['', 'intake: {framing: none, answer_framing: none}']) {
    const open = await startListener(t, { profile });
    await t.rejects(connectSender(t, open.port, { tls: good }), 'at once, not after a time-out');
    await until(() => said(open)?.code === 'MLLP-2012');
    t.same(open.problems(), ['MLLP-2012'], 'and not as half a message');
    const device = await connectSender(t, open.port);
    device.send(`\x16\x03${profile === '' ? '\x0b' : ''}`);
    t.pass('what only resembles it is bytes before a start block as any others');
    if (profile !== '') continue;
    device.send(oru('P2'), '\x1c\r');
    t.same(await device.acks(1), ['AA:P2']);
  }
});

t.test('client certificates may be left out, and TLS 1.3 alone be taken', async (t) => {
  const { port } = await startListener(t, {
    config: { tls: { cert: pki.serverCert, key: pki.serverKey, client_certificates: 'none', min_version: '1.3' } },
  });
  const device = await connectSender(t, port, { tls: { ca: good.ca } });
  device.frames(oru('N1'));
  t.same(await device.acks(1), ['AA:N1']);
  await t.rejects(connectSender(t, port, { tls: { ca: good.ca, maxVersion: 'TLSv1.2' } }));
});

t.test('off loopback a required certificate stands for the address list; none of both is refused', async (t) => {
  const start = (config: object) => startListener(t, { config: { host: '0.0.0.0', ...config } });
  const { port } = await start({ tls });
  const device = await connectSender(t, port, { tls: good });
  device.frames(oru('O1'));
  t.same(await device.acks(1), ['AA:O1']);
  const open = { ...tls, client_certificates: 'none' };
  await t.rejects(start({ tls: open }), { code: 'CFG-5011', where: 'sources.lis.peers' });
  const listed = await start({ tls, peers: ['127.0.0.2'] });
  const stranger = await connectSender(t, listed.port, { tls: good }).catch(() => undefined);
  await stranger?.closed;
  t.same(listed.problems(), ['MLLP-2002'], 'a list that is given holds all the same');
});

t.test('a renewed certificate is used by new connections, and the open one goes on', async (t) => {
  const files = createPki(`${folder}/renewed`);
  const { port, logged, source, stored } = await startListener(t, { config: { tls: listenerTls(files) } });
  const open = await connectSender(t, port, { tls: sender(files) });
  open.frames(oru('R1'));
  await open.acks(1);
  const key = readFileSync(files.serverKey);
  writeFileSync(files.serverKey, key.subarray(0, 40));
  await until(() => source.status().problem?.code === 'TLS-1209');
  t.ok(logged.some(({ fields }) => fields.code === 'TLS-1209'));
  const meanwhile = await connectSender(t, port, { tls: sender(files) });
  meanwhile.frames(oru('R2'));
  t.same(await meanwhile.acks(1), ['AA:R2'], 'half-replaced files are not used');
  const before = fingerprint(meanwhile.socket);
  writeFileSync(files.serverKey, key);
  await until(() => source.status().problem?.code !== 'TLS-1209');
  reissue(files);
  await until(() => logged.some(({ event }) => event === 'certificates-read'));
  const after = await connectedAnew(t, port, files, before);
  after.frames(oru('R3'));
  t.same(await after.acks(1), ['AA:R3']);
  open.frames(oru('R4'));
  t.same(await open.acks(2), ['AA:R1', 'AA:R4'], 'who was connected stays so');
  t.same(stored.length, 4);
});

t.test('a certificate near its end is told on the page before senders turn away', async (t) => {
  const { source } = await startListener(t, {
    config: { tls: listenerTls(createPki(`${folder}/ends`, { nowMs: Date.now() - 6.5 * 86_400_000 })) },
  });
  t.match(source.status(), { state: 'listening', problem: { code: 'MLLP-2014' } });
  const fresh = await startListener(t, { config: { tls } });
  t.equal(fresh.source.status().problem, undefined);
});

t.test('a peer that never shakes hands is let go, and does not hold up the stop', async (t) => {
  const listener = await startListener(t, { config: { tls, first_byte_timeout_seconds: 0.2 } });
  const mute = await connectSender(t, listener.port);
  await mute.closed;
  await until(() => said(listener)?.code === 'MLLP-2011');
  const other = await connectSender(t, listener.port);
  await listener.source.stop(60_000);
  await other.closed;
  t.equal(listener.source.status().state, 'stopped');
});

t.test('certificate files that cannot be used are told by name', async (t) => {
  await t.rejects(startListener(t, { config: { tls: { ...tls, cert: `${folder}/absent.pem` } } }), {
    code: 'TLS-1209',
    where: 'sources.lis.tls.cert',
  });
  await t.rejects(startListener(t, { config: { tls: { cert: tls.cert, key: tls.key } } }), 'a CA is missing');
});

const fingerprint = (socket: unknown): string =>
  (socket as import('node:tls').TLSSocket).getPeerCertificate().fingerprint256;

/** Each file is replaced for itself: only the whole set fits. */
async function connectedAnew(t: Test, port: number, files: Pki, before: string) {
  for (;;) {
    const device = await connectSender(t, port, { tls: sender(files) }).catch(() => undefined);
    if (device !== undefined && fingerprint(device.socket) !== before) return device;
    device?.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
