import { marked, person, report } from './messages.ts';
import { exam } from './results.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const li = person('P0002', '李珅');
const ct = exam('E1').of(zhang);

story('检查报告 An examination report is published with findings and impression', async (s) => {
  await s.ris(ct.final('检查所见 右肺下叶见斑片状影', '诊断意见 右肺下叶炎症'));
  await s.shows({ 'E1@ris': [zhang, '所见 右肺下叶见斑片状影', '提示 右肺下叶炎症'] });
  await s.trail('publish E1 v1');
});

story('初步意见等待审核 A preliminary reading waits for the final', async (s) => {
  await s.ris(ct.interim('检查所见 右肺下叶见斑片状影', '诊断意见 炎症可能'));
  await s.waits('MAP-3014');
  await s.shows({});
  await s.ris(ct.final('检查所见 右肺下叶见斑片状影', '诊断意见 右肺下叶炎症'));
  await s.waits();
  await s.shows({ 'E1@ris': [zhang, '所见 右肺下叶见斑片状影', '提示 右肺下叶炎症'] });
});

story('修改诊断意见 A corrected impression replaces the report', async (s) => {
  await s.ris(ct.final('检查所见 右肺下叶见斑片状影', '诊断意见 炎症'));
  await s.ris(ct.corrected('检查所见 右肺下叶见斑片状影', '诊断意见 占位，建议增强'));
  await s.shows({ 'E1@ris': [zhang, '所见 右肺下叶见斑片状影', '提示 占位，建议增强'] });
  await s.trail('publish E1 v1', 'replace E1 v2');
});

story('旧意见晚到 An older reading that arrives late changes nothing', async (s) => {
  await s.ris(ct.at('11:00').corrected('检查所见 阴影', '诊断意见 占位'));
  await s.ris(ct.at('10:00').final('检查所见 阴影', '诊断意见 炎症'));
  await s.shows({ 'E1@ris': [zhang, '所见 阴影', '提示 占位'] });
});

story('更正缺所见 A correction without the findings is held', async (s) => {
  await s.ris(ct.final('检查所见 阴影', '诊断意见 炎症'), ct.corrected('诊断意见 占位'));
  await s.holds('MAP-3007');
  await s.shows({ 'E1@ris': [zhang, '所见 阴影', '提示 炎症'] });
});

story(
  '只发改动的影像系统 A delta sender changes the impression only',
  async (s) => {
    await s.ris(ct.final('检查所见 阴影', '诊断意见 炎症'), ct.corrected('诊断意见 占位'));
    await s.shows({ 'E1@ris': [zhang, '所见 阴影', '提示 占位'] });
  },
  { profiles: { ris: { corrections: 'delta' } } },
);

story('检查报告撤回 An examination report withdrawn', async (s) => {
  await s.ris(ct.final('检查所见 阴影', '诊断意见 炎症'), ct.withdrawn('检查所见 阴影', '诊断意见 炎症'));
  await s.shows({});
  await s.trail('publish E1 v1', 'retract E1 v2');
});

story('检查报告发错人 An examination report moves to the right patient', async (s) => {
  await s.ris(
    ct.final('检查所见 阴影', '诊断意见 炎症'),
    exam('E1').of(li).corrected('检查所见 阴影', '诊断意见 炎症'),
  );
  await s.shows({ 'E1@ris': [li, '所见 阴影', '提示 炎症'] });
  await s.trail('publish E1 v1', 'retract E1 v2', 'publish E1 v3');
});

story('多行所见 Findings of several lines stay in order', async (s) => {
  await s.ris(ct.final('检查所见 双肺清晰。\n心影不大。', '诊断意见 未见异常'));
  await s.shows({ 'E1@ris': [zhang, '所见 双肺清晰。\n心影不大。', '提示 未见异常'] });
});

story('影像地址不外传 The viewer’s address never leaves the hospital', async (s) => {
  await s.ris(ct.final('检查所见 清晰', '诊断意见 未见异常', '影像URL http://10.1.2.3/view?acc=E1'));
  await s.shows({ 'E1@ris': [zhang, '所见 清晰', '提示 未见异常'] });
  await s.reads('E1@ris', /10\.1\.2\.3/, 'not');
});

story('同号的检验与检查 One number in the laboratory and in radiology is two reports', async (s) => {
  await s.lis(report('E1').of(zhang).final('K 4.1'));
  await s.ris(ct.final('检查所见 清晰', '诊断意见 未见异常'));
  await s.lis(report('E1').of(zhang).withdrawn());
  await s.shows({ 'E1@ris': [zhang, '所见 清晰', '提示 未见异常'] });
});

story('集成平台上同号 One number of a laboratory report and of another patient’s CT: neither is lost', async (s) => {
  await s.lis(report('1001').of(zhang).final('K 6.8'), exam('1001').of(li).final('检查所见 双肺清晰'));
  await s.holds('MAP-3011');
  await s.shows({ 1001: [zhang, 'K 6.8'] });
  await s.lis(exam('1001').of(li).withdrawn());
  await s.holds('MAP-3011', 'MAP-3011');
  await s.shows({ 1001: [zhang, 'K 6.8'] });
});

const slide = exam('B1', '病理', '胃镜活检').of(zhang);

story('病理报告 A pathology report keeps its titled sections', async (s) => {
  await s.ris(slide.final('肉眼所见 灰白组织三粒', '镜下所见 腺体排列紊乱', '病理诊断 慢性炎症'));
  await s.shows({ 'B1@ris': [zhang, '所见 肉眼所见：灰白组织三粒\n镜下所见：腺体排列紊乱', '提示 慢性炎症'] });
});

story(
  '病理补充报告 A supplementary pathology report adds the stains and replaces nothing',
  async (s) => {
    await s.ris(slide.final('肉眼所见 灰白组织三粒', '镜下所见 腺体排列紊乱', '病理诊断 待免疫组化'));
    await s.passes('2 d');
    await s.ris(slide.final('免疫组化 CK(+) Ki-67(5%)'));
    const read = ['肉眼所见：灰白组织三粒', '镜下所见：腺体排列紊乱', '免疫组化：CK(+) Ki-67(5%)'];
    await s.shows({ 'B1@ris': [zhang, `所见 ${read.join('\n')}`, '提示 待免疫组化'] });
  },
  { profiles: { ris: { corrections: 'delta' } } },
);

story(
  '补充报告先到 A supplement that arrives before the report it adds to',
  async (s) => {
    await s.ris(slide.at('11:00').final('免疫组化 CK(+)'));
    await s.ris(slide.at('10:00').final('镜下所见 腺体紊乱', '病理诊断 慢性炎症'));
    await s.shows({ 'B1@ris': [zhang, '所见 免疫组化：CK(+)\n镜下所见：腺体紊乱', '提示 慢性炎症'] });
  },
  { profiles: { ris: { corrections: 'delta' } } },
);

story('补充报告方式不明 A supplement from a sender of unknown mode is held, never a replacement', async (s) => {
  await s.ris(slide.final('镜下所见 腺体紊乱', '病理诊断 慢性炎症'), slide.final('免疫组化 CK(+)'));
  await s.holds('MAP-3007');
  await s.shows({ 'B1@ris': [zhang, '所见 镜下所见：腺体紊乱', '提示 慢性炎症'] });
});

story('删除一段 A section deleted by its status is gone from the next version', async (s) => {
  await s.ris(slide.final('镜下所见 腺体紊乱', '免疫组化 CK(+)', '病理诊断 慢性炎症'));
  await s.ris(slide.corrected('镜下所见 腺体紊乱', marked('D', '免疫组化 CK(+)'), '病理诊断 慢性炎症'));
  await s.shows({ 'B1@ris': [zhang, '所见 镜下所见：腺体紊乱', '提示 慢性炎症'] });
});

story('断网时检查更正后撤回 Corrected and withdrawn while the line is down', async (s) => {
  await s.line.goes('down');
  await s.ris(
    ct.final('检查所见 阴影', '诊断意见 炎症'),
    ct.corrected('检查所见 阴影', '诊断意见 占位'),
    ct.withdrawn(),
  );
  await s.line.comesBack();
  await s.shows({});
  await s.trail();
});
