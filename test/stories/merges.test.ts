import { type Message, person, report } from './messages.ts';
import { merges, mergesAs, movesVisit, registers, unlinks, updates } from './registrations.ts';
import { exam } from './results.ts';
import { story } from './story.ts';

/** One human who was registered three times, and somebody else. */
const zhang = person('P0001', '张晋');
const again = { ...zhang, number: 'P0002' };
const third = { ...zhang, number: 'P0003' };
const li = person('P0009', '李珅');
const r1 = report('R1').of(again);

story('合并在前 Merged before any report: what comes for the retired number is the survivor’s', async (s) => {
  await s.his(merges(zhang, again));
  await s.lis(r1.final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('合并在后 Merged after the report: it is issued again under the survivor', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.shows({ R1: [again, 'K 4.1'] });
  await s.his(merges(zhang, again));
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('合并夹在报告之间 Merged between two reports and a correction', async (s) => {
  await s.lis(r1.final('K 6.2'));
  await s.his(merges(zhang, again));
  await s.lis(r1.corrected('K 4.1'), report('R2').of(again).final('WBC 8'), report('R3').of(zhang).final('CRP 3'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'], R3: [zhang, 'CRP 3'] });
});

story('断网时合并 Merged while the line is down: nothing leaves under the retired number', async (s) => {
  await s.line.goes('down');
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(zhang, again));
  await s.line.comesBack();
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v2');
});

story('发送途中合并 Merged while the report is in flight', async (s) => {
  await s.line.goes('silent');
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(zhang, again));
  await s.line.comesBack();
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story(
  '未知是否送达时合并 Merged after an attempt of unknown outcome: the newer never falls behind the older',
  async (s) => {
    await s.line.goes('unreachable');
    await s.lis(r1.final('K 4.1'));
    await s.his(merges(zhang, again));
    await s.line.comesBack();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
);

story(
  '旧号的序列受阻 The retired number’s sequence is held up: the survivor’s version waits for the older one',
  async (s) => {
    s.putsOff('R1');
    await s.lis(r1.final('K 4.1'));
    await s.wantsNothing();
    await s.his(merges(zhang, again));
    await s.shows({});
    await s.passes('10 min');
    await s.shows({ R1: [zhang, 'K 4.1'] });
    await s.trail('publish R1 v1', 'replace R1 v2');
  },
);

story('合并发两遍 A merge sent twice changes nothing more', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(zhang, again), merges(zhang, again));
  await s.repeats('his');
  await s.shows({ R1: [zhang, 'K 4.1'] });
  await s.trail('publish R1 v1', 'replace R1 v2');
});

story('连环合并 Chained merges end with the last survivor', async (s) => {
  await s.lis(report('R3').of(third).final('K 4.3'), report('R2').of(again).final('K 4.2'));
  await s.his(merges(again, third), merges(zhang, again));
  await s.lis(report('R4').of(third).final('K 4.4'));
  await s.shows({ R2: [zhang, 'K 4.2'], R3: [zhang, 'K 4.3'], R4: [zhang, 'K 4.4'] });
});

story('连环合并顺序颠倒 Chained merges in the other order end the same', async (s) => {
  await s.lis(report('R3').of(third).final('K 4.3'), report('R2').of(again).final('K 4.2'));
  await s.his(merges(zhang, again), merges(again, third));
  await s.lis(report('R4').of(third).final('K 4.4'));
  await s.shows({ R2: [zhang, 'K 4.2'], R3: [zhang, 'K 4.3'], R4: [zhang, 'K 4.4'] });
});

story('一条消息合并两个号 Two retired numbers in one message', async (s) => {
  await s.lis(report('R3').of(third).final('K 4.3'), report('R2').of(again).final('K 4.2'));
  await s.his(merges(zhang, again, third));
  await s.shows({ R2: [zhang, 'K 4.2'], R3: [zhang, 'K 4.3'] });
});

story('并入自己 A merge into itself is held', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(again, again));
  await s.holds('MAP-3025');
  await s.shows({ R1: [again, 'K 4.1'] });
});

story('反向合并 A merge that turns an earlier one round is held', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(zhang, again), merges(again, zhang));
  await s.holds('MAP-3025');
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('成环的合并 A merge that closes a circle is held', async (s) => {
  await s.lis(report('R3').of(third).final('K 4.3'));
  await s.his(merges(again, third), merges(zhang, again), merges(third, zhang));
  await s.holds('MAP-3025');
  await s.shows({ R3: [zhang, 'K 4.3'] });
});

story('合并错了再拆开 Unlinked: each number has its own reports again', async (s) => {
  const other = { ...li, number: again.number };
  await s.lis(report('R1').of(other).final('K 4.1'), report('R2').of(zhang).final('WBC 8'));
  await s.his(merges(zhang, other));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'] });
  await s.his(unlinks(zhang, other));
  await s.shows({ R1: [other, 'K 4.1'], R2: [zhang, 'WBC 8'] });
});

story('拆开后旧号继续用 After an unlink the number is its own again', async (s) => {
  const other = { ...li, number: again.number };
  await s.his(registers(zhang), registers(other), merges(zhang, other));
  await s.lis(report('R1').of(other).final('K 4.1'));
  await s.his(unlinks(zhang, other));
  await s.lis(report('R1').of(other).corrected('K 4.2'), report('R2').of(other).final('WBC 8'));
  await s.shows({ R1: [other, 'K 4.2'], R2: [other, 'WBC 8'] });
});

const nameless = { ...zhang, name: '无名氏', residentId: '', number: 'P0100' };

story('拆开的消息带登记信息 What the unlink tells of one patient is never the other’s', async (s) => {
  await s.his(registers(nameless), merges(nameless, zhang), unlinks(zhang, nameless));
  await s.lis(report('R1').of(nameless).withoutDemographics().final('K 6.2'));
  await s.lis(report('R2').of(zhang).withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [nameless, 'K 6.2'], R2: [zhang, 'K 4.1'] });
});

story('合并期间旧号更新后拆开 A retired number told of while it was merged keeps that for itself', async (s) => {
  await s.his(registers(nameless), merges(nameless, zhang), updates(zhang), unlinks(nameless, zhang));
  await s.lis(report('R1').of(nameless).withoutDemographics().final('K 6.2'));
  await s.lis(report('R2').of(zhang).withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [nameless, 'K 6.2'], R2: [zhang, 'K 4.1'] });
});

story('旧号下的另一个人 Somebody else under a retired number is held, not given the survivor’s name', async (s) => {
  await s.his(registers(zhang), registers(again), merges(zhang, again));
  await s.lis(
    report('R1')
      .of({ ...li, number: again.number })
      .final('K 6.8'),
    report('R2').of(again).final('WBC 8'),
  );
  await s.holds('MAP-3029');
  await s.shows({ R2: [zhang, 'WBC 8'] });
});

story('旧号用旧名 Under a retired number its old demographics are the survivor’s', async (s) => {
  const unknown = { ...again, name: '无名氏', birthDate: '19000101', residentId: '' };
  await s.his(registers(zhang), registers(unknown), merges(zhang, unknown));
  await s.lis(report('R1').of(unknown).final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('断网时合并又拆开 Merged and unlinked while the line is down', async (s) => {
  const other = { ...li, number: again.number };
  await s.line.goes('down');
  await s.lis(report('R1').of(other).final('K 4.1'));
  await s.his(registers(zhang), merges(zhang, other), unlinks(zhang, other));
  await s.line.comesBack();
  await s.shows({ R1: [other, 'K 4.1'] });
});

story('合并时报告还在等终审 Merged while an interim waits: the final is the survivor’s', async (s) => {
  await s.lis(r1.interim('K 4.0'));
  await s.his(merges(zhang, again));
  await s.waits('MAP-3014');
  await s.lis(r1.final('K 4.1'));
  await s.waits();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('合并时报告已撤回 A withdrawn report does not come back by a merge', async (s) => {
  await s.lis(r1.final('K 4.1'), r1.withdrawn());
  await s.his(merges(zhang, again));
  await s.shows({});
  await s.trail('publish R1 v1', 'retract R1 v2');
});

story('合并后撤回 Withdrawn under the retired number after the merge', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(zhang, again));
  await s.lis(r1.withdrawn());
  await s.shows({});
});

story('合并时平台已拒收 A refused report stays with a person, under the survivor’s number too', async (s) => {
  s.refuses('R1', 'RULE');
  await s.lis(r1.final('K 4.1'));
  await s.holds('PLT-1305');
  await s.shows({});
  await s.wantsNothing();
  await s.his(merges(zhang, again));
  await s.holds('PLT-1305');
  await s.waits('PLT-1305');
  await s.shows({});
});

story('合并后姓名按保留号 The survivor’s registered name goes on everything', async (s) => {
  const nickname = { ...again, name: '张小晋' };
  await s.his(registers(zhang));
  await s.lis(report('R1').of(nickname).final('K 4.1'));
  await s.his(merges(zhang, nickname));
  await s.lis(report('R2').of(nickname).final('WBC 8'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [zhang, 'WBC 8'] });
});

story('合并后旧号又被更新 Demographics of a retired number do not overwrite the survivor’s', async (s) => {
  const old = { ...again, name: '张小晋' };
  await s.his(registers(zhang), merges(zhang, again), updates(old));
  await s.lis(report('R1').of(zhang).withoutDemographics().final('K 4.1'));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story(
  '等待登记时合并 A report parked under a number that is merged is completed from the survivor',
  async (s) => {
    await s.his(registers(zhang));
    await s.lis(r1.withoutDemographics().final('K 4.1'));
    await s.waits('MAP-3026');
    await s.his(merges(zhang, again));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  { profiles: { lis: { 'patient.park_minutes': 30 } } },
);

story('A34 与 A36 Older systems say a merge as A34 or A36', async (s) => {
  await s.lis(r1.final('K 4.1'), report('R3').of(third).final('K 4.3'));
  await s.his(mergesAs('A34', zhang, again), mergesAs('A36', zhang, third));
  await s.shows({ R1: [zhang, 'K 4.1'], R3: [zhang, 'K 4.3'] });
});

story('改号 A47: the patient’s number is changed', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(mergesAs('A47', zhang, again));
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('移动就诊 A visit moved to another patient is held: which reports go along nobody says', async (s) => {
  await s.lis(report('R1').of(zhang).final('K 4.1'));
  await s.his(movesVisit(li, zhang, { class: 'O', number: 'JZP0001' }));
  await s.holds('HL7-2106');
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

story('同一身份证不等于同一编号 One resident ID under two numbers is never merged by itself', async (s) => {
  await s.lis(report('R1').of(zhang).final('K 4.1'), report('R2').of(again).final('WBC 8'));
  await s.shows({ R1: [zhang, 'K 4.1'], R2: [again, 'WBC 8'] });
});

story('检验与检查一起合并 A merge takes the laboratory’s and the radiology’s reports along', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.ris(exam('E1').of(again).final('检查所见 双肺清晰', '诊断意见 未见异常'));
  await s.his(merges(zhang, again));
  await s.shows({ R1: [zhang, 'K 4.1'], 'E1@ris': [zhang, '所见 双肺清晰', '提示 未见异常'] });
});

story('合并与换人 A report that was the retired number’s moves to somebody else after the merge', async (s) => {
  await s.lis(r1.final('K 4.1'));
  await s.his(merges(zhang, again));
  await s.lis(report('R1').of(li).corrected('K 4.1'));
  await s.shows({ R1: [li, 'K 4.1'] });
});

story(
  '只要检验的平台 A platform that wants the laboratory’s only follows a merge told by registration',
  async (s) => {
    await s.lis(r1.final('K 4.1'));
    await s.his(merges(zhang, again));
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  { filters: { sources: ['lis'] } },
);

story(
  '途中更正又合并 In flight, corrected and merged: the correction under the retired number never leaves',
  async (s) => {
    await s.line.goes('silent');
    await s.lis(r1.final('K 6.2'), r1.corrected('K 4.1'));
    await s.his(merges(zhang, again));
    await s.line.comesBack();
    await s.shows({ R1: [zhang, 'K 4.1'] });
    await s.trail('publish R1 v1', 'replace R1 v3');
  },
);

story('断网时撤回又合并 Withdrawn and merged while the line is down', async (s) => {
  await s.lis(r1.final('K 4.1'), report('R2').of(again).final('WBC 8'));
  await s.line.goes('down');
  await s.lis(r1.withdrawn());
  await s.his(merges(zhang, again));
  await s.line.comesBack();
  await s.shows({ R2: [zhang, 'WBC 8'] });
});

story('放行时患者已合并 A held report goes to the survivor when the profile knows it', async (s) => {
  await s.lis(r1.status('ZZ', 'K 4.1'));
  await s.his(merges(zhang, again));
  await s.holds('MAP-3006');
  await s.learns('lis', { 'tables.report_status.ZZ': 'publish', 'tables.item_status.ZZ': 'publish' });
  await s.holds();
  await s.shows({ R1: [zhang, 'K 4.1'] });
});

const institution = { 'patient.in_house': "MSH-4 + '-' + PID-2" };

story(
  '两家机构各自的编号 A merge in one institution leaves the same numbers of the other',
  async (s) => {
    const at = (facility: string, message: Message): Message => ({
      ...message,
      write: (head) => message.write(head).replace('|H|QIANZHI', `|${facility}|QIANZHI`),
    });
    const east = { ...again, number: 'H1-P0002' };
    const west = { ...li, number: 'H2-P0002' };
    await s.lis(
      at('H1', r1.final('K 4.1')),
      at(
        'H2',
        report('R2')
          .of({ ...li, number: 'P0002' })
          .final('K 6.2'),
      ),
    );
    await s.shows({ R1: [east, 'K 4.1'], R2: [west, 'K 6.2'] });
    await s.his(at('H1', merges(zhang, again)));
    await s.shows({ R1: [{ ...zhang, number: 'H1-P0001' }, 'K 4.1'], R2: [west, 'K 6.2'] });
  },
  {
    profiles: {
      lis: institution,
      his: {
        ...institution,
        'merge.numbers.0.survivor': "MSH-4 + '-' + PID-2",
        'merge.numbers.0.retired': "MSH-4 + '-' + MRG-4",
      },
    },
  },
);
