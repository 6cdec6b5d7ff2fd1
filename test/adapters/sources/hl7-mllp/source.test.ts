import { createServer } from 'node:net';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { hl7MllpConfig } from '../../../../adapters/sources/hl7-mllp/config.ts';
import { hl7Mllp } from '../../../../adapters/sources/hl7-mllp/source.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { intakeOf } from './intake-of.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

t.test('starting fails with its code: port in use, off loopback without peers, address not ours', async (t) => {
  const context = {
    name: 'lis',
    profile: intakeOf(),
    senders: [],
    clock: systemClock,
    log: silentLog,
    accept: async () => ({ seq: 1, outcome: 'stored' as const, controlIdReused: false }),
    pendingBytes: () => 0,
    changed() {},
  };
  const start = (config: Record<string, unknown>) =>
    hl7Mllp.start(context, hl7MllpConfig.parse({ port: 0, ...config }));
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await t.rejects(start({ port }), { code: 'MLLP-2001', where: 'sources.lis.port' });
  await t.rejects(start({ host: '0.0.0.0' }), { code: 'CFG-5011' });
  await t.rejects(start({ host: '192.0.2.1', peers: ['10.0.0.0/8'] }), {
    code: 'CFG-5003',
    where: 'sources.lis.host',
  });
});

t.test('stop: what is framed is answered, a partial is not stored, no new connection', async (t) => {
  const { port, source, behave, stored } = await startListener(t);
  let letGo = () => {};
  behave(async () => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    return {};
  });
  const sender = await connectSender(t, port);
  sender.send(frame(Buffer.from(oru('Z1'))), `\x0b${oru('Z2')}`);
  await until(() => source.status().senders[0]?.messagesToday === 1);
  const stopped = source.stop(5000);
  await t.rejects(connectSender(t, port), { code: 'ECONNREFUSED' });
  letGo();
  await stopped;
  t.same(await sender.acks(1), ['AA:Z1']);
  t.equal(stored.length, 1);
  t.equal(source.status().state, 'stopped');
});

t.test('stop: after the grace what hangs is cut off, unanswered', async (t) => {
  const { port, source, behave } = await startListener(t);
  behave(() => new Promise(() => {}));
  const sender = await connectSender(t, port);
  sender.frames(oru('Z3'));
  await until(() => source.status().senders[0]?.messagesToday === 1);
  await source.stop(50);
  await sender.closed;
  t.equal(sender.received(), '');
});

t.test('logs hold codes and addresses, never content', async (t) => {
  const { port, logged } = await startListener(t);
  const sender = await connectSender(t, port);
  sender.send('ZHANG', frame(Buffer.from('ZHANG')), `\x0bZHANG`, frame(Buffer.from(oru('ZHANG'))));
  await sender.acks(2);
  t.notMatch(JSON.stringify(logged), 'ZHANG');
  t.same(
    logged.flatMap(({ fields }) => fields.code ?? []),
    ['MLLP-2003', 'HL7-2101', 'MLLP-2008'],
  );
});
