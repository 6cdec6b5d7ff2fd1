import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { storeRig } from '../../../agent/store/rig.ts';
import { connectSender, oru, startListener } from './listener.ts';

/** A listener that stores in a real store, and what that has. */
async function startStoring(t: Parameters<typeof startListener>[0]) {
  const rig = await storeRig();
  t.teardown(rig.close);
  const listener = await startListener(t);
  listener.behave(({ bytes, controlId, receivedMs }) =>
    rig.store.accept({ source: 'lis', bytes, controlId, receivedMs }),
  );
  const inbox = () =>
    [...rig.view.inbox(0, 1000)].map((one) => ('raw' in one ? Buffer.from(one.raw.reveal()).toString() : 'unreadable'));
  return { ...listener, inbox };
}

t.test(
  'point 35: identical bytes again get their AA again and are stored once, on another connection too',
  async (t) => {
    const { port, inbox, problems } = await startStoring(t);
    for (let n = 0; n < 3; n++) {
      const sender = await connectSender(t, port);
      sender.frames(oru('D1'));
      t.same(await sender.acks(1), ['AA:D1']);
      sender.socket.destroy();
    }
    t.same(inbox(), [oru('D1')]);
    t.same(problems(), []);
  },
);

t.test(
  'points 36 and 37: another content under the same id, and the same under another id, are two messages',
  async (t) => {
    const { port, inbox, problems } = await startStoring(t);
    const sender = await connectSender(t, port);
    sender.frames(oru('1'), oru('1', 'NTE|1||other\r'));
    t.same(await sender.acks(2), ['AA:1', 'AA:1']);
    t.same(problems(), ['HL7-2103'], 'which is told');
    sender.frames(oru('2'));
    t.same(await sender.acks(3), ['AA:1', 'AA:1', 'AA:2']);
    t.same(inbox(), [oru('1'), oru('1', 'NTE|1||other\r'), oru('2')]);
  },
);

t.test(
  'point 38: a duplicate while the first is still on its way is stored once, and each sender hears of it',
  async (t) => {
    const { port, inbox } = await startStoring(t);
    const senders = await Promise.all([1, 2, 3, 4].map(() => connectSender(t, port)));
    for (const sender of senders) sender.frames(oru('F1'), oru('F1'));
    for (const sender of senders) t.same(await sender.acks(2), ['AA:F1', 'AA:F1']);
    t.same(inbox(), [oru('F1')]);
  },
);

t.test('point 39: an answer goes to the connection its message came on, or to none', async (t) => {
  const { port, behave, stored } = await startListener(t);
  const waiting = new Map<string, () => void>();
  behave(async ({ controlId }) => {
    await new Promise<void>((resolve) => waiting.set(Buffer.from(controlId).toString(), resolve));
    return {};
  });
  const gone = await connectSender(t, port);
  gone.frames(oru('N'));
  while (!waiting.has('N')) await sleep(5);
  gone.socket.resetAndDestroy();
  const next = await connectSender(t, port);
  next.frames(oru('M1'), oru('M2'));
  while (!waiting.has('M2')) await sleep(5);
  for (const id of ['M2', 'N', 'M1']) {
    waiting.get(id)?.();
    await sleep(20);
    if (id === 'N') t.equal(next.received(), '', 'neither that of another connection nor one out of turn');
  }
  t.same(await next.acks(2), ['AA:M1', 'AA:M2']);
  t.equal(next.received().split('\x1c\r').length, 3, 'and nothing else');
  t.equal(stored.length, 3);
});
