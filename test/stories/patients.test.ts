import { inventedResidentId } from '../demo/people.ts';
import { person, report } from './messages.ts';
import {
  addsPerson,
  admits,
  cancelsAdmission,
  cancelsDischarge,
  cancelsMove,
  discharges,
  moves,
  registers,
  turnsInpatient,
  updates,
  updatesPerson,
} from './registrations.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const li = person('P0002', '李珅');
const visit = { class: 'O', number: 'JZP0001' };
const stay = { class: 'I', number: 'ZYV1' };
const r1 = report('R1').of(zhang);
const parks = { profiles: { lis: { 'patient.park_minutes': 30 } } };

story('先登记后报告 A registration and then a report', async (s) => {
  await s.his(registers(zhang, visit));
  await s.lis(r1.final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1');
});

story('先报告后登记 A report before its registration goes out with what it says itself', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(registers(zhang, visit));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1');
});

story('报告只有编号 A report that tells the number only is completed from the registration', async (s) => {
  await s.his(registers(zhang, visit));
  await s.lis(r1.withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story(
  '登记迟到 The registration comes late: the report waits for it',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 4.1'));
    await s.waits('MAP-3026');
    await s.shows({});
    await s.passes('10 min');
    await s.waits('MAP-3026');
    await s.his(registers(zhang, visit));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  parks,
);

story(
  '登记始终未到 The registration never comes: flagged after the time set, and held for want of a name',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 4.1'), report('R2').of(li).final('K 4.2'));
    await s.waits('MAP-3026');
    await s.shows({ R2: [li, 'K 4.2'] });
    await s.passes('40 min');
    await s.waits();
    await s.holds('MAP-3009');
    await s.shows({ R2: [li, 'K 4.2'] });
  },
  parks,
);

story(
  '等待登记时更正 Corrected while it waits for the registration: only the correction goes out',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 6.2'), r1.withoutDemographics().corrected('K 4.1'));
    await s.waits('MAP-3026', 'MAP-3026');
    await s.his(registers(zhang, visit));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  parks,
);

story(
  '等待登记时撤回 Withdrawn while it waits for the registration: it never goes out',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 6.2'), r1.withoutDemographics().withdrawn());
    await s.his(registers(zhang, visit));
    await s.waits();
    await s.shows({});
    await s.trail();
  },
  parks,
);

story(
  '等待登记时带信息的更正先到 A correction that tells the patient does not wait, and the parked report stays behind it',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 6.2'), r1.corrected('K 4.1'));
    await s.his(registers(zhang, visit));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  parks,
);

story(
  '两份报告等同一个登记 Two reports wait for one registration',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 4.1'), report('R2').of(zhang).withoutDemographics().final('WBC 8'));
    await s.his(registers(li));
    await s.waits('MAP-3026', 'MAP-3026');
    await s.his(addsPerson(zhang));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'] });
  },
  parks,
);

story('姓名更正 A name corrected after publishing: later reports have it, what was sent stays', async (s) => {
  const renamed = { ...zhang, name: '张瑨' };
  await s.his(registers(zhang, visit));
  await s.lis(r1.final('K 4.1'));
  await s.his(updates(renamed, visit));
  await s.lis(report('R2').of(zhang).withoutDemographics().final('WBC 8'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [renamed, 'WBC 8'] });
  await s.trail('publish R1 v1', 'publish R2 v1');
});

story('旧登记晚到 An older registration that arrives late does not take a newer name back', async (s) => {
  const renamed = { ...zhang, name: '张瑨' };
  await s.his(updatesPerson(renamed).sentAt('11:00'), registers(zhang, visit).sentAt('10:00'));
  await s.lis(r1.withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [renamed, 'K 4.1'] });
});

story('删除的字段 A phone number deleted by the registration is gone; a field left empty stays', async (s) => {
  await s.his(registers(zhang, visit));
  await s.his(updates(zhang, visit, { 7: '', 13: '""' }));
  await s.lis(r1.withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.reads('R1', /19900001234/, 'not');
  await s.reads('R1', /<age /);
});

story('就诊类型来自同一就诊号 The class of a visit comes from the registration of the same visit', async (s) => {
  await s.his(admits(zhang, stay));
  await s.lis(
    r1
      .visit({ class: '', number: stay.number })
      .pid({ 3: `ZY0001^^^^PatientNO~${zhang.residentId}^^^^IdentifyNO` })
      .final('K 4.1'),
  );
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.reads('R1', /displayName="住院"/);
});

story('就诊号不同就不猜 The class of another visit is never taken', async (s) => {
  await s.his(admits(zhang, stay));
  await s.lis(r1.visit({ class: '', number: 'ZYV2' }).final('K 4.1'));
  await s.holds('MAP-3005');
  await s.shows({});
});

story('入院、转科、出院 Admitted, moved and discharged: the report stays as it was', async (s) => {
  await s.his(admits(zhang, stay), moves(zhang, stay));
  await s.lis(r1.final('K 4.1'));
  await s.his(discharges(zhang, stay, '11:00'));
  await s.lis(r1.corrected('K 4.2'));
  await s.shows({ R1: [zhang, 'K 4.2'] });
});

story('取消入院 A cancelled admission takes the visit back and leaves the report', async (s) => {
  await s.his(admits(zhang, stay));
  await s.lis(r1.final('K 4.1'));
  await s.his(cancelsAdmission(zhang, stay));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1');
});

story('取消转科与取消出院 A move and a discharge taken back', async (s) => {
  await s.his(admits(zhang, stay), moves(zhang, stay), cancelsMove(zhang, stay));
  await s.his(discharges(zhang, stay, '11:00'), cancelsDischarge(zhang, stay, '11:00'));
  await s.lis(r1.final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('门诊转住院 An outpatient admitted between two reports', async (s) => {
  await s.his(registers(zhang, visit));
  await s.lis(r1.final('K 4.1'));
  await s.his(turnsInpatient(zhang, stay));
  await s.lis(
    report('R2')
      .of(zhang)
      .visit(stay)
      .pid({ 3: `ZY0001^^^^PatientNO~${zhang.residentId}^^^^IdentifyNO` })
      .final('WBC 8'),
  );
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'] });
  await s.reads('R1', /displayName="门诊"/);
  await s.reads('R2', /displayName="住院"/);
});

story('同一编号另一个人 Another person under a known number is held, the known one goes on', async (s) => {
  const stranger = { ...li, number: zhang.number };
  await s.his(registers(zhang, visit));
  await s.lis(report('R1').of(stranger).final('K 6.2'), report('R2').of(zhang).final('K 4.1'));
  await s.holds('MAP-3029');
  await s.shows({ R2: [zhang, 'K 4.1'] });
});

story(
  '名字是别人、其余要补 A report with another name is not given the known patient’s ID and birth date',
  async (s) => {
    const stranger = { ...li, number: zhang.number, birthDate: '', residentId: '' };
    await s.his(registers(zhang, visit));
    await s.lis(report('R1').of(stranger).final('K 6.8'), report('R2').of(zhang).final('K 4.1'));
    await s.holds('MAP-3029');
    await s.shows({ R2: [zhang, 'K 4.1'] });
  },
);

story('无名氏确认身份 A patient who came unconscious gets a name: everything under the number goes on', async (s) => {
  const unknown = { ...zhang, name: '无名氏', birthDate: '19700101', residentId: '' };
  await s.his(registers(unknown, visit));
  await s.lis(r1.final('K 4.1'));
  await s.holds('MAP-3029');
  await s.his(updates(zhang, visit));
  await s.holds();
  await s.lis(report('R2').of(zhang).withoutDemographics().final('WBC 8'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'] });
});

story(
  '无名氏的登记晚到 A registration without a name arrives after the one with it, and changes nothing',
  async (s) => {
    const other = person('P0003', '王蓉');
    for (const [who, birthDate] of [
      [zhang, '19000101'],
      [other, '19700101'],
    ] as const) {
      const unknown = { ...who, name: '无名氏', birthDate, residentId: '' };
      const itself = { ...visit, number: `JZ${who.number}` };
      await s.his(updates(who, itself).sentAt('11:00'), registers(unknown, itself).sentAt('10:00'));
      await s.lis(report(`R${who.number}`).of(who).withoutDemographics().final('K 4.1'));
    }
    await s.shows({ RP0001: [zhang, 'K 4.1'], RP0003: [other, 'K 4.1'] });
  },
);

story('就诊类型晚到一步 The class of the visit is told a moment after the report', async (s) => {
  const ward = { 3: `ZY0001^^^^PatientNO~${zhang.residentId}^^^^IdentifyNO` };
  await s.lis(r1.visit({ class: '', number: stay.number }).pid(ward).final('K 4.1'));
  await s.holds('MAP-3005');
  await s.his(admits(zhang, stay));
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('身份证更正 A resident ID corrected: what was completed with the wrong one is issued again', async (s) => {
  const wrong = { ...zhang, residentId: inventedResidentId(zhang.birthDate, 31) };
  await s.his(registers(wrong, visit));
  await s.lis(r1.withoutDemographics().final('K 4.1'), report('R2').of(wrong).final('WBC 8'));
  await s.his(updates(zhang, visit));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [wrong, 'WBC 8'] });
  await s.trail('publish R1 v1', 'publish R2 v1', 'replace R1 v2');
});

story('登记本身矛盾 A registration of another person under a known number is held', async (s) => {
  const stranger = { ...li, number: zhang.number };
  await s.his(registers(zhang, visit), registers(stranger));
  await s.holds('MAP-3029');
  await s.lis(r1.withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('登记顺序颠倒、报告夹在中间 Registrations in any order around a report tell the same', async (s) => {
  await s.his(admits(zhang, stay).sentAt('09:00'));
  await s.lis(r1.withoutDemographics().final('K 4.1'));
  await s.his(addsPerson(zhang).sentAt('08:00'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story(
  '登记晚于期限 A registration after the time set still completes the report',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 4.1'));
    await s.passes('40 min');
    await s.holds('MAP-3009');
    await s.shows({});
    await s.his(registers(zhang, visit));
    await s.holds();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  parks,
);

story(
  '逐项发送又缺患者信息 Test by test, and the registration comes late',
  async (s) => {
    await s.lis(r1.withoutDemographics().final('K 4.1'), r1.withoutDemographics().final('Na 140'));
    await s.his(registers(zhang, visit));
    await s.passes('11 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
  },
  { profiles: { lis: { 'patient.park_minutes': 30, 'assembly.quiet_seconds': 600 } } },
);

story(
  '新生儿登记用母亲证件 A newborn registered with the mother’s ID is held; the mother’s reports go on',
  async (s) => {
    const mother = person('P0003', '王蓉', { sex: 'F' });
    const baby = person('P0004', '王蓉之子', { birthDate: '20260304', residentId: mother.residentId });
    await s.his(registers(mother), registers(baby));
    await s.holds('MAP-3004');
    await s.lis(report('R1').of(mother).final('K 4.1'));
    await s.his(registers({ ...baby, residentId: '' }));
    await s.lis(report('R2').of(baby).withoutDemographics().final('K 5.0'));
    await s.shows({ R1: [mother, 'K 4.1'], R2: [{ ...baby, residentId: '' }, 'K 5.0'] });
  },
);
