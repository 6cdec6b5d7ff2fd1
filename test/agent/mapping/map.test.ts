import { createHash } from 'node:crypto';
import t from 'tap';
import { compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { mapAgain, mapBatch } from '../../../agent/mapping/map.ts';
import type { MessageReader } from '../../../agent/mapping/mapper.ts';
import { renderAgain, renderBatch } from '../../../agent/rendering/render.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { compilePack } from '../../adapters/formats/wst500-cda/compile-pack.ts';
import { storeRig } from '../store/rig.ts';

const profileText = readAsset('config/dialects/cn-default.yaml');
const packText = readAsset('config/provinces/cn-wst500/pack.yaml');

/** A laboratory report of an invented patient. */
const oru = (o: {
  report?: string;
  patientClass?: string;
  value?: string;
  status?: string;
  sent?: string;
  name?: string;
}) =>
  [
    `MSH|^~\\&|LIS|H|EDGE|P|${o.sent ?? '20240520102600'}||ORU^R01^ORU_R01|${o.report}-${o.value}-${o.status}|P|2.4|||||CHN|UTF-8`,
    `PID|1|P0001|ZY0001^^^^PatientNO||${o.name ?? '测试患者'}||19900307|M`,
    `PV1|1|${o.patientClass ?? 'I'}|W03^^12^0301^呼吸内科||||||||||||||||JZ01`,
    `OBR|1|AP01|SP01|XCG^血常规|||20240520080500|||||||20240520083000|04^静脉全血|D0001^刘主管||呼吸内科|0301|${o.report ?? 'LR1'}||20240520102000|||${o.status ?? 'F'}|||||||D1002^李审核|D1001^王医师`,
    `OBX|1|NM|WBC^白细胞计数||${o.value ?? '12.5'}|10\\S\\9/L|3.5-9.5|H|||${o.status ?? 'F'}|||20240520093000`,
  ].join('\r');

async function pipeline(text = profileText, pack = packText) {
  const rig = await storeRig();
  const mapping = {
    store: rig.view,
    readers: new Map<string, MessageReader>([['lis', compileProfile(text)]]),
    timeZone: 'Asia/Shanghai',
    clock: systemClock,
    setIdOf: (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 32),
  };
  const rendering = {
    platform: 'province',
    renderer: compilePack(pack, {}),
    store: rig.view,
    filters: {},
    holdMs: 0,
    bound: 1000,
    site: { orgCode: '12100000MB0000001P', name: '示例市人民医院' },
    clock: systemClock,
  };
  return {
    ...rig,
    mapping,
    rendering,
    async run() {
      while ((await mapBatch(mapping)) > 0);
      while ((await renderBatch(rendering)) > 0);
    },
    async documents() {
      const claimed = await rig.claim();
      return claimed.map((d) => Buffer.from(d.bytes.reveal()).toString());
    },
  };
}

t.test('a laboratory report becomes one C0007 document with its value as the laboratory wrote it', async (t) => {
  const p = await pipeline();
  t.teardown(p.close);
  await p.accept(oru({ report: 'LR1', value: '12.50' }));
  await p.run();
  const [xml, ...more] = await p.documents();
  t.same(more, []);
  t.match(xml, 'value="12.50"');
  t.match(xml, '测试患者');
});

t.test('a code that is not mapped holds the message, and adding it to the profile processes it', async (t) => {
  const p = await pipeline();
  t.teardown(p.close);
  await p.accept(oru({ report: 'LR1', patientClass: 'TJ9' }));
  await p.accept(oru({ report: 'LR2' }));
  await p.run();
  t.equal((await p.documents()).length, 1, 'its neighbour goes on');
  t.match(await p.store.problems(10), [{ code: 'MAP-3005', count: 1, exampleSeq: 1 }]);

  t.equal(await mapAgain(p.mapping, 'lis', 1), 1, 'tried once more');
  t.equal(await mapAgain(p.mapping, 'lis', 1), 0, 'and not again while nothing changes');
  t.same(await p.states(), { 1: 'quarantined', 2: 'waiting' });

  const amended = profileText.replace(/^( +)patient_class:\n/m, '$&$1  TJ9: outpatient\n');
  t.not(amended, profileText);
  p.mapping.readers.set('lis', compileProfile(amended));
  t.equal(await mapAgain(p.mapping, 'lis', 2), 1);
  await p.run();
  t.same(await p.states(), { 1: 'waiting', 2: 'waiting' });
  t.same(await p.store.problems(10), []);
});

t.test('a held message read again later never overwrites what came after it', async (t) => {
  const p = await pipeline();
  t.teardown(p.close);
  await p.accept(oru({ report: 'LR1', patientClass: 'TJ9', value: '1.0' }));
  await p.accept(oru({ report: 'LR1', value: '2.0' }));
  await p.run();
  const amended = profileText.replace(/^( +)patient_class:\n/m, '$&$1  TJ9: inpatient\n');
  p.mapping.readers.set('lis', compileProfile(amended));
  await mapAgain(p.mapping, 'lis', 2);
  await p.run();
  t.same(await p.states(), { 1: 'absorbed', 2: 'waiting' });
  const documents = await p.documents();
  t.equal(documents.length, 1);
  t.match(documents[0], 'value="2.0"');
});

t.test('a document that lacks an element is held and rendered again when the pack changes', async (t) => {
  const p = await pipeline();
  t.teardown(p.close);
  await p.accept(oru({ report: 'LR1', name: ' ' }));
  await p.run();
  const before = await p.states();
  t.equal(before[1], 'quarantined', 'a document without a patient name is held');
  t.equal(await renderAgain(p.rendering, 7), 1);
  t.equal(await renderAgain(p.rendering, 7), 0);
  t.equal((await p.states())[1], 'quarantined');
  p.rendering.renderer = {
    ...p.rendering.renderer,
    render: (input) =>
      compilePack(packText, {}).render({
        ...input,
        content: {
          ...input.content,
          record: { ...input.content.record, patient: { ...input.content.record.patient, name: '补登姓名' } },
        },
      }),
  };
  t.equal(await renderAgain(p.rendering, 8), 1);
  t.equal((await p.states())[1], 'waiting');
  t.ok((await p.documents()).some((xml) => xml.includes('补登姓名')));
});

t.test('a message that makes the program throw is set aside, and its neighbours go on', async (t) => {
  const p = await pipeline();
  t.teardown(p.close);
  const good = p.mapping.readers.get('lis')!;
  p.mapping.readers.set('lis', {
    ...good,
    read(raw, context) {
      if (Buffer.from(raw.reveal()).includes('LR2')) throw new Error('a bug');
      return good.read(raw, context);
    },
  });
  for (const report of ['LR1', 'LR2', 'LR3']) await p.accept(oru({ report }));
  await p.run();
  t.same(await p.states(), { 1: 'waiting', 2: 'quarantined', 3: 'waiting' });
  t.match(await p.store.problems(10), [{ code: 'MAP-3013', exampleSeq: 2 }]);
});

t.test('a platform at its bound stops reading, and goes on when there is room', async (t) => {
  const p = await pipeline();
  t.teardown(p.close);
  p.rendering.bound = 2;
  for (const report of ['LR1', 'LR2', 'LR3']) await p.accept(oru({ report }));
  await p.run();
  t.equal(p.view.unsent('province'), 2);
  const [first] = await p.claim();
  await p.store.settle('province', [{ n: first!.n, outcome: 'accepted' }]);
  await p.run();
  t.equal(p.view.unsent('province'), 2);
});
