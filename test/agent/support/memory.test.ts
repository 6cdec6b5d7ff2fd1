import t from 'tap';
import { giveBack } from '../../../agent/support/memory.ts';

t.test('bytes that are the whole of their buffer are given back, and every view of them is empty', async (t) => {
  const bytes = new Uint8Array(1000);
  const view = bytes.subarray(10, 20);
  giveBack(bytes);
  t.same([bytes.length, view.length, (bytes.buffer as ArrayBuffer).detached], [0, 0, true]);
  t.doesNotThrow(() => giveBack(bytes), 'again: nothing');
});

t.test('a part of a buffer, of a pool say, stays', async (t) => {
  const pooled = Buffer.from('a neighbour');
  const neighbour = Buffer.from('abc');
  giveBack(pooled);
  giveBack(new Uint8Array(neighbour.buffer, neighbour.byteOffset, 3));
  t.same([pooled.toString(), neighbour.toString()], ['a neighbour', 'abc']);
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  giveBack(shared);
  t.equal(shared.length, 8);
});
