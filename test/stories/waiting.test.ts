import { deleted, person, report } from './messages.ts';
import { merges } from './registrations.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const again = { ...zhang, number: 'P0002' };
const li = person('P0009', '李珅');
const r1 = report('R1').of(zhang);
const r2 = report('R2').of(zhang);

/** An analyser that sends test by test: a report goes out when none came for ten minutes. */
const oneByOne = { profiles: { lis: { 'assembly.quiet_seconds': 600 } } };

story(
  '逐项发送 Test by test: the report goes out whole when no more comes',
  async (s) => {
    await s.lis(r1.final('K 4.1'), r1.final('Na 140'), r1.final('Cl 101'));
    await s.waits('MAP-3028', 'MAP-3028', 'MAP-3028');
    await s.shows({});
    await s.passes('11 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140', 'Cl 101'] });
    await s.trail('publish R1 v1');
  },
  oneByOne,
);

story(
  '每来一项重新计时 Each test begins the quiet time anew',
  async (s) => {
    await s.lis(r1.final('K 4.1'));
    await s.passes('8 min');
    await s.lis(r1.final('Na 140'));
    await s.passes('8 min');
    await s.waits('MAP-3028', 'MAP-3028');
    await s.shows({});
    await s.passes('3 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
    await s.trail('publish R1 v1');
  },
  oneByOne,
);

story(
  '发布后又来一项 A test after publication adds, through the same quiet time',
  async (s) => {
    await s.lis(r1.final('K 4.1'), r1.final('Na 140'));
    await s.passes('11 min');
    await s.lis(r1.final('Cl 101'));
    await s.waits('MAP-3028');
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
    await s.passes('11 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140', 'Cl 101'] });
    await s.trail('publish R1 v1', 'replace R1 v2');
  },
  oneByOne,
);

story(
  '静默期内复查 A test repeated within the quiet time goes out with its last value',
  async (s) => {
    await s.lis(r1.final('K 6.2'), r1.final('Na 140'), r1.corrected('K 4.1'));
    await s.passes('11 min');
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
    await s.trail('publish R1 v1');
  },
  oneByOne,
);

story(
  '静默期内作废一项 A test deleted within the quiet time',
  async (s) => {
    await s.lis(r1.final('K 8.9'), r1.final('Na 140'), r1.corrected(deleted('K')));
    await s.passes('11 min');
    await s.shows({ R1: [zhang, 'Na 140'] });
  },
  oneByOne,
);

story(
  '静默期内撤回 Withdrawn within the quiet time: nothing goes out',
  async (s) => {
    await s.lis(r1.final('K 4.1'), r1.final('Na 140'), r1.withdrawn());
    await s.waits();
    await s.passes('11 min');
    await s.shows({});
    await s.trail();
  },
  oneByOne,
);

story(
  '两管样本交错 The tests of two reports interleaved',
  async (s) => {
    const other = report('R2').of(li);
    await s.lis(r1.final('K 4.1'), other.final('K 5.0'), r1.final('Na 140'), other.final('Na 138'));
    await s.passes('11 min');
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'], R2: [li, 'K 5.0', 'Na 138'] });
  },
  oneByOne,
);

story(
  '逐项重发 Tests sent again within the quiet time count once',
  async (s) => {
    await s.lis(r1.at('11:50').final('K 4.1'), r1.at('11:51').final('Na 140'));
    await s.lis(r1.at('11:50').final('K 4.1'), r1.at('11:51').final('Na 140'));
    await s.passes('11 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
    await s.trail('publish R1 v1');
  },
  oneByOne,
);

story(
  '乱序的项目 Tests that arrive out of order are all there',
  async (s) => {
    await s.lis(r1.at('11:52').final('Na 140'), r1.at('11:50').final('K 4.1'), r1.at('11:51').final('Cl 101'));
    await s.passes('11 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'Na 140', 'K 4.1', 'Cl 101'] });
  },
  oneByOne,
);

story(
  '静默期内患者合并 The patient is merged within the quiet time',
  async (s) => {
    const his = report('R1').of(again);
    await s.lis(his.final('K 4.1'), his.final('Na 140'));
    await s.his(merges(zhang, again));
    await s.lis(his.final('Cl 101'));
    await s.passes('11 min');
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140', 'Cl 101'] });
  },
  oneByOne,
);

story(
  '平台要先有就诊记录 The platform wants the encounter first: the report waits, the patient’s others go on',
  async (s) => {
    s.wantsParentOf('R1');
    await s.lis(r1.final('K 4.1'), r2.final('WBC 8'));
    await s.waits('PLT-1309');
    await s.shows({ R2: [zhang, 'WBC 8'] });
    await s.wantsNothing();
    await s.lis(report('R3').of(zhang).final('CRP 3'));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'], R3: [zhang, 'CRP 3'] });
  },
);

story('就诊记录迟到 The encounter comes by itself: the report is tried again in time', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(r1.final('K 4.1'));
  await s.waits('PLT-1309');
  await s.shows({});
  await s.wantsNothing();
  await s.passes('10 min');
  await s.waits();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('一直没有就诊记录 The encounter never comes: after a day a person has to look', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(r1.final('K 4.1'));
  await s.passes('3 h');
  await s.waits('PLT-1309');
  await s.shows({});
  await s.passes('22 h');
  await s.waits();
  await s.holds('PLT-1313');
  await s.shows({});
});

story('等待就诊记录时更正 Corrected while it waits for the encounter: the versions keep their order', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'));
  await s.waits('PLT-1309', 'unsent');
  await s.shows({});
  await s.wantsNothing();
  await s.passes('10 min');
  await s.waits();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('等待就诊记录时撤回 Withdrawn while it waits for the encounter', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(r1.final('K 6.2'), r1.withdrawn());
  await s.wantsNothing();
  await s.passes('10 min');
  await s.waits();
  await s.shows({});
});

story('等待就诊记录时合并 Merged while it waits for the encounter', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(report('R1').of(again).final('K 4.1'));
  await s.his(merges(zhang, again));
  await s.wantsNothing();
  await s.passes('10 min');
  await s.waits();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('等就诊记录时合并，一直没有就诊记录 Merged while it waits for an encounter that never comes', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(report('R1').of(again).final('K 4.1'));
  await s.passes('3 h');
  await s.his(merges(zhang, again));
  await s.passes('20 h');
  await s.wantsNothing();
  await s.passes('2 h');
  await s.waits();
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v2');
});
