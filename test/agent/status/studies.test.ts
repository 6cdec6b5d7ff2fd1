import t from 'tap';
import { openStudyDesk } from '../../../agent/control/study-desk.ts';
import { startStatusServer } from '../../../agent/status/server.ts';
import { composeStatus } from '../../../agent/status/verdict.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { imageRig } from '../images/rig.ts';
import { healthyParts } from './fixture.ts';

t.test('the page finds what the store has, sends it again, and is told nothing of the patient', async (t) => {
  const rig = await imageRig();
  t.teardown(rig.close);
  const canary = {
    patientId: 'CANARY-1',
    accessionNumber: 'CANARY-2',
    studyDescription: 'CANARY-3',
    modality: 'CANARY-4',
  };
  const named = { ...canary, patientName: { alphabetic: 'CANARY^5' }, study: '1.2.777888', series: '1.2.777888.1' };
  await rig.take({ uid: '1.1', ...named });
  await rig.take({ uid: '2.1', study: '1.2.2' });
  await rig.indexAll();
  await rig.claimImages();
  await rig.accepted([1, 2]);
  const desk = openStudyDesk({
    store: rig.store,
    platforms: ['cloud'],
    wake() {},
    clock: systemClock,
    log: silentLog,
  });
  const server = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    model: () => composeStatus(healthyParts()),
    messages: async () => [],
    findMessages: async () => [],
    studies: desk,
    subscribe: () => () => {},
    clock: systemClock,
    log: silentLog,
  });
  t.teardown(server.close);
  const said: string[] = [];
  const ask = async (path: string, body?: object) => {
    const headers = {
      'Content-Type': 'application/json',
      'Sec-Fetch-Site': 'same-origin',
      Origin: `http://127.0.0.1:${server.port}`,
    };
    const url = new URL(path, server.url);
    const answer = await fetch(url, body && { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await answer.text();
    said.push(text);
    return JSON.parse(text) as object;
  };
  const found = { studies: [{ study: 1, instances: 1, modalities: ['?'] }] };
  t.match(await ask('/api/v1/studies/search', { by: 'patient', term: 'CANARY-1' }), found);
  t.match(await ask('/api/v1/studies/search', { by: 'accession', term: 'CANARY-2' }), found);
  t.match(await ask('/api/v1/studies/search', { by: 'uid', term: '1.2.777888' }), found);
  t.same(await ask('/api/v1/studies/search', { by: 'patient', term: 'CANARY-9' }), { studies: [] });
  t.match(await ask('/api/v1/studies/1'), { study: { study: 1, reports: [] } });
  t.match(await ask('/api/v1/studies/1/instances'), { instances: [{ n: 1, states: [{ state: 'delivered' }] }] });
  t.same(await ask('/api/v1/studies/1/resend', {}), { resent: 1, rest: [] });
  t.same(await ask('/api/v1/studies/1/resend', {}), {
    resent: 0,
    rest: [{ platform: 'cloud', why: 'waiting', count: 1 }],
  });
  t.match(await ask('/api/v1/studies/1/resend', { platform: 'nowhere' }), { code: 'DCM-2283' });
  t.match(await ask('/api/v1/studies?limit=10'), { studies: [{ study: 2 }, { study: 1 }] });
  t.notMatch(said.join('\n'), /CANARY|777888/);
});
