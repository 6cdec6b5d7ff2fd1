import t from 'tap';
import type { Organism } from '../../../../agent/clinical/records/types.ts';
import { goldenReport } from '../../golden-records.ts';
import { all, child } from './flatten.ts';
import { inputOf } from './render-input.ts';
import { documentOf, readable, shipped, text } from './rendered.ts';

const organisms: Organism[] = [
  {
    key: 'ECO',
    organism: { code: 'ECO', name: '大肠埃希菌' },
    quantity: '>10^5 CFU/ml',
    susceptibilities: [
      { drug: { code: 'CZO', name: '头孢唑林' }, value: '<=4', unit: 'mg/L', method: 'MIC', result: 'S' },
      { drug: { name: '环丙沙星' }, result: 'R' },
    ],
  },
  { key: 'CAL', organism: { name: '白色念珠菌' }, susceptibilities: [] },
];
const lines = [
  '细菌：大肠埃希菌(ECO)；菌落计数：>10^5 CFU/ml；药敏药物：头孢唑林(CZO)；药敏结果值：<=4 mg/L；药敏方法：MIC；药敏结果：S',
  '细菌：大肠埃希菌(ECO)；菌落计数：>10^5 CFU/ml；药敏药物：环丙沙星；药敏结果：R',
  '细菌：白色念珠菌',
];
const render = (form: 'base' | 'strict', items = goldenReport.items) =>
  documentOf(shipped(form), inputOf({ ...goldenReport, items, organisms }));

t.test('what grew stands beside the items: as a table, in strict as lines', async (t) => {
  const { root } = render('base');
  const tables = all(root, 'table');
  t.equal(tables.length, 2);
  t.same(
    all(tables[1]!, 'tr').map((row) => row.children.map((cell) => cell.text)),
    [
      ['细菌', '菌落计数', '药敏药物', '药敏结果值', '药敏方法', '药敏结果'],
      ['大肠埃希菌(ECO)', '>10^5 CFU/ml', '头孢唑林(CZO)', '<=4 mg/L', 'MIC', 'S'],
      ['大肠埃希菌(ECO)', '>10^5 CFU/ml', '环丙沙星', '', '', 'R'],
      ['白色念珠菌', '', '', '', '', ''],
    ],
  );
  t.match(readable(render('strict').root), lines.join('\n'));
});

t.test('it has no coded place, so the result text tells it, after the conclusion and the items', async (t) => {
  for (const form of ['base', 'strict'] as const) {
    const said = text(render(form).root, 'DE04.50.130.00');
    t.ok(said?.endsWith(`\n${lines.join('\n')}`));
    const input = inputOf({ ...goldenReport, organisms, conclusion: '检出两种菌' });
    t.match(
      text(documentOf(shipped(form), input).root, 'DE04.50.130.00'),
      /^检出两种菌\nC反应蛋白定性.*\n细菌：大肠埃希菌/,
    );
  }
});

t.test('a culture needs no items', async (t) => {
  for (const form of ['base', 'strict'] as const) {
    const { root } = render(form, []);
    t.same(all(root, 'organizer'), []);
    t.equal(text(root, 'DE04.50.130.00'), lines.join('\n'));
    t.equal(all(root, 'table').length, form === 'base' ? 1 : 0);
    t.equal(child(root, 'code')?.attributes.code, 'C0007');
  }
  const out = shipped('base').render(inputOf({ ...goldenReport, items: [], organisms: [] }));
  t.same(out, { kind: 'held', code: 'MAP-3009', where: 'items' });
});

t.test('a file in a laboratory report is not carried, which is noted', async (t) => {
  const attachments = [{ kind: 'embedded' as const, source: 'OBX-5' }];
  const { found } = documentOf(shipped('base'), inputOf({ ...goldenReport, attachments }));
  t.same(
    found.filter((one) => one.startsWith('MAP-3024')),
    ['MAP-3024 attachments'],
  );
});
