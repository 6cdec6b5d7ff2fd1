import t from 'tap';
import { createSenders } from '../../../../adapters/sources/listening/senders.ts';

const clock = (start: number) => {
  let ms = start;
  return { now: () => ms, monotonic: () => ms, pass: (by: number) => (ms += by) };
};

t.test('the table is bounded and forgets those who never sent anything first, never a connected one', async (t) => {
  const senders = createSenders(clock(1000), 3);
  senders.message('10.0.0.1');
  senders.connected('10.0.0.2');
  senders.problem('10.0.0.3', 'MLLP-2002');
  for (let n = 4; n < 100; n++) senders.problem(`10.0.0.${n}`, 'MLLP-2002');
  t.same(
    senders.list().map((sender) => sender.address),
    ['10.0.0.1', '10.0.0.2', '10.0.0.99'],
  );
});

t.test('today starts anew at midnight, also when no message comes', async (t) => {
  const time = clock(new Date(2026, 0, 15, 23, 59, 59).getTime());
  const senders = createSenders(time);
  senders.message('a');
  senders.message('a');
  t.equal(senders.list()[0]?.messagesToday, 2);
  time.pass(2000);
  t.equal(senders.list()[0]?.messagesToday, 0);
  senders.message('a');
  t.equal(senders.list()[0]?.messagesToday, 1);
});

t.test('problems of one kind are counted, and logged once a minute', async (t) => {
  const time = clock(0);
  const senders = createSenders(time);
  t.equal(senders.problem('a', 'MLLP-2003'), true);
  t.equal(senders.problem('a', 'MLLP-2003'), false);
  t.match(senders.list()[0]?.problem, { code: 'MLLP-2003', count: 2 });
  t.equal(senders.problem('a', 'MLLP-2008'), true);
  t.equal(senders.list()[0]?.problem?.count, 1);
  time.pass(60_000);
  t.equal(senders.problem('a', 'MLLP-2003'), true);
});

t.test('connections are counted, and since when there is one', async (t) => {
  const time = clock(5);
  const senders = createSenders(time);
  senders.connected('a');
  time.pass(5);
  senders.connected('a');
  t.match(senders.list(), [{ connections: 2, connectedSinceMs: 5 }]);
  senders.disconnected('a');
  senders.disconnected('a');
  t.equal(senders.connections('a'), 0);
  t.notOk('connectedSinceMs' in (senders.list()[0] ?? {}));
});
