import t from 'tap';
import { quickRig } from './rig.ts';

t.test('as many messages as the largest batch holds are known again when all of them are repeated', async (t) => {
  const rig = await quickRig();
  t.teardown(rig.close);
  const all = Array.from({ length: 10_000 }, (_, n) => `message ${n}`);
  const outcomes = async () => {
    const said: string[] = [];
    for (let at = 0; at < all.length; at += 2_500) {
      const some = await Promise.all(all.slice(at, at + 2_500).map((text, n) => rig.accept(text, 'lis', `${at + n}`)));
      said.push(...some.map(({ outcome }) => outcome));
    }
    return new Set(said);
  };
  t.same(await outcomes(), new Set(['stored']));
  t.same(await outcomes(), new Set(['retransmission']));
});
