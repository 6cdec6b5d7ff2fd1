import { createHash } from 'node:crypto';
import t from 'tap';
import {
  makeRetransmissionRing,
  RETRANSMISSION_WINDOW,
} from '../../../agent/store/sqlite/writes/retransmission-ring.ts';

const mac = (of: string): Buffer => createHash('sha256').update(of).digest();
const none = new Uint8Array();

t.test('the newest of a full window are found, and what they took the place of is not', async (t) => {
  const ring = makeRetransmissionRing();
  const all = RETRANSMISSION_WINDOW + 5_000;
  for (let n = 0; n < all; n++) ring.put(n % RETRANSMISSION_WINDOW, n + 1, mac(`control ${n}`), mac(`content ${n}`));
  const wrong: number[] = [];
  for (let n = 0; n < all; n++) {
    const kept = n >= 5_000;
    const right =
      ring.seqOf(mac(`content ${n}`)) === (kept ? n + 1 : undefined) && ring.hasControl(mac(`control ${n}`)) === kept;
    if (!right) wrong.push(n);
  }
  t.same(wrong, []);
  t.equal(ring.seqOf(mac('control 9000')), undefined, 'a control id is no content');
});

t.test('of the same content twice the newest is found, also when the other has left', async (t) => {
  const ring = makeRetransmissionRing();
  ring.put(0, 1, mac('A'), mac('x'));
  ring.put(1, 2, mac('A'), mac('x'));
  t.equal(ring.seqOf(mac('x')), 2);
  ring.put(0, 3, mac('B'), mac('y'));
  t.equal(ring.seqOf(mac('x')), 2);
  t.ok(ring.hasControl(mac('A')));
  ring.put(1, 4, none, mac('z'));
  t.equal(ring.seqOf(mac('x')), undefined);
  t.notOk(ring.hasControl(mac('A')));
});

t.test('an empty control id is never found', async (t) => {
  const ring = makeRetransmissionRing();
  ring.put(0, 1, none, mac('x'));
  t.notOk(ring.hasControl(none));
  t.notOk(ring.hasControl(new Uint8Array(32)));
  t.equal(ring.seqOf(mac('x')), 1);
});
