import type { ExamReport } from '../../../../agent/clinical/records/types.ts';
import { goldenReport } from './golden-report.ts';

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
  encounter: {
    patientClass: 'inpatient',
    visitNumber: 'JZ20240518001',
    department: { code: '0301', name: '呼吸内科' },
    ward: { code: 'W03' },
    bed: '12',
    diagnoses: [],
  },
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
