import { person, report, wrong } from './messages.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const r1 = report('R1').of(zhang);
const r2 = report('R2').of(zhang);

story('发出后撤回 Withdrawn after it was sent', async (s) => {
  await s.lis(r1.final('K 6.2'), r1.withdrawn());
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story('排队时撤回 Withdrawn while it is queued: nothing of it ever leaves', async (s) => {
  await s.line.goes('down');
  await s.lis(r1.final('K 6.2'), r1.withdrawn('K 6.2'));
  await s.line.comesBack();
  await s.shows({});
  await s.trail();
});

story('发送途中撤回 Withdrawn while it is in flight: the withdrawal follows', async (s) => {
  await s.line.goes('silent');
  await s.lis(r1.final('K 6.2'), r1.withdrawn('K 6.2'));
  await s.line.comesBack();
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story(
  '未知是否送达时撤回 Withdrawn after an attempt of unknown outcome: the withdrawal is sent, the report is not',
  async (s) => {
    await s.line.goes('unreachable');
    await s.lis(r1.final('K 6.2'));
    await s.waits('NET-1006');
    await s.lis(r1.withdrawn('K 6.2'));
    await s.line.comesBack();
    await s.waits();
    await s.shows({});
    await s.trail('retract R1 v2');
  },
);

story('回执丢失后撤回 Withdrawn after the answer was lost', async (s) => {
  await s.line.goes('loses-answers');
  await s.lis(r1.final('K 6.2'), r1.withdrawn('K 6.2'));
  await s.line.comesBack();
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story('撤回先到 The withdrawal arrives before the report: the report stays out', async (s) => {
  await s.lis(r1.at('11:00').withdrawn('K 6.2'), r1.at('10:00').final('K 6.2'));
  await s.shows({});
  await s.trail();
});

story('撤回从未见过的报告 A withdrawal of a report nobody knows changes nothing', async (s) => {
  await s.lis(r1.withdrawn(), r2.final('K 4.1'));
  await s.shows({ R2: [zhang, 'K 4.1'] });
  await s.trail('publish R2 v1');
});

story('撤回初步报告 A withdrawal of an interim report ends its waiting', async (s) => {
  await s.lis(r1.interim('K 6.2'));
  await s.waits('MAP-3014');
  await s.lis(r1.withdrawn());
  await s.waits();
  await s.shows({});
  await s.trail();
});

story('迟到的撤回 A withdrawal older than the correction withdraws nothing', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('11:00').corrected('K 4.1'));
  await s.lis(r1.at('10:30').sentAt('10:31').withdrawn());
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('撤回写的是首发时间 A withdrawal that repeats the first report time is held, never dropped', async (s) => {
  await s.lis(r1.at('10:00').final('K 6.2'), r1.at('11:00').corrected('K 4.1'), r1.at('10:00').withdrawn());
  await s.holds('MAP-3007');
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.lis(r1.at('11:00').withdrawn());
  await s.shows({});
});

story('两次撤回 A withdrawal sent twice', async (s) => {
  await s.lis(r1.final('K 6.2'), r1.withdrawn(), r1.withdrawn());
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story('一项标明发错人 One item posted as wrong withdraws the whole report', async (s) => {
  await s.lis(r1.final('K 6.2', 'Na 140'), r1.corrected(wrong('K 6.2'), 'Na 140'));
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story('途中更正又撤回 In flight, corrected and withdrawn: the correction never leaves', async (s) => {
  await s.line.goes('silent');
  await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'), r1.withdrawn());
  await s.line.comesBack();
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v3');
});

story('断网时更正 Corrected while the line is down: both versions leave in order, none overtakes', async (s) => {
  await s.line.goes('down');
  await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'));
  await s.waits('unsent', 'unsent');
  await s.line.comesBack();
  await s.waits();
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('断网时撤回又重发 Withdrawn and issued again while the line is down', async (s) => {
  await s.line.goes('down');
  await s.lis(r1.final('K 6.2'), r1.withdrawn(), r1.final('K 4.1'));
  await s.line.comesBack();
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v3');
});

story('撤回一份，其余照旧 Withdrawing one report leaves the patient’s other one', async (s) => {
  await s.lis(r1.final('K 6.2'), r2.final('ALT 30'), r1.withdrawn());
  await s.shows({ R2: [zhang, 'ALT 30'] });
});

story('平台拒收 A refused report holds itself and its corrections, not the patient’s other reports', async (s) => {
  s.refuses('R1', 'RULE');
  await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'), r2.final('ALT 30'));
  await s.holds('PLT-1305');
  await s.waits('PLT-1305');
  await s.shows({ R2: [zhang, 'ALT 30'] });
});

story('拒收后撤回 A refused report that is withdrawn needs nobody any more', async (s) => {
  s.refuses('R1', 'RULE');
  await s.lis(r1.final('K 6.2'));
  await s.holds('PLT-1305');
  await s.lis(r1.withdrawn());
  await s.holds();
  await s.shows({});
});

story('拒收、撤回、重发 Refused, withdrawn and issued anew: the new one is sent', async (s) => {
  s.refuses('R1', 'RULE');
  await s.lis(r1.final('K 6.2'), r1.withdrawn());
  await s.wantsNothing();
  await s.lis(r1.final('K 4.1'));
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});
