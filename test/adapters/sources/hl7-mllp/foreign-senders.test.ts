import t from 'tap';
import { checkAnswers, checkRefusals, message } from './foreign-check.ts';
import { foreignClients } from './foreign-clients.ts';
import { startListener, until } from './listener.ts';

for (const client of foreignClients) {
  checkAnswers(t, client);
  checkRefusals(t, client);
}

t.test('point 24: a client that acknowledges our acknowledgement is not answered for that', async (t) => {
  const { port, stored, source } = await startListener(t);
  const panates = foreignClients.find(({ name }) => name.startsWith('hl7v2-net'))!;
  const texts = Array.from({ length: 8 }, (_, n) => message(`K${n}`, 'UNICODE UTF-8'));
  t.same(
    await panates.send({ host: '127.0.0.1', port }, texts, 'utf-8'),
    texts.map((_, n) => `AA:K${n}`),
    'the answers stay in step',
  );
  await until(() => source.status().senders[0]?.connections === 0);
  t.equal(stored.length, 8, 'the messages, and not the acknowledgements of their acknowledgements');
  t.equal(source.status().senders[0]?.messagesToday, 8);
});
