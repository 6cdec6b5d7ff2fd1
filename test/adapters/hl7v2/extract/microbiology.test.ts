import t from 'tap';
import type { LabReport } from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement } from '../../../../agent/clinical/reports/types.ts';
import { mshOf, only as onlyOf, outcomes, pid, pv1, read, reader, segment } from './reading.ts';

const msh = mshOf('ORU^R01');
const obr = (over: Record<number, string>): string => {
  const all: Record<number, string> = { 22: '20240520102000', 25: 'F', ...over };
  return segment('OBR', { 34: '', ...all });
};
const only = (segments: string[], with_ = reader): ReportStatement & { report: LabReport } => {
  const statement = onlyOf(read(segments, with_));
  if (statement.report.kind !== 'lab-report') throw new Error(statement.report.kind);
  return { ...statement, report: statement.report };
};

const culture = obr({ 2: 'A1', 3: 'F1', 4: 'BC^血培养', 20: 'R1' });
const grew = (subId: string, organism: string): string => `OBX|1|CE|600-7^细菌鉴定^LN|${subId}|${organism}||||||F`;
const tested = (subId: string, over: Record<number, string> = {}): string =>
  obr({ 2: 'A2', 3: 'F2', 4: 'AST^药敏', 26: `600-7&细菌鉴定&LN^${subId}`, 29: 'A1^F1', ...over });
const drug = (code: string, mic: string, result: string, status = 'F'): string =>
  `OBX|1|ST|${code}^${code}||${mic}|ug/mL||${result}|||${status}`;

t.test('susceptibilities hang on the organism that their order points at, in the report of the culture', (t) => {
  const { reportKey, report } = only([
    msh,
    pid,
    pv1,
    culture,
    grew('1', 'ECO^大肠埃希菌'),
    grew('2', 'SAU^金黄色葡萄球菌'),
    tested('1'),
    drug('AMP', '>=32', 'R'),
    drug('CIP', '0.25', 'S'),
    tested('2', { 2: 'A3' }),
    drug('OXA', '<=0.25', 'S'),
  ]);
  t.equal(reportKey, 'lis|R1');
  t.same(
    report.items.map(({ key, value }) => [key, value]),
    [
      ['600-7/1', '大肠埃希菌'],
      ['600-7/2', '金黄色葡萄球菌'],
    ],
    'what grew stays an item too, so that a later version lacks nothing',
  );
  t.match(report.organisms, [
    {
      key: 'ECO/1',
      organism: { code: 'ECO', name: '大肠埃希菌' },
      susceptibilities: [
        { drug: { code: 'AMP' }, value: '>=32', unit: 'ug/mL', result: 'R' },
        { drug: { code: 'CIP' }, value: '0.25', result: 'S' },
      ],
    },
    { key: 'SAU/2', susceptibilities: [{ drug: { code: 'OXA' }, result: 'S' }] },
  ]);
  t.equal(report.organisms?.length, 2);
  t.same(report.orderNumbers, ['A1', 'A2', 'A3']);
  t.end();
});

t.test('an order that points at what is not there is told by the text of the link, or stays items', (t) => {
  const byText = only([msh, pid, pv1, tested('1', { 20: 'R1', 26: '600-7^1^大肠埃希菌' }), drug('AMP', '4', 'S')]);
  t.match(byText.report.organisms, [{ key: '大肠埃希菌/1', organism: { name: '大肠埃希菌' } }]);
  const unknown = only([msh, pid, pv1, tested('1', { 20: 'R1' }), drug('AMP', '4', 'S')]);
  t.equal(unknown.report.organisms, undefined);
  t.match(unknown.report.items, [{ key: 'AMP' }]);
  t.end();
});

t.test('two isolates that the link does not tell apart are not guessed', (t) => {
  const { report } = only([
    msh,
    pid,
    pv1,
    culture,
    grew('', 'ECO^大肠埃希菌'),
    grew('', 'SAU^金黄色葡萄球菌'),
    tested('', { 20: 'R1' }),
    drug('AMP', '4', 'S'),
  ]);
  t.equal(report.organisms, undefined);
  t.ok(report.items.some(({ key }) => key === 'AMP'));
  t.end();
});

t.test('a reflex test points at a result and is no susceptibility', (t) => {
  const reading = read([
    msh,
    pid,
    pv1,
    obr({ 2: 'A1', 4: 'HIV^筛查', 20: 'R1' }),
    'OBX|1|CE|HIV^HIV抗体||R^有反应||||||F',
    obr({ 2: 'A2', 4: 'WB^确证', 20: 'R2', 26: 'HIV&HIV抗体' }),
    'OBX|1|ST|WB^确证||阴性|||N|||F',
  ]);
  t.same(outcomes(reading), ['publish R1', 'publish R2']);
  t.notMatch(JSON.stringify(reading), /organisms/);
  t.end();
});

t.test('Chinese senders name organism and drug in one OBX where OBR-4.3 is MIC', (t) => {
  const mic = (drugName: string, organism: string, value: string, result: string, status = 'F'): string =>
    `OBX|1|ST|${drugName}^${drugName}^^${organism}^${organism}菌||${value}|mg/L||${result}|||${status}||>10^5`;
  const head = obr({ 2: 'A1', 4: 'XJ^细菌培养^MIC', 20: 'R1' });
  const statement = only([
    msh,
    pid,
    pv1,
    head,
    mic('AMK', 'ECO', '<=2', 'S'),
    mic('AMP', 'ECO', '>=32', 'R'),
    mic('VAN', 'EFA', '1', 'S'),
    mic('TEC', 'EFA', '1', 'S', 'D'),
  ]);
  t.match(statement.report, {
    items: [],
    organisms: [
      {
        key: 'ECO',
        organism: { code: 'ECO', name: 'ECO菌' },
        quantity: '>10^5',
        susceptibilities: [
          { drug: { code: 'AMK', name: 'AMK' }, value: '<=2', unit: 'mg/L', result: 'S' },
          { drug: { code: 'AMP' }, value: '>=32', result: 'R' },
        ],
      },
      { key: 'EFA', susceptibilities: [{ drug: { code: 'VAN' } }] },
    ],
  });
  t.same(statement.itemActions, { 'EFA|TEC': 'remove-item' }, 'a deleted row goes, its organism stays');
  t.same(statement.findings, [], 'S and R are no flags that the table lacks');
  t.same(
    only([msh, pid, pv1, head, mic('AMK', 'ECO', '2', 'S', 'D'), mic('VAN', 'EFA', '1', 'S')]).itemActions,
    { 'ECO|AMK': 'remove-item', 'ECO|': 'remove-item' },
    'the organism goes with the last of its drugs',
  );
  const again = only([msh, pid, pv1, head, mic('AMK', 'ECO', '2', 'S', 'D'), mic('AMK', 'ECO', '64', 'R')]);
  t.same(again.itemActions, {}, 'a deleted row beside another of its drug is its former value');
  t.match(again.report.organisms, [{ susceptibilities: [{ drug: { code: 'AMK' }, value: '64', result: 'R' }] }]);
  const textOnly = only([msh, pid, pv1, head, 'OBX|1|ST|JG^培养结果||无细菌生长||||||F']);
  t.match(textOnly.report, { items: [{ key: 'JG', value: '无细菌生长' }], organisms: undefined });
  const ordinary = only([msh, pid, pv1, obr({ 4: 'X^x^Ordinary', 20: 'R1' }), mic('K', '钾', '4', '')]);
  t.equal(ordinary.report.organisms, undefined, 'elsewhere OBX-3.4 is another name of the item');
  t.end();
});

t.test('the same organism of two bottles in one report is two, each with its own drugs', (t) => {
  const bottle = (filler: string, name: string): string => obr({ 2: 'A1', 3: filler, 4: name, 20: 'R1' });
  const ast = (filler: string): string =>
    obr({ 2: 'A2', 3: `AST${filler}`, 4: 'AST^药敏', 26: '600-7&细菌鉴定&LN^1', 29: `^${filler}` });
  const { report } = only([
    msh,
    pid,
    pv1,
    bottle('F1', 'BC1^血培养(左臂)'),
    grew('1', 'ECO^大肠埃希菌'),
    bottle('F2', 'BC2^血培养(右臂)'),
    grew('1', 'ECO^大肠埃希菌'),
    ast('F1'),
    drug('AMP', '>=32', 'R'),
    drug('CIP', '0.25', 'S'),
    ast('F2'),
    drug('AMP', '<=2', 'S'),
    drug('CIP', '>=4', 'R'),
  ]);
  t.same(
    report.organisms?.map(({ key, susceptibilities }) => [
      key,
      ...susceptibilities.map(({ drug, result }) => `${drug.code} ${result}`),
    ]),
    [
      ['ECO/1', 'AMP R', 'CIP S'],
      ['ECO/1#2', 'AMP S', 'CIP R'],
    ],
  );
  t.end();
});

t.test('organism and drug in one OBX: two orders with the same drugs are two cultures, with others one', (t) => {
  const mic = (drugName: string, result: string): string =>
    `OBX|1|ST|${drugName}^${drugName}^^ECO^大肠埃希菌||1|mg/L||${result}|||F`;
  const head = (name: string): string => obr({ 2: 'A1', 4: `XP^${name}^MIC`, 20: 'R1' });
  const keys = (...rows: string[]) => only([msh, pid, pv1, ...rows]).report.organisms?.map(({ key }) => key);
  t.same(keys(head('左'), mic('AMP', 'R'), mic('CIP', 'S'), head('右'), mic('CIP', 'R')), ['ECO', 'ECO#2']);
  t.same(keys(head('一'), mic('AMP', 'R'), head('二'), mic('CIP', 'S')), ['ECO']);
  t.end();
});
