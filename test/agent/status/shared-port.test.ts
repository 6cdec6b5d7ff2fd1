import t from 'tap';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { night, sharedPortParts } from './fixture.ts';

const parts = sharedPortParts();

t.test('problems of a sender told apart under a port carry its name', async (t) => {
  const { problems } = composeStatus(parts);
  t.same(problems.map(({ code, component, where }) => [code, component, where]).toSorted(), [
    ['HL7-2104', 'bs2000', '10.1.2.8'],
    ['HL7-2120', 'ward3', undefined],
    ['HL7-2121', 'lab', '10.1.2.9'],
  ]);
});

t.test('who is connected counts once, and what came under any name proves that senders are there', async (t) => {
  const hospital = (sources: typeof parts.sources) =>
    composeStatus({
      ...parts,
      sources,
      rhythms: [],
      store: { ...parts.store, receivedToday: [] },
    }).stations.find(({ id }) => id === 'hospital');
  t.match(hospital(parts.sources), { count: 3, lastMs: night - 20_000 });
  const quiet = parts.sources.map((s) => ({ ...s, senders: s.senders.map(({ problem: _, ...peer }) => peer) }));
  const own = quiet.map(({ under, ...s }) => ({ ...s, under: under?.slice(0, 1) ?? [] }));
  t.equal(hospital(own)?.level, 'ok');
  t.equal(hospital(quiet.map((s) => ({ ...s, under: [] })))?.level, 'unknown', 'connected, and nothing has come');
});
