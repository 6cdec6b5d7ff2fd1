import type { ExamReport, LabItem, LabReport, Organism, Patient } from '../../../../agent/clinical/records/types.ts';

/** Records in short form. */

export const patient: Patient = { identifiers: [{ kind: 'in-house', value: 'P1', source: 'PID-2' }] };

/** `K 4.2` → a result; `K` → one without a value. */
const item = (text: string): LabItem => {
  const [code = '', value] = text.split(' ');
  return { key: code, item: { code }, ...(value && { value }), numeric: true, notes: [] };
};

/** `ECO AMP R CIP S` → an organism and what it was tested with. */
const organism = (text: string): Organism => {
  const [code = '', ...words] = text.split(' ');
  const susceptibilities = words.flatMap((drug, i) =>
    i % 2 === 0 ? [{ drug: { code: drug }, result: words[i + 1] ?? '' }] : [],
  );
  return { key: code, organism: { code }, susceptibilities };
};

/** An organism in the same short form. */
export const grown = ({ key, susceptibilities }: Organism): string =>
  [key, ...susceptibilities.map(({ drug, result }) => `${drug.code} ${result}`)].join(' ');

/** A laboratory report of such results and, as `grew`, of such organisms. */
export const lab = (items: string[], more: Partial<LabReport> & { grew?: string[] } = {}): LabReport => {
  const { grew, ...rest } = more;
  return {
    kind: 'lab-report',
    reportNumber: 'R1',
    orderNumbers: [],
    patient,
    encounter: { diagnoses: [] },
    specimen: {},
    items: items.map(item),
    ...(grew && { organisms: grew.map(organism) }),
    remarks: [],
    ...rest,
  };
};

/** `impression 肺炎` → an examination with this section. */
export const exam = (...sections: string[]): ExamReport => ({
  kind: 'exam-report',
  reportNumber: 'E1',
  orderNumbers: [],
  accessionNumbers: [],
  patient,
  encounter: { diagnoses: [] },
  sections: sections.map((line) => {
    const [key = '', text = ''] = line.split(' ');
    const role = key === 'findings' || key === 'impression' ? key : 'other';
    return { key, role, title: { name: key }, text };
  }),
  remarks: [],
});
