import t from 'tap';
import type { SendResult } from '../../../agent/delivery/platform.ts';
import { mapped, quickRig, record } from '../store/rig.ts';
import { connectionOf, deliverTo, until } from './rig.ts';

t.setTimeout(600_000);

const answers: Array<[what: string, answer: SendResult]> = [
  ['413, which halves the batch', { kind: 'too-large', code: 'PLT-1302' }],
  ['400, which bisects it', { kind: 'refused-whole', code: 'PLT-1305' }],
];
for (const [what, answer] of answers) {
  t.test(`withdrawn while its batch is on the wire, answered by ${what}: it is not sent again`, async (t) => {
    const rig = await quickRig();
    t.teardown(rig.close);
    for (let i = 1; i <= 9; i++) await rig.accept(`m${i}`);
    const wrong = [3, 6];
    await rig.view.commitMapping({
      messages: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => mapped(i, [record(`R${i}`, 1, { patient: `P${i}` })])),
      reports: [],
      through: 8,
    });
    await rig.render('1', '2', '3', '4', '5', '6', '7', '8');

    const requests: Array<Array<{ n: number; operation: string }>> = [];
    const connection = connectionOf(async (documents) => {
      requests.push(documents.map(({ n, operation }) => ({ n, operation })));
      if (requests.length === 1) {
        const retractions = wrong.map((i) => record(`R${i}`, 2, { patient: `P${i}`, action: 'retract' }));
        await rig.map(9, ...retractions);
        await rig.render('retract 3', 'retract 6');
      }
      if (documents.length > 1) return answer;
      return { kind: 'items', items: documents.map(({ n }) => ({ n, outcome: 'accepted' })) };
    });
    const timing = { retry: { baseMs: 5, maxMs: 20 }, probeMs: 20, lingerMs: 1 };
    const delivery = deliverTo(connection, rig.store, timing);
    t.teardown(() => delivery.stop());

    await until(async () => (await rig.states())[9] === 'delivered');
    await until(async () => Object.values(await rig.states()).filter((s) => s === 'delivered').length === 7);
    t.equal(requests[0]?.length, 8, 'they went out together');
    const again = requests.slice(1).flat();
    t.same(
      again.filter(({ n }) => wrong.includes(n)),
      [],
      'the wrong ones never again',
    );
    t.equal(
      new Set(again.filter((d) => d.operation === 'retract').map((d) => d.n)).size,
      2,
      'their retractions instead',
    );
    const states = await rig.states();
    t.same([states[3], states[6]], ['absorbed', 'absorbed']);
    await delivery.stop();
  });
}
