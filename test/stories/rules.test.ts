import { person, report, together } from './messages.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const unnumbered = report('R1').of(zhang).obr({ 3: 'SPX1', 20: '' });
/** Two reports in one message, of which the first has its number where the profile does not look for it. */
const both = together(unnumbered.obr({ 2: '' }).order('').final('K 6.8'), report('R2').of(zhang).final('Na 140'));
const numberPath = { 'report.number': "OBR-20 | OBR-2 + '-' + OBR-4.1 | OBR-3" };
const outpatients = { filters: { patient_classes: ['outpatient'] } };
const emergency = { class: 'E', number: 'JZP0001' };

story(
  '补上报告单号规则 A number is found for the first report of a message: the second is not taken for it',
  async (s) => {
    await s.lis(both);
    await s.holds('MAP-3008');
    await s.shows({ R2: [zhang, 'Na 140'] });
    await s.learns('lis', numberPath);
    await s.holds();
    await s.shows({ SPX1: [zhang, 'K 6.8'], R2: [zhang, 'Na 140'] });
    await s.trail('publish R2 v1', 'publish SPX1 v1');
  },
);

story('补上规则前该报告已发过 The second report was a repetition: the first is not taken for it either', async (s) => {
  await s.lis(report('R2').of(zhang).at('11:00').final('Na 140'));
  await s.lis(
    together(
      unnumbered.obr({ 2: '' }).order('').at('11:00').final('K 6.8'),
      report('R2').of(zhang).at('11:00').final('Na 140'),
    ),
  );
  await s.learns('lis', numberPath);
  await s.holds();
  await s.shows({ SPX1: [zhang, 'K 6.8'], R2: [zhang, 'Na 140'] });
});

story('补规则后再更正 Corrections after the rule was mended go where they belong', async (s) => {
  await s.lis(both);
  await s.learns('lis', numberPath);
  await s.lis(report('R2').of(zhang).corrected('Na 138'));
  await s.lis(report('SPX1').of(zhang).corrected('K 4.1'));
  await s.shows({ SPX1: [zhang, 'K 4.1'], R2: [zhang, 'Na 138'] });
});

story(
  '静默期内补规则 A report still being collected keeps its place',
  async (s) => {
    await s.lis(both);
    await s.waits();
    await s.holds('MAP-3008');
    await s.learns('lis', numberPath);
    await s.holds();
    await s.waits('MAP-3028');
    await s.passes('11 min');
    await s.waits();
    await s.shows({ SPX1: [zhang, 'K 6.8'], R2: [zhang, 'Na 140'] });
  },
  { profiles: { lis: { 'assembly.quiet_seconds': 600 } } },
);

story(
  '更正后转为平台不要的类别 A correction of a class the province does not want reaches what it has',
  async (s) => {
    await s.lis(report('R1').of(zhang).final('K 6.8'));
    await s.passes('1 min');
    await s.shows({ R1: [zhang, 'K 6.8'] });
    await s.lis(report('R1').of(zhang).visit(emergency).corrected('K 4.1'));
    await s.holds();
    await s.shows({ R1: [zhang, 'K 4.1'] });
    await s.lis(report('R2').of(zhang).visit(emergency).final('Na 140'));
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  outpatients,
);

story(
  '未发出前转为平台不要的类别 Of a class the province does not want before anything was sent: nothing of it goes out',
  async (s) => {
    await s.line.goes('down');
    await s.lis(report('R1').of(zhang).final('K 6.8'));
    await s.lis(report('R1').of(zhang).visit(emergency).corrected('K 4.1'));
    await s.line.comesBack();
    await s.holds();
    await s.waits();
    await s.shows({});
    await s.trail();
  },
  outpatients,
);

story(
  '回到平台要的类别 Wanted again, it is told anew',
  async (s) => {
    await s.line.goes('loses-answers');
    await s.lis(report('R1').of(zhang).final('K 6.8'));
    await s.passes('1 min');
    await s.lis(report('R1').of(zhang).visit(emergency).corrected('K 6.9'));
    await s.passes('1 min');
    await s.line.comesBack();
    await s.lis(report('R1').of(zhang).corrected('K 4.1'));
    await s.waits();
    await s.shows({ R1: [zhang, 'K 4.1'] });
  },
  outpatients,
);
