import { site } from './machine.ts';
import { person, report, sentBy } from './messages.ts';
import { merges, registers, unlinks, updates } from './registrations.ts';
import { exam } from './results.ts';
import type { ProfileChange, StorySettings } from './scene.ts';
import { story } from './story.ts';

/** One agent for a hospital, a county's hospital of TCM and a town's health centre; the two give number 1001 to two people. */
const [tcm, town] = site.institutions.map(({ orgCode }) => orgCode) as [string, string];
const zhang = person('1001', '张晋');
const li = person('1001', '李珅', { birthDate: '19710216', sex: 'F', institution: tcm });
const li2 = person('2002', '李珅', { birthDate: '19710216', sex: 'F', institution: tcm });
const zhang2 = person('2002', '张晋', { birthDate: zhang.birthDate });

const rule: ProfileChange = {
  'organisation.path': 'MSH-4.1',
  'tables.organisations.H': site.orgCode,
  'tables.organisations.TCM': tcm,
};
const tells = (more: ProfileChange = {}): StorySettings => ({
  profiles: { lis: { ...rule, ...more }, his: { ...rule, ...more }, ris: { ...rule, ...more } },
});
const parks = { 'patient.park_minutes': 30 };
const fromTcm = (...said: Parameters<typeof sentBy>[1][]) => sentBy('TCM', ...said);

const zhangs = report('R1').of(zhang);
const lis = report('R1').of(li);
const shownTcm = `R1@${tcm}`;

story(
  '两家机构同号 One number of two institutions: two people, two reports, each in its own lane',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.final('K 3.9')));
    await s.shows({ R1: [zhang, 'K 6.2'], [shownTcm]: [li, 'K 3.9'] });
    await s.trail('publish R1 v1', 'publish R1 v1');
    await s.reads('R1', new RegExp(`extension="${site.orgCode}"`));
    await s.reads('R1', new RegExp(site.name));
    await s.reads('R1', new RegExp(`${tcm}|示例县中医院`), 'not');
    await s.reads(shownTcm, new RegExp(`extension="${tcm}"`));
    await s.reads(shownTcm, /示例县中医院/);
    await s.reads(shownTcm, new RegExp(`${site.orgCode}|${site.name}`), 'not');
  },
  tells(),
);

story(
  '更正与撤销各归各的 Corrections and withdrawals reach the report of their own institution',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.final('K 3.9')));
    await s.lis(...fromTcm(lis.corrected('K 4.0')), zhangs.withdrawn('K 6.2'));
    await s.shows({ [shownTcm]: [li, 'K 4.0'] });
    await s.trail('publish R1 v1', 'publish R1 v1', 'replace R1 v2', 'retract R1 v2');
  },
  tells(),
);

story(
  '登记只补本机构的报告 A registration completes reports of its own institution only',
  async (s) => {
    await s.lis(...fromTcm(lis.withoutDemographics().final('K 3.9')), zhangs.withoutDemographics().final('K 6.2'));
    await s.waits('MAP-3026', 'MAP-3026');
    await s.his(registers(zhang));
    await s.shows({ R1: [zhang, 'K 6.2'] });
    await s.waits('MAP-3026');
    await s.his(...fromTcm(registers(li)));
    await s.shows({ R1: [zhang, 'K 6.2'], [shownTcm]: [li, 'K 3.9'] });
    await s.waits();
  },
  tells(parks),
);

story(
  '外院登记不算本院的人 Another institution’s registration neither contradicts nor changes anybody here',
  async (s) => {
    await s.his(registers(zhang), ...fromTcm(registers(li)), ...fromTcm(updates({ ...li, name: '李珅珅' })));
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.withoutDemographics().final('K 3.9')));
    await s.shows({ R1: [zhang, 'K 6.2'], [shownTcm]: [{ ...li, name: '李珅珅' }, 'K 3.9'] });
  },
  tells(parks),
);

story(
  '合并只在本机构内 A merge joins the numbers of its own institution',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.final('K 3.9')));
    await s.his(...fromTcm(merges(li2, li)));
    await s.shows({ R1: [zhang, 'K 6.2'], [shownTcm]: [li2, 'K 3.9'] });
    // What comes under the retired number goes to the survivor there, and stays where it is here.
    await s.lis(report('R2').of(zhang).final('Na 140'), ...fromTcm(report('R2').of(li).final('Na 138')));
    await s.shows({
      R1: [zhang, 'K 6.2'],
      R2: [zhang, 'Na 140'],
      [shownTcm]: [li2, 'K 3.9'],
      [`R2@${tcm}`]: [li2, 'Na 138'],
    });
    await s.reads(shownTcm, /示例县中医院/);
    await s.his(...fromTcm(unlinks(li2, li)));
    await s.shows({
      R1: [zhang, 'K 6.2'],
      R2: [zhang, 'Na 140'],
      [shownTcm]: [li, 'K 3.9'],
      [`R2@${tcm}`]: [li, 'Na 138'],
    });
    await s.reads(shownTcm, /示例县中医院/);
  },
  tells(),
);

story(
  '本院合并不动外院 A merge here leaves the same numbers elsewhere alone',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.final('K 3.9')));
    await s.his(merges(zhang2, zhang));
    await s.lis(...fromTcm(lis.corrected('K 4.0')));
    await s.shows({ R1: [zhang2, 'K 6.2'], [shownTcm]: [li, 'K 4.0'] });
  },
  tells(),
);

story(
  '机构未列入对照表 An institution nobody listed is held; once listed it goes out as its own',
  async (s) => {
    const unlisted = { ...li, institution: town };
    await s.lis(...sentBy('TOWN', report('R1').of(unlisted).final('K 3.9')), zhangs.final('K 6.2'));
    await s.his(...sentBy('TOWN', registers(unlisted)));
    await s.shows({ R1: [zhang, 'K 6.2'] });
    await s.holds('MAP-3040', 'MAP-3040');
    await s.learns('lis', { 'tables.organisations.TOWN': town });
    await s.learns('his', { 'tables.organisations.TOWN': town });
    await s.holds();
    await s.shows({ R1: [zhang, 'K 6.2'], [`R1@${town}`]: [unlisted, 'K 3.9'] });
    await s.reads(`R1@${town}`, /示例镇卫生院/);
  },
  tells(),
);

story(
  '没有写明机构 None said is held, a merge as well, until the table says what none means',
  async (s) => {
    await s.lis(...sentBy('', zhangs.final('K 6.2')), report('R2').of(zhang).final('Na 140'));
    await s.his(...sentBy('', merges(zhang2, zhang)));
    await s.holds('MAP-3040', 'MAP-3040');
    await s.shows({ R2: [zhang, 'Na 140'] });
    await s.learns('lis', { 'tables.organisations.missing': site.orgCode });
    await s.learns('his', { 'tables.organisations.missing': site.orgCode });
    await s.holds();
    await s.shows({ R1: [zhang2, 'K 6.2'], R2: [zhang2, 'Na 140'] });
  },
  tells(),
);

story(
  '撤销也要知道机构 A withdrawal of an institution nobody knows withdraws nothing',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...sentBy('TOWN', zhangs.withdrawn('K 6.2')));
    await s.holds('MAP-3040');
    await s.shows({ R1: [zhang, 'K 6.2'] });
  },
  tells(),
);

story(
  '区分机构之前的报告 A withdrawal of what came before institutions were told apart is held, not passed over',
  async (s) => {
    const before = { ...li, institution: undefined } as unknown as typeof li;
    const older = report('R1').of(before);
    await s.lis(...fromTcm(older.final('K 3.9')));
    await s.shows({ R1: [before, 'K 3.9'] });
    await s.learns('lis', rule);
    await s.lis(...fromTcm(lis.withdrawn('K 3.9')));
    await s.holds('MAP-3044');
    await s.shows({ R1: [before, 'K 3.9'] });
    await s.lis(...fromTcm(report('R2').of(li).withdrawn('K 3.9')));
    await s.holds('MAP-3044');
  },
);

const patientsAreShared: ProfileChange = { 'organisation.patient_numbers': 'shared' };
const liShared = { ...li, institution: undefined } as unknown as typeof li;
const zhangThere = report('R1').of(zhang);

story(
  '两个院区共用编号 Two campuses share numbers: one patient, one lane, two reports',
  async (s) => {
    await s.his(registers(zhang));
    await s.lis(
      zhangs.withoutDemographics().final('K 6.2'),
      ...fromTcm(zhangThere.withoutDemographics().final('K 3.9')),
    );
    await s.shows({ R1: [zhang, 'K 6.2'], [shownTcm]: [zhang, 'K 3.9'] });
    await s.reads(shownTcm, new RegExp(`extension="${tcm}"`));
    // The registration says nothing of a campus, and joins the numbers of both.
    await s.his(...sentBy('', merges(zhang2, zhang)));
    await s.shows({ R1: [zhang2, 'K 6.2'], [shownTcm]: [zhang2, 'K 3.9'] });
    await s.reads(shownTcm, /示例县中医院/);
    await s.reads('R1', new RegExp(tcm), 'not');
  },
  tells({ ...patientsAreShared, ...parks }),
);

story(
  '共用编号也查是不是同一人 Where numbers are shared another person under one is held',
  async (s) => {
    await s.his(registers(zhang));
    await s.lis(...fromTcm(report('R1').of(liShared).final('K 3.9')), ...sentBy('TOWN', zhangs.final('K 6.2')));
    await s.his(...sentBy('TOWN', registers(zhang)));
    await s.holds('MAP-3029', 'MAP-3040', 'MAP-3040');
    await s.shows({});
  },
  tells(patientsAreShared),
);

story(
  '只传一家机构 A platform that takes one institution only',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.final('K 3.9')));
    await s.shows({ [shownTcm]: [li, 'K 3.9'] });
  },
  { ...tells(), filters: { organisations: [tcm] } },
);

story(
  '检查报告也分机构 Examinations are told apart as well',
  async (s) => {
    const chest = exam('E1').of(zhang).final('检查所见 双肺清晰', '诊断意见 未见异常');
    const other = exam('E1').of(li).final('检查所见 右肺结节', '诊断意见 建议复查');
    await s.ris(chest, ...fromTcm(other));
    await s.shows({
      'E1@ris': [zhang, '所见 双肺清晰', '提示 未见异常'],
      [`E1@ris@${tcm}`]: [li, '所见 右肺结节', '提示 建议复查'],
    });
  },
  tells(),
);

story(
  '逐项发送也分机构 Tests that come one by one are collected at their own institution',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'), ...fromTcm(lis.final('K 3.9')));
    await s.lis(...fromTcm(lis.final('Na 138')), zhangs.final('Na 140'));
    await s.passes('10 min');
    await s.shows({ R1: [zhang, 'K 6.2', 'Na 140'], [shownTcm]: [li, 'K 3.9', 'Na 138'] });
    await s.trail('publish R1 v1', 'publish R1 v1');
  },
  tells({ 'assembly.quiet_seconds': 300, corrections: 'delta' }),
);

story('没有这条规则时一切照旧 Without the rule everything is the hospital’s own, whatever MSH-4 says', async (s) => {
  await s.lis(zhangs.final('K 6.2'), ...fromTcm(zhangs.corrected('K 6.3')));
  await s.shows({ R1: [zhang, 'K 6.3'] });
});
