import t from 'tap';
import { mapBatch, mapDue } from '../../../agent/mapping/map.ts';
import { mappingRig } from './rig.ts';
import { merges, registers, report } from './statements.ts';

/** The right patient: completed, parked, merged, contradicted. Real mapping over a real store. */

const full = { name: '张三', class: 'inpatient' as const };

t.test('a registration becomes a record of the patient when it changes what is known', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  const at = (messageTime: string) => ({ messageTime });
  await m.say(registers('P1', { name: '张三' }, at('20240520080000')));
  await m.say(registers('P1', { name: '张三' }, at('20240520090000')));
  await m.say(registers('P1', { name: '张珊' }, at('20240520100000')));
  await m.say(registers('P1', { name: '旧名' }, at('20240520070000')));
  t.same(m.journal(), ['publish patient v1 张三 P1', 'publish patient v2 张珊 P1']);
  t.same(await m.states(), { 1: 'waiting', 2: 'absorbed', 3: 'waiting', 4: 'absorbed' });
});

t.test('a rule of the reader filters one part of a message', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say({ filtered: 'HL7-2104' });
  t.same(await m.states(), { 1: 'filtered' });
});

t.test('a report is completed from a registration in the same batch, its class from the same visit', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  const encounter = { diagnoses: [], visitNumber: 'V1', patientClass: 'emergency' as const };
  await m.receive(registers('P1', { name: '张三' }, { encounter }));
  await m.receive(report({ visit: 'V1' }));
  await m.receive(report({ number: 'R2', visit: 'V2' }));
  await m.map();
  t.same(m.journal(), ['publish patient v1 张三 P1', 'publish R1 v1 张三 P1']);
  t.match(m.records()[1], { record: { encounter: { patientClass: 'emergency' } } });
  t.same(await m.problems(), ['MAP-3005 encounter.class'], 'the class of another visit is not guessed');
});

t.test('a report whose patient nobody told of waits, and goes on when somebody does', async (t) => {
  const m = await mappingRig({ parkMs: 20 * 60_000 });
  t.teardown(m.close);
  await m.say(report({ class: 'inpatient' }));
  t.same(await m.problems(), []);
  t.same(m.journal(), []);
  m.pass(19);
  t.equal(await mapDue(m.stage), 0, 'nothing is tried before its time');
  await m.say(registers('P2', { name: '李四' }));
  t.same(m.journal(), ['publish patient v1 李四 P2'], 'another patient does not concern it');
  await m.say(registers('P1', { name: '张三' }));
  t.same(m.journal().slice(1), ['publish patient v1 张三 P1', 'publish R1 v1 张三 P1']);
  t.match(m.records()[2], { context: { receivedMs: 1_700_000_000_000 } });
  t.equal(await mapDue(m.stage), 0);
});

t.test('a report whose patient nobody ever tells of goes on flagged when the time is over', async (t) => {
  const m = await mappingRig({ parkMs: 20 * 60_000 });
  t.teardown(m.close);
  await m.say(report({ class: 'inpatient' }));
  await m.say(report({ number: 'R2', name: '张三', visit: 'V1', of: 'P2' }));
  m.pass(20);
  t.equal(await m.map(), 2);
  t.same(m.journal(), ['publish R1 v1 - P1']);
  t.same(await m.problems(), ['MAP-3005 encounter.class'], 'a class is not guessed, however long it takes');
});

t.test('a report that went out without its patient is completed when the registration comes at last', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ class: 'inpatient' }));
  await m.say(report({ ...full, number: 'R2', of: 'P2' }));
  await m.say(registers('P1', { phone: '1' }));
  await m.say(registers('P1', { name: '张三' }));
  await m.say(registers('P1', { name: '张珊' }));
  await m.say(report({ class: 'inpatient', items: 'K 5', at: '20240520110000' }));
  t.same(
    m.journal().filter((line) => line.includes(' R')),
    ['publish R1 v1 - P1', 'publish R2 v1 张三 P2', 'publish R1 v2 张三 P1', 'publish R1 v3 张珊 P1'],
    'once: a name corrected later issues nothing again',
  );
});

t.test('interim results and withdrawals need no patient and are not parked', async (t) => {
  const m = await mappingRig({ parkMs: 20 * 60_000 });
  t.teardown(m.close);
  await m.say(report({ ...full }));
  await m.say(report({ action: 'hold', at: '20240520110000' }));
  await m.say(report({ action: 'retract', at: '20240520120000' }));
  t.same(m.journal(), ['publish R1 v1 张三 P1', 'retract R1 v2 张三 P1']);
  t.match(await m.states(), { 2: 'absorbed' });
});

t.test('a parked version never overtakes: a newer one that came meanwhile makes it old', async (t) => {
  const m = await mappingRig({ parkMs: 20 * 60_000 });
  t.teardown(m.close);
  await m.say(report({ class: 'inpatient', items: 'K 1' }));
  await m.say(report({ ...full, items: 'K 2', at: '20240520110000' }));
  t.same(m.journal(), ['publish R1 v1 张三 P1'], 'the newer one told of the patient, too');
  t.match(m.records()[0], { record: { items: [{ value: '2' }] } });
  t.match(await m.states(), { 1: 'absorbed' });
});

t.test('in a backlog what was received in time still counts, however late it is mapped', async (t) => {
  const m = await mappingRig({ parkMs: 20 * 60_000 });
  t.teardown(m.close);
  await m.receive(report({ class: 'inpatient' }));
  await mapBatch(m.stage);
  m.pass(10);
  await m.receive(registers('P1', { name: '张三' }));
  m.pass(600);
  t.equal(await mapDue(m.stage), 0, 'the next message is older than the end of its time');
  await m.map();
  t.same(m.journal(), ['publish patient v1 张三 P1', 'publish R1 v1 张三 P1']);
});

t.test('somebody else under a known number is held, and the neighbours go on', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(registers('P1', { name: '张三', birthDate: '19900307' }));
  await m.say(report({ ...full, name: '李四', birthDate: '19850515' }));
  await m.say(registers('P1', { name: '李四', birthDate: '19850515' }));
  await m.say(report({ ...full, number: 'R2' }));
  t.same(m.journal(), ['publish patient v1 张三 P1', 'publish R2 v1 张三 P1']);
  t.same((await m.problems()).toSorted(), ['MAP-3029 patient.birthDate']);
});

t.test('a report completes no other: only a registration says whose a number is', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ ...full }));
  await m.say(report({ number: 'R2', class: 'inpatient', items: 'Na 140' }));
  t.same(m.journal(), ['publish R1 v1 张三 P1', 'publish R2 v1 - P1']);
});

t.test('a withdrawn report takes along what it taught, and what others teach stays', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  const stranger = { ...full, name: '李四', birthDate: '19850515' };
  await m.say(report(stranger));
  await m.say(report({ ...full, number: 'R2' }));
  t.same(await m.problems(), ['MAP-3029 patient.birthDate']);
  await m.say(report({ ...stranger, action: 'retract', at: '20240520110000' }));
  t.same(await m.problems(), []);
  t.equal(m.journal().at(-1), 'publish R2 v1 张三 P1');
  await m.say(report({ ...full, number: 'R3' }));
  await m.say(report({ ...full, number: 'R3', action: 'retract', at: '20240520110000' }));
  t.match(m.view.patient('P1'), { patient: { name: '张三', birthDate: '19900307' } });
});

t.test('a number contradicted is not read again for ever', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(registers('P1', { name: '张三', birthDate: '19900307' }));
  await m.say(report({ ...full, name: '李四', birthDate: '19850515' }));
  await m.say(registers('P1', { phone: '1' }));
  t.same(await m.problems(), ['MAP-3029 patient.birthDate']);
  t.equal(await mapDue(m.stage), 0);
});

t.test('an interim of somebody else waits, and teaches nothing of the patient', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ ...full }));
  await m.say(report({ ...full, number: 'R2', name: '李四', birthDate: '19850515', action: 'hold' }));
  t.same(m.journal(), ['publish R1 v1 张三 P1']);
  t.match(m.view.patient('P1'), { patient: { name: '张三', birthDate: '19900307' } });
});

t.test('a merge issues what is published again under the survivor; later reports of the number follow', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(registers('A', { name: '无名氏' }));
  await m.say(registers('B', { name: '张三' }));
  await m.say(report({ ...full, name: '无名氏', of: 'A' }));
  await m.say(report({ ...full, number: 'R2', of: 'B' }));
  await m.say(report({ ...full, number: 'R3', of: 'A', action: 'hold' }));
  const before = m.journal().length;
  await m.say(merges('A', 'B'));
  t.same(m.journal().slice(before), ['retract patient v2 无名氏 A', 'publish R1 v2 张三 B']);
  t.match(m.view.report('lis|R3'), { patientKey: 'B', status: 'waiting' }, 'what waits changes its number');
  await m.say(merges('A', 'B'));
  await m.say(report({ ...full, number: 'R3', of: 'A', name: '无名氏', at: '20240520110000' }));
  await m.say(report({ ...full, of: 'A', name: '无名氏', items: 'K 5', at: '20240520110000' }));
  await m.say(report({ ...full, of: 'B', items: 'K 6', at: '20240520120000' }));
  t.same(m.journal().slice(before + 2), ['publish R3 v1 张三 B', 'publish R1 v3 张三 B', 'publish R1 v4 张三 B']);
  t.same(await m.problems(), []);
});

t.test('merges are seen at once by what follows in the same batch, chained ones too', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.receive(report({ ...full, of: 'A' }));
  await m.receive(merges('A', 'B', { patient: registers('B', { name: '张珊' }).patient }));
  await m.receive(merges('B', 'C'));
  await m.receive(report({ ...full, number: 'R2', of: 'A' }));
  await m.receive(merges('C', 'A'));
  await m.map();
  t.same(m.journal(), [
    'publish R1 v1 张三 A',
    'publish patient v1 张珊 B',
    'publish R1 v2 张珊 B',
    'retract patient v2 张珊 B',
    'publish R1 v3 张珊 C',
    'publish R2 v1 张珊 C',
  ]);
  t.same(await m.problems(), ['MAP-3025 merge.survivor']);
  t.same(
    m.view.reportsOf('C').map(({ reportKey }) => reportKey),
    ['lis|R1', 'lis|R2'],
  );
});

t.test('an unlink gives back what moved and what came since, with the identity of before', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(registers('A', { name: '李四' }));
  await m.say(registers('B', { name: '张三' }));
  await m.say(report({ ...full, name: '李四', of: 'A' }));
  await m.say(report({ ...full, number: 'R2', of: 'B' }));
  await m.say(merges('A', 'B'));
  await m.say(report({ ...full, number: 'R3', name: '李四', of: 'A' }));
  const before = m.journal().length;
  await m.say({ merge: { kind: 'unlink', retired: 'A', survivor: 'B' } });
  t.same(m.journal().slice(before), ['publish patient v3 李四 A', 'publish R1 v3 李四 A', 'publish R3 v2 李四 A']);
  await m.say(report({ ...full, number: 'R4', name: '李四', of: 'A' }));
  t.equal(m.journal().at(-1), 'publish R4 v1 李四 A');
});

const unlinks = (retired: string, survivor: string) => ({ merge: { kind: 'unlink' as const, retired, survivor } });
const resident = (value: string) => ({ identifiers: [{ kind: 'resident-id' as const, value, source: 'PID-19' }] });
const idA = '999999199003070016';
const idOf = ({ record }: { record: { patient: { identifiers: Array<{ kind: string; value: string }> } } }) =>
  record.patient.identifiers.find(({ kind }) => kind === 'resident-id')?.value;

t.test('an unlink takes back what the other’s reports were completed with meanwhile', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(registers('A', { name: '张三', ...resident(idA) }));
  await m.say(merges('A', 'B'));
  await m.say(report({ class: 'inpatient', of: 'B' }));
  t.equal(m.journal().at(-1), 'publish R1 v1 张三 B');
  t.equal(idOf(m.records().at(-1)!), idA);
  await m.say(unlinks('A', 'B'));
  t.equal(m.journal().at(-1), 'publish R1 v2 - B');
  t.equal(idOf(m.records().at(-1)!), undefined);
  await m.say(registers('B', { name: '李四' }));
  t.equal(m.journal().at(-1), 'publish R1 v3 李四 B', 'and is completed from its own registration');
});

t.test('an unlink gives back what is still to be completed', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(merges('A', 'B'));
  await m.say(report({ class: 'inpatient', of: 'A' }));
  await m.say(unlinks('A', 'B'));
  await m.say(registers('A', { name: '张三' }));
  t.equal(m.journal().at(-1), 'publish R1 v3 张三 A');
});

t.test('an unlink leaves with a number what came expressly under it', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ ...full, of: 'A' }));
  await m.say(merges('A', 'B'));
  await m.say(report({ ...full, of: 'B', items: 'K 5', at: '20240520110000' }));
  const before = m.journal().length;
  await m.say(unlinks('A', 'B'));
  t.same(m.journal().slice(before), []);
  t.match(m.view.report('lis|R1'), { patientKey: 'B' });
});

t.test('a resident ID told later or corrected is issued where the index completed, and nowhere else', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  const at = (hour: string) => ({ messageTime: `20240520${hour}0000` });
  await m.say(registers('P1', { name: '无名氏' }, at('08')));
  await m.say(report({ class: 'inpatient' }));
  await m.say(report({ ...full, number: 'R2' }));
  const before = m.journal().length;
  await m.say(registers('P1', { name: '张三', birthDate: '19900307', ...resident(idA) }, at('09')));
  t.same(m.journal().slice(before), ['publish patient v2 张三 P1', 'publish R1 v2 张三 P1']);
  t.equal(idOf(m.records().at(-1)!), idA);
  const corrected = '999999199003070032';
  await m.say(registers('P1', { name: '张三', birthDate: '19900307', ...resident(corrected) }, at('10')));
  t.equal(m.journal().at(-1), 'publish R1 v3 张三 P1');
  t.equal(idOf(m.records().at(-1)!), corrected);
  await m.say(registers('P1', { phone: '1' }, at('11')));
  t.match(m.journal().at(-1), /patient v4/);
});

t.test('a parked report follows its patient through a merge', async (t) => {
  const m = await mappingRig({ parkMs: 20 * 60_000 });
  t.teardown(m.close);
  await m.say(registers('B', { name: '张三' }));
  await m.say(report({ class: 'inpatient', of: 'A' }));
  await m.say(merges('A', 'B'));
  t.same(m.journal(), ['publish patient v1 张三 B', 'publish R1 v1 张三 B']);
});

t.test('a report number that changes its patient is withdrawn there and published here, with a finding', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ ...full }));
  await m.say(report({ ...full, name: '李四', of: 'P2', at: '20240520110000' }));
  t.same(m.journal(), ['publish R1 v1 张三 P1', 'retract R1 v2 张三 P1', 'publish R1 v3 李四 P2']);
  t.match(m.view.report('lis|R1'), { patientKey: 'P2', version: 3 });
  t.same(m.view.reportsOf('P1'), []);
});

t.test('tests that come one by one go out as one report after the quiet period', async (t) => {
  const m = await mappingRig({ quietMs: 10 * 60_000 });
  t.teardown(m.close);
  await m.say(report({ ...full, items: 'K 4' }));
  m.pass(5);
  await m.say(report({ ...full, items: 'Na 140', at: '20240520101000' }));
  m.pass(6);
  t.equal(await m.map(), 1, 'the first looks and waits on');
  t.same(m.journal(), []);
  m.pass(4);
  await m.map();
  t.same(m.journal(), ['publish R1 v1 张三 P1']);
  t.match(m.records()[0], { record: { items: [{ key: 'K' }, { key: 'Na' }] } });
  t.same(await m.states(), { 1: 'waiting', 2: 'absorbed' });
  m.pass(100);
  t.equal(await m.map(), 0);
});

t.test('a message read again that cannot be read any more is set aside in the place of what was open', async (t) => {
  const m = await mappingRig();
  t.teardown(m.close);
  await m.say(report({ ...full }), { held: { code: 'MAP-3008', where: 'report.number' } });
  m.stage.readers.set('lis', {
    ...m.reader,
    read: () => {
      throw new Error('a bug');
    },
  });
  t.equal(await m.again(1), 1);
  t.same(await m.problems(), ['MAP-3013 mapping']);
  t.same(m.journal(), ['publish R1 v1 张三 P1'], 'and what stands, stands');
});
