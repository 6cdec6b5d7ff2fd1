import { person, report, wrong } from './messages.ts';
import { registers } from './registrations.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const li = person('P0002', '李珅');
const zhangs = report('R1').of(zhang);
const lis = report('R1').of(li);

story('报告发错人后改发 A report number moves to the right patient: withdrawn there, published here', async (s) => {
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'));
  await s.shows({ R1: [li, 'K 6.2'] });
  await s.trail('publish R1 v1', 'retract R1 v2', 'publish R1 v3');
});

story('先标错再改发 Posted as wrong first, then issued for the right patient', async (s) => {
  await s.lis(zhangs.final('K 6.2'), zhangs.corrected(wrong('K 6.2')), lis.final('K 6.2'));
  await s.shows({ R1: [li, 'K 6.2'] });
  await s.trail('publish R1 v1', 'retract R1 v2', 'publish R1 v3');
});

story('断网时改发 Moved while the line is down: the wrong patient’s never leaves', async (s) => {
  await s.line.goes('down');
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'));
  await s.line.comesBack();
  await s.shows({ R1: [li, 'K 6.2'] });
  await s.trail('publish R1 v3');
});

story('发送途中改发 Moved while it is in flight: withdrawn before the right one is published', async (s) => {
  await s.line.goes('silent');
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'));
  await s.line.comesBack();
  await s.shows({ R1: [li, 'K 6.2'] });
  await s.trail('publish R1 v1', 'retract R1 v2', 'publish R1 v3');
});

story('未知是否送达时改发 Moved after an attempt of unknown outcome', async (s) => {
  await s.line.goes('unreachable');
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'));
  await s.line.comesBack();
  await s.shows({ R1: [li, 'K 6.2'] });
  await s.trail('retract R1 v2', 'publish R1 v3');
});

story('旧患者的旧报告晚到 The wrong patient’s report arrives late: it stays out', async (s) => {
  await s.lis(lis.at('11:00').final('K 6.2'), zhangs.at('10:00').final('K 6.2'));
  await s.shows({ R1: [li, 'K 6.2'] });
  await s.trail('publish R1 v1');
});

story('改发后再更正 Corrected after it moved', async (s) => {
  await s.lis(zhangs.final('K 6.2', 'Na 140'), lis.corrected('K 6.2', 'Na 140'), lis.corrected('K 4.1', 'Na 140'));
  await s.shows({ R1: [li, 'K 4.1', 'Na 140'] });
});

story('改错了又改回 Moved by mistake and moved back', async (s) => {
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'), zhangs.corrected('K 6.2'));
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.trail('publish R1 v1', 'retract R1 v2', 'publish R1 v3', 'retract R1 v4', 'publish R1 v5');
});

story('断网时改来改去 Moved there and back while the line is down: only the last word leaves', async (s) => {
  await s.line.goes('down');
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'), zhangs.corrected('K 6.3'));
  await s.line.comesBack();
  await s.shows({ R1: [zhang, 'K 6.3'] });
});

story('改发不缺项也不合并 Nothing of the other patient is merged into the moved report', async (s) => {
  await s.lis(zhangs.final('K 6.2', 'Na 140'), lis.corrected('K 6.2'));
  await s.shows({ R1: [li, 'K 6.2'] });
});

story(
  '只发改动的来源换人 A delta sender that changes the patient: only what it says of the new one',
  async (s) => {
    await s.lis(zhangs.final('K 6.2', 'Na 140'), lis.corrected('K 6.2'), lis.final('Cl 101'));
    await s.shows({ R1: [li, 'K 6.2', 'Cl 101'] });
  },
  { profiles: { lis: { corrections: 'delta' } } },
);

story('撤回时患者对不上 A withdrawal under another patient is held: whose report it means is open', async (s) => {
  await s.lis(zhangs.final('K 6.2'), lis.withdrawn());
  await s.holds('MAP-3011');
  await s.shows({ R1: [zhang, 'K 6.2'] });
});

story('换人的初步报告等待 An interim report under another patient moves nothing yet', async (s) => {
  await s.lis(zhangs.final('K 6.2'), lis.interim('K 6.2'));
  await s.waits('MAP-3014');
  await s.shows({ R1: [zhang, 'K 6.2'] });
  await s.lis(lis.final('K 6.2'));
  await s.waits();
  await s.shows({ R1: [li, 'K 6.2'] });
});

story('平台拒收了错的那份 The wrong patient’s report was refused: the right one goes out', async (s) => {
  s.refuses('R1', 'RULE');
  await s.lis(zhangs.final('K 6.2'));
  await s.holds('PLT-1305');
  await s.shows({});
  await s.wantsNothing();
  await s.lis(lis.corrected('K 6.2'));
  await s.holds();
  await s.shows({ R1: [li, 'K 6.2'] });
});

story('其他报告不受影响 The other reports of both patients stay', async (s) => {
  await s.his(registers(zhang), registers(li));
  await s.lis(zhangs.final('K 6.2'), report('R2').of(zhang).final('WBC 8'), report('R3').of(li).final('CRP 3'));
  await s.lis(lis.corrected('K 6.2'));
  await s.shows({ R1: [li, 'K 6.2'], R2: [zhang, 'WBC 8'], R3: [li, 'CRP 3'] });
});

story(
  '错患者的序列受阻 The wrong patient’s sequence is held up: the right one is published only after the withdrawal',
  async (s) => {
    await s.lis(zhangs.final('K 6.2'));
    s.putsOff('R0');
    await s.lis(report('R0').of(zhang).final('WBC 8'), lis.corrected('K 6.2'));
    await s.shows({ R1: [zhang, 'K 6.2'] });
    await s.waits('PLT-1307', 'unsent');
    await s.wantsNothing();
    await s.passes('10 min');
    await s.waits();
    await s.shows({ R0: [zhang, 'WBC 8'], R1: [li, 'K 6.2'] });
    await s.trail('publish R1 v1', 'publish R0 v1', 'retract R1 v2', 'publish R1 v3');
  },
);

story('等待就诊记录时改发 Moved while the platform wants the wrong patient’s encounter first', async (s) => {
  s.wantsParentOf('R1');
  await s.lis(zhangs.final('K 6.2'), lis.corrected('K 6.2'));
  await s.wantsNothing();
  await s.passes('10 min');
  await s.waits();
  await s.shows({ R1: [li, 'K 6.2'] });
});

story('错报告不教人 A report under the wrong number says nothing of whose the next one is', async (s) => {
  const wrongly = report('R1').of({ ...li, number: zhang.number });
  await s.lis(wrongly.final('K 6.2'), report('R2').of(zhang).withoutDemographics().final('WBC 8'));
  await s.holds('MAP-3009');
  await s.his(registers(zhang));
  await s.holds();
  await s.lis(lis.corrected('K 6.2'));
  await s.shows({ R1: [li, 'K 6.2'], R2: [zhang, 'WBC 8'] });
});

story(
  '错报告撤走后 The right patient’s reports go on when the one under their number was withdrawn or moved',
  async (s) => {
    for (const [right, away] of [
      [person('P0011', '王一'), 'moved'],
      [person('P0012', '王二'), 'withdrawn'],
    ] as const) {
      const wrongly = report(`W${right.number}`).of({ ...li, number: right.number });
      await s.lis(wrongly.final('K 6.2'), report(`R${right.number}`).of(right).final('K 4.1'));
      await s.holds('MAP-3029');
      await s.lis(away === 'moved' ? report(`W${right.number}`).of(li).corrected('K 6.2') : wrongly.withdrawn());
      await s.holds();
    }
    await s.shows({
      WP0011: [li, 'K 6.2'],
      RP0011: [person('P0011', '王一'), 'K 4.1'],
      RP0012: [person('P0012', '王二'), 'K 4.1'],
    });
  },
);
