import t from 'tap';
import { localTime, writeMessage } from './messages.ts';
import { drawResults, panels } from './panels.ts';
import { inventedResidentId, inventPatients, makeRandom } from './people.ts';
import { playScenes, type Scene, senders } from './script.ts';
import { encodeScene } from './traffic.ts';

function take(count: number, startMs = 1_700_000_000_000, seed?: number): Scene[] {
  const scenes = playScenes(startMs, seed, () => startMs);
  return Array.from({ length: count }, () => scenes.next().value as Scene);
}
const field = (scene: Scene, segment: string, at: number): string | undefined =>
  scene.text
    .split('\r')
    .find((line) => line.startsWith(`${segment}|`))
    ?.split('|')[at];
const of = (scenes: Scene[], kind: Scene['kind']): Scene => scenes.find((scene) => scene.kind === kind)!;

t.test('nobody in the demo can exist, and every resident ID has a valid checksum', async (t) => {
  t.equal(inventedResidentId('19900307', 721).length, 18);
  for (const { residentId, birthDate, sex } of inventPatients(makeRandom(1), 300)) {
    t.match(residentId, /^999999\d{11}[\dX]$/);
    t.equal(residentId.slice(6, 14), birthDate);
    t.equal(Number(residentId[16]) % 2 === 1, sex === 'M');
    // GB 11643-1999: the weighted sum of all eighteen, X being ten, leaves 1 on division by 11.
    const sum = [...residentId].reduce(
      (all, digit, at) => all + (digit === 'X' ? 10 : Number(digit)) * (2 ** (17 - at) % 11),
      0,
    );
    t.equal(sum % 11, 1);
  }
});

t.test('the opening shows every case of hospital traffic', async (t) => {
  const scenes = take(12);
  t.same(new Set(scenes.map((scene) => scene.kind)).size, 9);
  t.same(
    new Set(take(100).map((scene) => scene.sender.application)),
    new Set(senders.map((sender) => sender.application)),
  );
  const interim = of(scenes, 'interim');
  const final = of(scenes, 'final-after-interim');
  t.equal(field(interim, 'OBR', 25), 'P');
  t.equal(field(final, 'OBR', 25), 'F');
  t.equal(field(final, 'OBR', 20), field(interim, 'OBR', 20), 'one report');
  const first = of(scenes, 'specimen-first');
  const second = of(scenes, 'specimen-second');
  t.equal(field(first, 'OBR', 3), field(second, 'OBR', 3), 'one specimen');
  t.not(field(first, 'OBR', 20), field(second, 'OBR', 20), 'two reports');
  t.equal(field(first, 'PID', 2), field(second, 'PID', 2), 'one patient');
  const correction = of(scenes, 'correction');
  const before = scenes.find((scene) => field(scene, 'OBR', 20) === field(correction, 'OBR', 20))!;
  t.not(before, correction);
  t.equal(field(correction, 'OBR', 25), 'C');
  t.equal(correction.text.match(/\rOBX/g)?.length, before.text.match(/\rOBX/g)?.length, 'whole report');
  const again = of(scenes, 'retransmission');
  t.ok(
    scenes.some((scene) => scene.kind === 'final' && encodeScene(scene).equals(encodeScene(again))),
    'same bytes',
  );
  t.equal(field(of(scenes, 'without-visit'), 'PV1', 0), undefined);
  t.equal(field(of(scenes, 'unmapped-code'), 'PV1', 2), 'TX');
});

t.test('the same seed plays the same hospital; no run repeats the report numbers of another', async (t) => {
  t.same(take(50), take(50));
  const numbers = (scenes: Scene[]) => new Set(scenes.map((scene) => field(scene, 'OBR', 20)));
  const other = numbers(take(50, 1_700_000_001_000));
  t.notOk([...numbers(take(50))].some((number) => other.has(number)));
  t.same(
    take(50).map((scene) => field(scene, 'PID', 5)),
    take(50, 1_700_000_001_000).map((scene) => field(scene, 'PID', 5)),
  );
  const ids = take(700)
    .filter((scene) => scene.kind !== 'retransmission')
    .map((scene) => scene.controlId);
  t.equal(new Set(ids).size, ids.length);
});

t.test('every message survives its charset, with characters whose second byte is a delimiter', async (t) => {
  const scenes = take(400);
  for (const scene of scenes) {
    const label = scene.sender.encoding;
    if (new TextDecoder(label, { fatal: true }).decode(encodeScene(scene)) !== scene.text) t.fail(scene.controlId);
  }
  const chinese = scenes.filter((scene) => scene.sender.encoding === 'gb18030').map(encodeScene);
  t.ok(
    chinese.some((bytes) => bytes.includes(Buffer.from([0xab, 0x7c]))),
    '珅 holds a |',
  );
  t.ok(
    chinese.some((bytes) => bytes.includes(Buffer.from([0xab, 0x5e]))),
    '玘 holds a ^',
  );
});

t.test('a message is written in the Chinese dialect', async (t) => {
  const random = makeRandom(7);
  const [patient] = inventPatients(random, 1);
  const text = writeMessage(
    senders[0]!,
    {
      patient: patient!,
      visit: { patientClass: 'I', number: 'ZY1', department: ['0301', '呼吸内科'], ward: 'W03', bed: '12' },
      panel: panels.bloodCount,
      results: drawResults(random, panels.bloodCount),
      reportNumber: 'LR1',
      orderNumber: 'AP1',
      specimenNumber: 'SP1',
      status: 'F',
      collectedMs: Date.UTC(2026, 0, 1, 0, 0, 0),
      reportedMs: Date.UTC(2026, 0, 1, 2, 0, 0),
    },
    'LIS1',
    Date.UTC(2026, 0, 1, 16, 30, 0),
  );
  const segments = text.split('\r');
  t.match(
    segments[0],
    /^MSH\|\^~\\&\|LIS\|DEMO\|QIANZHI\|DEMO\|20260102003000\|\|ORU\^R01\^ORU_R01\|LIS1\|P\|2\.4\|\|\|AL\|AL\|CHN\|UNICODE UTF-8$/,
  );
  t.match(segments[1], /\^\^\^\^PatientNO~999999\d{11}[\dX]\^\^\^\^IdentifyNO~/);
  t.match(segments[2], /^PV1\|1\|I\|W03\^\^12\^0301\^呼吸内科\|\|\|\|D1004\^刘主管(\|){12}ZY1/);
  t.match(segments[4], /^OBR\|1\|AP1\|SP1\|XCG\^血常规\|.*\|LR1\|\|20260101100000\|\|\|F\|/);
  t.match(
    segments[5],
    /^OBX\|1\|NM\|WBC\^白细胞计数\|\|[\d.]+\|10\\S\\9\/L\|3\.50-9\.50\|/,
    'the ^ of a unit is escaped',
  );
  t.equal(segments.at(-1), '', 'the last segment ends with CR too');
  t.equal(localTime(Date.UTC(2026, 11, 31, 16, 0, 0)), '20270101000000');
});
