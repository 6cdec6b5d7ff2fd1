import { pick, type Random } from './people.ts';

/** One item of a panel: numeric with a range, or one of a list of answers. */
export interface PanelItem {
  code: string;
  name: string;
  unit: string;
  range: string;
  /** Usual low and high, and digits after the point; or the answers, the normal one first. */
  values: [low: number, high: number, digits: number] | string[];
}

export interface Panel {
  code: string;
  name: string;
  specimen: [code: string, name: string];
  items: PanelItem[];
}

const n = (code: string, name: string, unit: string, low: number, high: number, digits: number): PanelItem => ({
  code,
  name,
  unit,
  range: `${low.toFixed(digits)}-${high.toFixed(digits)}`,
  values: [low, high, digits],
});
const q = (code: string, name: string, ...values: string[]): PanelItem => ({
  code,
  name,
  unit: '',
  range: values[0]!,
  values,
});

const blood: [string, string] = ['04', '静脉全血'];
const serum: [string, string] = ['01', '血清'];

/** Panels as Chinese laboratories report them; ranges are the usual adult ones, shortened. */
export const panels = {
  bloodCount: {
    code: 'XCG',
    name: '血常规',
    specimen: blood,
    items: [
      n('WBC', '白细胞计数', '10^9/L', 3.5, 9.5, 2),
      n('RBC', '红细胞计数', '10^12/L', 4.3, 5.8, 2),
      n('HGB', '血红蛋白', 'g/L', 130, 175, 0),
      n('HCT', '红细胞压积', '%', 40, 50, 1),
      n('PLT', '血小板计数', '10^9/L', 125, 350, 0),
      n('NEUT%', '中性粒细胞百分比', '%', 40, 75, 1),
      n('LYM%', '淋巴细胞百分比', '%', 20, 50, 1),
    ],
  },
  crp: {
    code: 'CRP',
    name: 'C反应蛋白',
    specimen: blood,
    items: [n('CRP', 'C反应蛋白', 'mg/L', 0, 10, 1), q('CRP-Q', 'C反应蛋白定性', '阴性', '阳性')],
  },
  chemistry: {
    code: 'SH01',
    name: '生化全套',
    specimen: serum,
    items: [
      n('ALT', '丙氨酸氨基转移酶', 'U/L', 9, 50, 0),
      n('AST', '天门冬氨酸氨基转移酶', 'U/L', 15, 40, 0),
      n('TBIL', '总胆红素', 'μmol/L', 5.1, 19, 1),
      n('ALB', '白蛋白', 'g/L', 40, 55, 1),
      n('UREA', '尿素', 'mmol/L', 3.1, 8, 2),
      n('CREA', '肌酐', 'μmol/L', 57, 97, 0),
      n('GLU', '葡萄糖', 'mmol/L', 3.9, 6.1, 2),
      n('K', '钾', 'mmol/L', 3.5, 5.3, 2),
      n('NA', '钠', 'mmol/L', 137, 147, 0),
      n('CL', '氯', 'mmol/L', 99, 110, 0),
    ],
  },
  urine: {
    code: 'NCG',
    name: '尿常规',
    specimen: ['07', '尿液'],
    items: [
      q('PRO', '尿蛋白', '阴性', '阳性(1+)', '弱阳性'),
      q('U-GLU', '尿葡萄糖', '阴性', '阳性(2+)'),
      q('BLD', '隐血', '阴性', '阳性(1+)'),
      q('COLOR', '颜色', '淡黄色', '黄色'),
      n('SG', '比重', '', 1.003, 1.03, 3),
      n('PH', '酸碱度', '', 4.5, 8, 1),
    ],
  },
  clotting: {
    code: 'NX4',
    name: '凝血四项',
    specimen: ['05', '血浆'],
    items: [
      n('PT', '凝血酶原时间', 's', 9.4, 12.5, 1),
      n('INR', '国际标准化比值', '', 0.8, 1.2, 2),
      n('APTT', '活化部分凝血活酶时间', 's', 25.1, 36.5, 1),
      n('FIB', '纤维蛋白原', 'g/L', 2, 4, 2),
    ],
  },
  hepatitis: {
    code: 'YG5',
    name: '乙肝五项',
    specimen: serum,
    items: [
      q('HBsAg', '乙肝表面抗原', '阴性(-)', '阳性(+)'),
      q('HBsAb', '乙肝表面抗体', '阴性(-)', '阳性(+)'),
      n('HBcAb', '乙肝核心抗体', 'S/CO', 0, 1, 2),
    ],
  },
} as const satisfies Record<string, Panel>;

/** One result: the digits as a laboratory would print them, with its flag. */
export interface Result {
  item: PanelItem;
  value: string;
  flag: '' | 'N' | 'H' | 'L' | 'A';
}

/** Draws a value for each item; about one in seven lies outside its range. */
export function drawResults(random: Random, panel: Panel): Result[] {
  return panel.items.map((item) => {
    const outside = random() < 0.15;
    const [low, high, digits] = item.values;
    if (typeof low !== 'number' || typeof high !== 'number' || typeof digits !== 'number') {
      const answers = item.values as string[];
      const value = outside ? pick(random, answers.slice(1)) : answers[0]!;
      return { item, value, flag: value === answers[0] ? 'N' : 'A' };
    }
    const above = random() < 0.5 || low === 0;
    const raw = outside ? (above ? high * (1.05 + random() * 0.4) : low * 0.85) : low + (high - low) * random();
    const value = raw.toFixed(digits);
    return { item, value, flag: Number(value) > high ? 'H' : Number(value) < low ? 'L' : 'N' };
  });
}
