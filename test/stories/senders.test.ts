import { inventedResidentId } from '../demo/people.ts';
import { type Message, msh, person, report, segments, toCome, together } from './messages.ts';
import { registers } from './registrations.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const li = person('P0002', '李珅', { sex: 'M' });
const r1 = report('R1').of(zhang);

story('一管血两份报告 Two reports on one tube', async (s) => {
  await s.lis(r1.tube('SP77').final('K 6.2'), report('R2').of(zhang).tube('SP77').final('WBC 8.1'));
  await s.shows({ R1: [zhang, 'K 6.2'], R2: [zhang, 'WBC 8.1'] });
  await s.lis(r1.tube('SP77').corrected('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8.1'] });
});

story('一条消息两份报告 Two reports in one message, of which one is not final', async (s) => {
  await s.lis(together(r1.final('K 6.2'), report('R2').of(zhang).interim('WBC 8.1')));
  await s.waits('MAP-3014');
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.lis(report('R2').of(zhang).final('WBC 8.2'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 6.2'], R2: [zhang, 'WBC 8.2'] });
});

story('一份报告两个组合 One report of two panels in one message', async (s) => {
  await s.lis(together(r1.panel('SH01', '生化').final('K 6.2'), r1.panel('XCG', '血常规').final('WBC 8.1')));
  await s.shows({ R1: [zhang, 'K 6.2', 'WBC 8.1'] });
});

story('用井号连接的医嘱号 Order numbers joined by #', async (s) => {
  await s.lis(r1.order('AP1#AP2').final('K 6.2'));
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.reads('R1', /extension="AP1"/);
  await s.reads('R1', /extension="AP2"/);
});

story('断线重发 The same bytes again are one message', async (s) => {
  await s.lis(r1.final('K 6.2'));
  await s.repeats('lis');
  await s.repeats('lis');
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.trail('publish R1 v1');
});

story('内容相同、控制号不同 The same report under a new control id changes nothing', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('10:00').final('K 6.2'));
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.trail('publish R1 v1');
});

story('控制号重复 Two reports under one control id are two', async (s) => {
  await s.lis(r1.control('1').final('K 6.2'), report('R2').of(li).control('1').final('WBC 8.1'));
  await s.shows({ R1: [zhang, 'K 6.2'], R2: [li, 'WBC 8.1'] });
});

story('发送方重启 A sender that restarts counts its control ids from 1 again', async (s) => {
  await s.lis(r1.control('1').final('K 6.2'), report('R2').of(li).control('2').final('WBC 8.1'));
  await s.lis(r1.control('1').corrected('K 4.1'), report('R3').of(li).control('2').final('CRP 3.0'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [li, 'WBC 8.1'], R3: [li, 'CRP 3.0'] });
});

story('重启后补发 A sender that restarts sends everything of the day again, in another order', async (s) => {
  await s.lis(
    r1.at('10:00').final('K 6.2'),
    r1.at('11:00').corrected('K 4.1'),
    report('R2').of(li).at('11:30').final('WBC 8'),
  );
  await s.lis(
    report('R2').of(li).at('11:30').final('WBC 8'),
    r1.at('11:00').corrected('K 4.1'),
    r1.at('10:00').final('K 6.2'),
  );
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [li, 'WBC 8'] });
  await s.trail('publish R1 v1', 'replace R1 v2', 'publish R2 v1');
});

story('对方时钟快三天 A sender whose clock is three days ahead blocks nothing', async (s) => {
  await s.lis(r1.at('03-08 12:00').sentAt('03-08 12:01').final('K 6.2'));
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.lis(r1.corrected('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('更正的时钟快 A correction dated in the future is ordered by arrival', async (s) => {
  await s.lis(r1.at('11:00').final('K 6.2'), r1.at('03-08 12:00').sentAt('03-08 12:01').corrected('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.lis(r1.at('12:02').sentAt('12:03').corrected('K 4.2'));
  await s.shows({ R1: [zhang, 'K 4.2'] });
});

story('没有报告时间 A report without a time is held: no document without its date', async (s) => {
  await s.lis(r1.obr({ 22: '' }).final('K 6.2'));
  await s.holds('MAP-3009');
  await s.shows({});
});

story('体检无就诊段 A check-up without PV1 is held until the rule says what it is', async (s) => {
  await s.lis(r1.withoutVisit().final('K 4.1'));
  await s.holds('MAP-3005');
  await s.shows({});
  await s.learns('lis', { 'tables.patient_class.missing': 'checkup' });
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('未知就诊类型 A patient class of the hospital’s own is held, and goes on when it is mapped', async (s) => {
  await s.lis(r1.visit({ class: 'TJ9', number: 'JZ9' }).final('K 4.1'));
  await s.holds('MAP-3005');
  await s.shows({});
  await s.learns('lis', { 'tables.patient_class.TJ9': 'checkup' });
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story(
  '新生儿用母亲证件 A newborn with the mother’s ID is held, and goes out with its own data',
  async (s) => {
    const mother = person('P0003', '王蓉', { sex: 'F', birthDate: '19950101' });
    const baby = person('P0004', '王蓉之子', { birthDate: '20260304', residentId: mother.residentId });
    await s.lis(report('R1').of(baby).final('K 4.1'), report('R2').of(mother).final('K 4.4'));
    await s.holds('MAP-3004');
    await s.shows({ R2: [mother, 'K 4.4'] });
    const himself = { ...baby, residentId: '' };
    await s.lis(report('R1').of(himself).final('K 4.1'));
    await s.shows({ R1: [himself, 'K 4.1'], R2: [mother, 'K 4.4'] });
  },
  {},
);

story('证件号校验位错 A resident ID with a wrong check digit is left out, the report goes on', async (s) => {
  const id = zhang.residentId;
  const mistyped = { ...zhang, residentId: id.slice(0, 17) + (id.endsWith('0') ? '1' : '0') };
  await s.lis(report('R1').of(mistyped).final('K 4.1'));
  await s.shows({ R1: [{ ...zhang, residentId: '' }, 'K 4.1'] });
});

story('性别与证件不符 A resident ID of the other sex is held', async (s) => {
  const other = person('P0005', '赵玘', {
    sex: 'F',
    residentId: inventedResidentId('19800101', 7),
    birthDate: '19800101',
  });
  await s.lis(report('R1').of(other).final('K 4.1'));
  await s.holds('MAP-3004');
  await s.shows({});
});

story('外籍患者没有身份证 A foreigner without a resident ID', async (s) => {
  const smith = person('P0006', 'SMITH JOHN', { residentId: '' });
  await s.lis(report('R1').of(smith).final('K 4.1'));
  await s.shows({ R1: [smith, 'K 4.1'] });
});

story('没有院内编号 A report without an in-house number is held', async (s) => {
  const nobody = person('', '钱某', { residentId: '' });
  await s.lis(report('R1').of(nobody).pid({ 3: '' }).final('K 4.1'), report('R2').of(li).final('K 4.2'));
  await s.holds('MAP-3003');
  await s.shows({ R2: [li, 'K 4.2'] });
});

story('同名两人 Two patients of one name stay two', async (s) => {
  const other = person('P0007', zhang.name);
  await s.lis(
    report('R1').of(zhang).final('K 4.1'),
    report('R2').of(other).final('K 6.2'),
    report('R1').of(zhang).corrected('K 4.2'),
  );
  await s.shows({ R1: [zhang, 'K 4.2'], R2: [other, 'K 6.2'] });
});

story(
  '一个 LIS 服务多家机构 Several institutions through one laboratory system',
  async (s) => {
    const east = { ...zhang, number: 'P0001' };
    const west = { ...li, number: 'P0001' };
    const at = (facility: string, message: Message): Message => ({
      ...message,
      write: (head) => message.write(head).replace('|LIS|H|', `|LIS|${facility}|`),
    });
    await s.lis(at('H1', report('R1').of(east).final('K 4.1')), at('H2', report('R1').of(west).final('K 6.2')));
    await s.lis(at('H1', report('R1').of(east).corrected('K 4.2')));
    await s.shows({
      'H1-R1': [{ ...east, number: 'H1-P0001' }, 'K 4.2'],
      'H2-R1': [{ ...west, number: 'H2-P0001' }, 'K 6.2'],
    });
  },
  { profiles: { lis: { 'patient.in_house': "MSH-4 + '-' + PID-2", 'report.number': "MSH-4 + '-' + OBR-20" } } },
);

story(
  '两个系统同一报告号 One report number of two systems is two reports',
  async (s) => {
    await s.lis(r1.final('K 4.1'));
    await s.from('lis2', report('R1').of(li).final('K 6.2'));
    await s.lis(r1.withdrawn());
    await s.shows({ 'R1@lis2': [li, 'K 6.2'] });
  },
  { profiles: { lis2: {} } },
);

story('OUL 消息 A laboratory that sends OUL^R21', async (s) => {
  await s.lis(r1.as('OUL^R21').final('K 6.2'), r1.as('OUL^R21').corrected('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('心跳与质控 Heartbeats are acknowledged and filtered, reports go on', async (s) => {
  const heartbeat: Message = { write: (head) => segments(msh(head, 'QRY^A19'), 'QRD|20260305120000|R|I|1') };
  await s.lis(heartbeat, r1.final('K 4.1'), heartbeat);
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

const oneByOne = { profiles: { lis: { 'assembly.quiet_seconds': 180 } } };

story(
  '逐项发送，还有一项待出 Tests one by one, of which one is still to come',
  async (s) => {
    await s.lis(r1.final('K 4.1', toCome('Na')), r1.final('Na 140'));
    await s.passes('10 min');
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
  },
  oneByOne,
);

story(
  '静默期内改正患者 The right patient within the quiet period: nothing goes out under the wrong one',
  async (s) => {
    await s.lis(r1.final('K 6.8'), report('R1').of(li).final('K 6.8'));
    await s.passes('10 min');
    await s.shows({ R1: [li, 'K 6.8'] });
    await s.trail('publish R1 v1');
  },
  oneByOne,
);

story(
  '静默期之后改正患者 The right patient after the quiet period: withdrawn there, published here, in a backlog too',
  async (s) => {
    await s.lis(r1.final('K 6.8'), report('R2').of(zhang).final('ALT 30'), report('R3').of(zhang).final('CRP 3'));
    await s.lis(report('R4').of(zhang).final('WBC 8'), report('R1').of(li).final('K 6.8'));
    await s.passes('10 min');
    await s.shows({
      R1: [li, 'K 6.8'],
      R2: [zhang, 'ALT 30'],
      R3: [zhang, 'CRP 3'],
      R4: [zhang, 'WBC 8'],
    });
  },
  oneByOne,
);

story(
  '静默期内才登记 A patient registered within the quiet period: the report goes out with the name',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 6.8'));
    await s.his(registers(zhang));
    await s.passes('10 min');
    await s.shows({ R1: [zhang, 'K 6.8'] });
    await s.trail('publish R1 v1');
  },
  oneByOne,
);
