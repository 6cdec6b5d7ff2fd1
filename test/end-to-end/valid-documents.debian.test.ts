import t from 'tap';
import { missingSchemas as skip, validate } from '../adapters/formats/wst500-cda/schemas.ts';
import { until } from '../demo/running.ts';
import { playHospital } from './hospital.ts';
import { startRig } from './rig.ts';
import { tellStory, told } from './story.ts';

t.setTimeout(600_000);

t.test('every XML document that the province received validates against the CDA schema', { skip }, async (t) => {
  const rig = await startRig(t);
  await tellStory(rig);
  await rig.documents(told.lastWord);

  // And what the demo's hospital sends: all panels, three senders.
  const hospital = await playHospital(rig, 60);
  const fromStory = 7;
  t.ok(await until(() => rig.received().length === fromStory + hospital.documents), 'all arrive that should');

  const documents = rig.received();
  const xml = documents.filter(({ file }) => file.endsWith('.xml'));
  t.same(
    documents.filter((document) => !xml.includes(document)).map(({ sidecar }) => sidecar.operation),
    ['retract'],
    'what is not XML is the withdrawal',
  );
  t.same(
    validate(
      t.testdirName,
      xml.map(({ bytes }) => bytes),
      'base',
    ),
    [],
  );
  t.comment(`${xml.length} documents validated`);
});
