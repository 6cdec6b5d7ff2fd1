import { deleted, person } from './messages.ts';
import { merges } from './registrations.ts';
import { culture } from './results.ts';
import { story } from './story.ts';

const zhang = person('P0001', '张晋');
const again = { ...zhang, number: 'P0002' };
const blood = culture('M1').of(zhang);
const coli = ['大肠埃希菌/头孢曲松 >=64 R', '大肠埃希菌/亚胺培南 <=1 S'];
const staph = ['金黄色葡萄球菌/万古霉素 1 S'];
const delta = { profiles: { lis: { corrections: 'delta' } } };
const shown = (rows: string[]) => rows.map((row) => row.replace(/ (S|I|R)$/, ' mg/L $1'));

story('阴性培养 A culture without growth', async (s) => {
  await s.lis(blood.final('培养结果 五天无细菌生长'));
  await s.shows({ M1: [zhang, '培养结果 五天无细菌生长'] });
});

story('培养逐日生长 A culture that grows over days: each day’s report waits, the last is published', async (s) => {
  await s.lis(blood.interim('培养结果 24小时无细菌生长'));
  await s.passes('1 d');
  await s.lis(blood.interim('培养结果 革兰阴性杆菌'));
  await s.waits('MAP-3014', 'MAP-3014');
  await s.passes('1 d');
  await s.lis(blood.final('培养结果 阳性', ...coli));
  await s.waits();
  await s.shows({ M1: [zhang, '培养结果 阳性', ...shown(coli)] });
  await s.trail('publish M1 v1');
});

story('终审后又长出一种菌 A second organism after the final is a new version', async (s) => {
  await s.lis(blood.final('培养结果 阳性', ...coli));
  await s.passes('1 d');
  await s.lis(blood.corrected('培养结果 阳性', ...coli, ...staph));
  await s.shows({ M1: [zhang, '培养结果 阳性', ...shown([...coli, ...staph])] });
  await s.trail('publish M1 v1', 'replace M1 v2');
});

story('更正漏了一种菌 A correction without one of the organisms is held', async (s) => {
  await s.lis(blood.final('培养结果 阳性', ...coli, ...staph), blood.corrected('培养结果 阳性', ...coli));
  await s.holds('MAP-3007');
  await s.shows({ M1: [zhang, '培养结果 阳性', ...shown([...coli, ...staph])] });
});

story(
  '补充药敏 An organism reported later adds to the report',
  async (s) => {
    await s.lis(blood.final('培养结果 阳性', ...coli));
    await s.passes('1 d');
    await s.lis(blood.final(...staph));
    await s.shows({ M1: [zhang, '培养结果 阳性', ...shown([...coli, ...staph])] });
  },
  delta,
);

story(
  '删除污染菌 A contaminant deleted from the report',
  async (s) => {
    await s.lis(blood.final('培养结果 阳性', ...coli, ...staph));
    await s.lis(blood.corrected(deleted('金黄色葡萄球菌/万古霉素')));
    await s.shows({ M1: [zhang, '培养结果 阳性', ...shown(coli)] });
  },
  delta,
);

story('只报一种药的更正 A correction with one drug only never stands for the whole organism', async (s) => {
  await s.lis(blood.final('培养结果 阳性', ...coli), blood.corrected('培养结果 阳性', '大肠埃希菌/亚胺培南 2 I'));
  await s.holds('MAP-3007');
  await s.shows({ M1: [zhang, '培养结果 阳性', ...shown(coli)] });
});

story('只作废一种药 A correction that deletes one drug only does not withdraw the culture', async (s) => {
  await s.lis(blood.final(...coli), blood.corrected(deleted('大肠埃希菌/头孢曲松')));
  await s.holds('MAP-3007');
  await s.shows({ M1: [zhang, ...shown(coli)] });
  await s.lis(blood.corrected(deleted('大肠埃希菌/头孢曲松'), '大肠埃希菌/亚胺培南 <=1 S'));
  await s.shows({ M1: [zhang, ...shown(coli.slice(1))] });
});

story(
  '逐药补报的来源 A delta sender reports, changes and deletes single drugs',
  async (s) => {
    await s.lis(blood.final('培养结果 阳性', ...coli), blood.final('大肠埃希菌/阿米卡星 4 S'));
    await s.shows({ M1: [zhang, '培养结果 阳性', ...shown([...coli, '大肠埃希菌/阿米卡星 4 S'])] });
    await s.lis(blood.corrected(deleted('大肠埃希菌/头孢曲松'), '大肠埃希菌/亚胺培南 8 R'));
    await s.shows({ M1: [zhang, '培养结果 阳性', ...shown(['大肠埃希菌/亚胺培南 8 R', '大肠埃希菌/阿米卡星 4 S'])] });
  },
  delta,
);

story('药敏结果改判 A susceptibility corrected from S to R', async (s) => {
  await s.lis(blood.final('培养结果 阳性', ...staph));
  await s.lis(blood.corrected('培养结果 阳性', '金黄色葡萄球菌/万古霉素 16 R'));
  await s.shows({ M1: [zhang, '培养结果 阳性', '金黄色葡萄球菌/万古霉素 16 mg/L R'] });
});

story('培养报告撤回 A culture withdrawn after days', async (s) => {
  await s.lis(blood.final('培养结果 阳性', ...coli));
  await s.passes('3 d');
  await s.lis(blood.withdrawn());
  await s.shows({});
});

story('培养期间患者合并 A patient merged while the culture grows', async (s) => {
  await s.lis(culture('M1').of(again).interim('培养结果 24小时无细菌生长'));
  await s.his(merges(zhang, again));
  await s.lis(
    culture('M1')
      .of(again)
      .final('培养结果 阳性', ...coli),
  );
  await s.shows({ M1: [zhang, '培养结果 阳性', ...shown(coli)] });
});
