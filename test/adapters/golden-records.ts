import type { Encounter, ExamReport, LabItem, LabReport } from '../../agent/clinical/records/types.ts';

/** Visit of both golden messages; the laboratory's says the admission too. */
const visit: Encounter = {
  patientClass: 'inpatient',
  visitNumber: 'JZ20240518001',
  department: { code: '0301', name: '呼吸内科' },
  ward: { code: 'W03' },
  bed: '12',
  diagnoses: [],
};

const item = (code: string, name: string, value: string, rest: Partial<LabItem>): LabItem => ({
  key: code,
  item: { code, name },
  value,
  numeric: /^\d+(\.\d+)?$/.test(value),
  testedAt: '20240520093000',
  notes: [],
  ...rest,
});

/** What the golden HL7 laboratory message carries (fictitious patient), as the mapper is to read it. */
export const goldenReport: LabReport = {
  kind: 'lab-report',
  reportNumber: 'LR20240520001',
  orderNumbers: ['AP20240520001'],
  patient: {
    identifiers: [
      { kind: 'in-house', value: 'P0001234', source: 'PID-2' },
      { kind: 'inpatient', value: 'ZY20240001', source: 'PID-3[1].1' },
      { kind: 'card', value: '8800012345', source: 'PID-3[3].1' },
      { kind: 'resident-id', value: '110101199003077213', source: 'PID-3[2].1' },
    ],
    name: '测试患者',
    sex: { code: 'M', standard: { code: '1', name: '男性', table: 'sex' } },
    birthDate: '19900307',
    phone: '13800000000',
    address: '示例省示例市示例路1号',
  },
  encounter: { ...visit, admittedAt: '20240518090000' },
  panel: { code: 'XCG', name: '血常规' },
  specimen: {
    number: 'SP20240520001',
    type: { code: '04', name: '静脉全血' },
    collectedAt: '20240520080500',
    receivedAt: '20240520083000',
  },
  items: [
    item('WBC', '白细胞计数', '12.5', {
      unit: '10^9/L',
      referenceRange: '3.5-9.5',
      flag: 'H',
      interpretation: 'abnormal',
    }),
    item('HGB', '血红蛋白', '140', {
      unit: 'g/L',
      referenceRange: '130-175',
      flag: 'N',
      interpretation: 'normal',
    }),
    item('CRP-Q', 'C反应蛋白定性', '阳性', { referenceRange: '阴性', flag: 'A', interpretation: 'abnormal' }),
  ],
  remarks: [],
  reportedAt: '20240520102000',
  orderedBy: { id: 'D0001', name: '刘主管' },
  reportedBy: { id: 'D1001', name: '王医师' },
  auditedBy: { id: 'D1002', name: '李审核' },
  orderingDepartment: { code: '0301', name: '呼吸内科' },
};

/** What the golden HL7 examination message carries (fictitious patient), as the mapper is to read it. */
export const goldenExam: ExamReport = {
  kind: 'exam-report',
  reportNumber: 'RIS20240520001',
  orderNumbers: ['AP20240520002', 'AP20240520003'],
  accessionNumbers: ['RIS20240520001'],
  patient: {
    identifiers: goldenReport.patient.identifiers.filter(({ kind }) => kind !== 'card'),
    name: '测试患者',
    sex: { code: 'M', standard: { code: '1', name: '男性', table: 'sex' } },
    birthDate: '19900307',
  },
  encounter: visit,
  category: { code: 'CT' },
  item: { code: 'CT001', name: '胸部CT平扫' },
  sections: [
    {
      key: 'findings',
      role: 'findings',
      title: { name: '检查所见' },
      text: '右肺下叶见斑片状高密度影。\n余肺清晰。',
    },
    { key: 'impression', role: 'impression', title: { name: '诊断意见' }, text: '右肺下叶炎症。' },
  ],
  attachments: [{ kind: 'reference', title: '影像URL', source: 'OBX-5' }],
  remarks: [],
  performedAt: '20240520093000',
  reportedAt: '20240520102000',
  reportedBy: { id: 'D3001', name: '赵医师' },
  auditedBy: { id: 'D3002', name: '钱审核' },
};
