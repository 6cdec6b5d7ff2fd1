import { deleted, marked, notObtained, person, report, toCome } from './messages.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const r1 = report('R1').of(zhang);

story('第一份报告 A first report is published', async (s) => {
  await s.lis(r1.final('K 6.2', 'Na 140'));
  await s.shows({ R1: [zhang, 'K 6.2', 'Na 140'] });
  await s.trail('publish R1 v1');
});

story('更正 A correction replaces the report', async (s) => {
  await s.lis(r1.final('K 6.2', 'Na 140'));
  await s.lis(r1.corrected('K 4.1', 'Na 140'));
  await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('两次更正 Two corrections, one after the other', async (s) => {
  await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'), r1.corrected('K 4.2'));
  await s.shows({ R1: [zhang, 'K 4.2'] });
  await s.trail('publish R1 v1', 'replace R1 v2', 'replace R1 v3');
});

story('没有标明更正的第二份终审报告 A second final with a later report time replaces', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('11:00').final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('更正先到、原报告后到 The correction arrives before the report it corrects', async (s) => {
  await s.lis(r1.at('11:00').corrected('K 4.1'));
  await s.lis(r1.at('10:00').final('K 6.2'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1');
});

story('旧更正晚到 An older correction arrives after a newer one', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('11:00').corrected('K 4.1'));
  await s.lis(r1.at('10:30').corrected('K 5.0'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('报告时间相同，以消息时间为准 Equal report times: the message time decides', async (s) => {
  await s.lis(r1.at('10:00').sentAt('10:20').final('K 4.1'));
  await s.lis(r1.at('10:00').sentAt('10:10').final('K 6.2'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('时间都相同，以到达先后为准 Equal times: arrival decides', async (s) => {
  await s.lis(r1.at('10:00').sentAt('10:20').final('K 6.2'));
  await s.lis(r1.at('10:00').sentAt('10:20').corrected('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('次日更正 A correction dated the next day is the same report', async (s) => {
  await s.lis(r1.at('11:00').final('K 6.2'));
  await s.passes('1 d');
  await s.lis(r1.at('03-06 09:00').corrected('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('初步报告等待终审 An interim report waits for its final', async (s) => {
  await s.lis(r1.interim('K 6.0'));
  await s.waits('MAP-3014');
  await s.shows({});
  await s.lis(r1.final('K 6.2'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.trail('publish R1 v1');
});

story('高而非危急 A value that is only high is none: the sender did not say critical', async (s) => {
  await s.lis(r1.interim('K 7.1 H'));
  await s.waits('MAP-3014');
  await s.shows({});
});

story('终审之后的初步报告 An interim report after the final never overwrites it', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('10:30').interim('K 5.9'));
  await s.waits('MAP-3014');
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.lis(r1.at('11:00').corrected('K 5.8'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 5.8'] });
});

story('迟到的初步报告 An interim report that arrives after its final changes nothing', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('09:00').interim('K 5.9'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 6.2'] });
});

story('还有一项未出 A final with one item to come waits as a whole', async (s) => {
  await s.lis(r1.final('K 6.2', toCome('Na')));
  await s.waits('MAP-3014');
  await s.shows({});
  await s.lis(r1.final('K 6.2', 'Na 140'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 6.2', 'Na 140'] });
});

story('已出的一项不能丢 A final without what the interim said is finished is held', async (s) => {
  await s.lis(r1.final('K 4.1', toCome('Na')), r1.final('Na 140'));
  await s.holds('MAP-3007');
  await s.waits('MAP-3014');
  await s.shows({});
  await s.lis(r1.corrected('K 4.1', 'Na 140'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
});

story('溶血：一项未检出 One haemolysed item: the report goes without it', async (s) => {
  await s.lis(r1.final(notObtained('K'), 'Na 140'));
  await s.shows({ R1: [zhang, 'Na 140'] });
});

story('发出后发现溶血 Haemolysis found later: the report is issued again without the item', async (s) => {
  await s.lis(r1.final('K 8.9', 'Na 140'), r1.corrected(deleted('K'), 'Na 140'));
  await s.shows({ R1: [zhang, 'Na 140'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('重新采血 The item taken out comes back with a new specimen', async (s) => {
  await s.lis(r1.final('K 8.9', 'Na 140'), r1.corrected(deleted('K'), 'Na 140'));
  await s.lis(r1.corrected('K 4.1', 'Na 140'));
  await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
});

story('全部项目作废 All items deleted: the report is withdrawn', async (s) => {
  await s.lis(r1.final('K 8.9', 'Na 140'), r1.corrected(deleted('K'), deleted('Na')));
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story('缺项的更正 A correction that lacks items is held, and what was published stays', async (s) => {
  await s.lis(r1.final('K 6.2', 'Na 140'), r1.corrected('K 4.1'));
  await s.holds('MAP-3007');
  await s.shows({ R1: [zhang, 'K 6.2', 'Na 140'] });
});

story(
  '整份重发的来源 A snapshot sender: what a correction lacks is gone',
  async (s) => {
    await s.lis(r1.final('K 6.2', 'Na 140'), r1.corrected('K 4.1'));
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  { profiles: { lis: { corrections: 'snapshot' } } },
);

const delta = { profiles: { lis: { corrections: 'delta' } } };

story(
  '只发改动的来源 A delta sender: what a correction does not name stays',
  async (s) => {
    await s.lis(r1.final('K 6.2', 'Na 140', 'Cl 101'), r1.corrected('K 4.1'));
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140', 'Cl 101'] });
  },
  delta,
);

story(
  '更正同时有一项待出 A corrected item beside one to come is corrected at once',
  async (s) => {
    await s.lis(r1.final('K 6.8'), r1.corrected('K 4.1', toCome('Na')));
    await s.shows({ R1: [zhang, 'K 4.1'] });
    await s.lis(r1.final('Na 140'));
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
    await s.trail('publish R1 v1', 'replace R1 v2', 'replace R1 v3');
  },
  delta,
);

story(
  '首次发出就有一项待出 First values beside one to come are not lost with the next',
  async (s) => {
    await s.lis(r1.final('K 4.1', toCome('Na')), r1.final('Na 140'));
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
  },
  delta,
);

story(
  '补充项目 A supplementary item adds, and never replaces the report',
  async (s) => {
    await s.lis(r1.final('K 6.2', 'Na 140'), r1.final('CRP 3.1'));
    await s.shows({ R1: [zhang, 'K 6.2', 'Na 140', 'CRP 3.1'] });
  },
  delta,
);

story(
  '删除一项的改动 A delta that deletes one item',
  async (s) => {
    await s.lis(r1.final('K 8.9', 'Na 140'), r1.corrected(deleted('K')));
    await s.shows({ R1: [zhang, 'Na 140'] });
  },
  delta,
);

story(
  '逐项删完 Deltas that delete one item after the other withdraw the report with the last',
  async (s) => {
    await s.lis(r1.final('K 8.9', 'Na 140'), r1.corrected(deleted('K')), r1.corrected(deleted('Na')));
    await s.shows({});
    await s.trail('publish R1 v1', 'replace R1 v2', 'retract R1 v3');
  },
  delta,
);

story(
  '糖耐量三个血糖改一个 One of three glucose values changed: nobody can tell which, so it is held',
  async (s) => {
    await s.lis(r1.final('Glu 5.0', 'Glu 9.1', 'Glu 7.0'), r1.corrected('Glu 8.1'));
    await s.holds('MAP-3007');
    await s.shows({ R1: [zhang, 'Glu 5.0', 'Glu 9.1', 'Glu 7.0'] });
  },
  delta,
);

story(
  '补充报告来自不说明方式的来源 Only other items from a sender of unknown mode: held, never a replacement',
  async (s) => {
    await s.lis(r1.final('K 6.2', 'Na 140'), r1.final('CRP 3.1'));
    await s.holds('MAP-3007');
    await s.shows({ R1: [zhang, 'K 6.2', 'Na 140'] });
  },
);

story('未知状态：改规则后放行 An unknown status is held, and goes on when the profile knows it', async (s) => {
  await s.lis(r1.status('ZZ', 'K 6.2'));
  await s.holds('MAP-3006');
  await s.shows({});
  await s.learns('lis', { 'tables.report_status.ZZ': 'publish', 'tables.item_status.ZZ': 'publish' });
  await s.holds();
  await s.shows({ R1: [zhang, 'K 6.2'] });
});

story('放行的旧报告不覆盖新报告 A held report read again later never overwrites what came after it', async (s) => {
  await s.lis(r1.at('10:00').status('ZZ', 'K 6.2'), r1.at('11:00').final('K 4.1'));
  await s.holds('MAP-3006');
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.learns('lis', { 'tables.report_status.ZZ': 'publish', 'tables.item_status.ZZ': 'publish' });
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('未知项目状态 An item of unknown status holds the report, its neighbours go on', async (s) => {
  await s.lis(r1.final(marked('Q', 'K 6.2'), 'Na 140'), report('R2').of(zhang).final('ALT 30'));
  await s.holds('MAP-3006');
  await s.shows({ R2: [zhang, 'ALT 30'] });
});

story('危急值只按对方标明 Critical is what the sender flags as such', async (s) => {
  await s.lis(r1.final('K 7.1 HH', 'Na 140'), report('R2').of(zhang).final('K 9.9 H'));
  await s.shows({ R1: [zhang, 'K 7.1', 'Na 140'], R2: [zhang, 'K 9.9'] });
  await s.reads('R1', /危急值/);
  await s.reads('R2', /危急值/, 'not');
});

story('危急值的初步报告 An interim critical value waits like any interim and is not lost', async (s) => {
  await s.lis(r1.interim('K 7.1 HH'));
  await s.waits('MAP-3031');
  await s.shows({});
  await s.lis(r1.final('K 7.1 HH'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 7.1'] });
});

story('数值原样 Digits, signs and words stay as the laboratory wrote them', async (s) => {
  await s.lis(r1.final('K 4.10', 'CRP <0.5', 'HBsAg 阴性(-)', 'ALT *****'));
  await s.shows({ R1: [zhang, 'K 4.10', 'CRP <0.5', 'HBsAg 阴性(-)', 'ALT *****'] });
});

story('撤回后重发 A report withdrawn and issued again', async (s) => {
  await s.lis(r1.final('K 6.2'), r1.withdrawn('K 6.2'), r1.final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'retract R1 v2', 'publish R1 v3');
});

story(
  '撤回在前、放行在后 A held report that was withdrawn meanwhile stays out when the profile knows it',
  async (s) => {
    await s.lis(r1.at('10:00').status('ZZ', 'K 6.2'), r1.at('11:00').withdrawn());
    await s.holds('MAP-3006');
    await s.learns('lis', { 'tables.report_status.ZZ': 'publish', 'tables.item_status.ZZ': 'publish' });
    await s.holds();
    await s.shows({});
    await s.trail();
  },
);

story(
  '缺项更正：查明是只发改动 A correction held for lacking items goes on when the sender is known to send changes',
  async (s) => {
    await s.lis(r1.final('K 6.2', 'Na 140'), r1.corrected('K 4.1'));
    await s.holds('MAP-3007');
    await s.learns('lis', { corrections: 'delta' });
    await s.holds();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 140'] });
  },
);

story(
  '缺项更正已被整份更正取代 A held correction overtaken by a whole one changes nothing when it is read again',
  async (s) => {
    await s.lis(r1.at('10:00').final('K 6.2', 'Na 140'), r1.at('10:30').corrected('K 5.0'));
    await s.lis(r1.at('11:00').corrected('K 4.1', 'Na 141'));
    await s.holds('MAP-3007');
    await s.learns('lis', { corrections: 'delta' });
    await s.holds();
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 141'] });
  },
);

story(
  '两处改动颠倒到达 Two changes of different items that arrive in the wrong order both count',
  async (s) => {
    await s.lis(r1.at('10:00').final('K 6.2', 'Na 140'));
    await s.lis(r1.at('11:00').corrected('K 4.1'), r1.at('10:30').corrected('Na 138'));
    await s.shows({ R1: [zhang, 'K 4.1', 'Na 138'] });
  },
  delta,
);

story('回执丢失后更正 Corrected after the answer was lost: sent again under its key, then replaced', async (s) => {
  await s.line.goes('loses-answers');
  await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'));
  await s.line.comesBack();
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});
