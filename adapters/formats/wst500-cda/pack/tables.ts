import { type CodeTable, loadCodeTable } from '../../../../agent/clinical/codes/tables.ts';
import type { ReadAsset } from '../../../../agent/support/assets.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { el, shared, type XmlElement } from '../../xml.ts';

/** The rows a document is made from, by our own key; `config/codes` holds them with their sources. */
const oidKeys = [
  'documentId',
  'residentId',
  'signer',
  'organization',
  'author',
  'outpatientNumber',
  'inpatientNumber',
  'specimen',
  'room',
  'bed',
  'order',
  'department',
  'ward',
  'examReport',
  'labReport',
  'typeId',
  'templateC0006',
  'templateC0007',
  'dataElements',
  'documentCodes',
  'confidentiality',
  'loinc',
  'sex',
  'patientType',
  'resultCode',
] as const;
const dataElementKeys = [
  'diagnosis',
  'method',
  'category',
  'item',
  'specimenType',
  'specimenCondition',
  'resultCode',
  'quantity',
  'unit',
  'resultText',
  'reportDepartment',
  'reportOrganization',
  'remarks',
  'chiefComplaint',
  'symptoms',
  'specialExamination',
  'examMethod',
  'examCategory',
  'examItem',
  'examResultCode',
  'treatment',
  'examFindings',
  'examImpression',
  'examDepartment',
  'examOrganization',
  'examRemarks',
] as const;
const sectionKeys = [
  'diagnosis',
  'studies',
  'report',
  'chiefComplaint',
  'symptoms',
  'examination',
  'treatment',
  'examReport',
] as const;

export type OidKey = (typeof oidKeys)[number];
export type DataElementKey = (typeof dataElementKeys)[number];
export type SectionKey = (typeof sectionKeys)[number];

interface Named {
  code: string;
  name: string;
}

export interface Tables {
  oid: Record<OidKey, { oid: string; name: string }>;
  /** The `code` element of an observation, by what it observes. */
  dataElement: Record<DataElementKey, XmlElement>;
  section: Record<SectionKey, Named>;
  sex(code: string): Named | undefined;
  patientType(patientClass: string): Named | undefined;
  labResult(interpretation: string): Named | undefined;
  /** The text of every table, for the pack's hash. */
  texts: string[];
  /** `codes/<table>:<key>` of rows that no source verifies. */
  unverified: string[];
}

/** Loads the code tables of this format. Throws QianzhiError CFG-5010 when a row is missing or malformed. */
export function loadTables(readAsset: ReadAsset): Tables {
  const texts: string[] = [];
  const unverified: string[] = [];
  const load = (id: string, key: string): CodeTable => {
    const { table, text } = loadCodeTable(id, key, readAsset);
    texts.push(text);
    for (const row of table.rows) {
      if (row.evidence === 'unverified') unverified.push(`codes/${id}:${row[key]}`);
    }
    return table;
  };
  const pick = <K extends string, V>(table: CodeTable, keys: readonly K[], read: (cell: Cell) => V): Record<K, V> =>
    Object.fromEntries(
      keys.map((key) => {
        const row = table.by('key', key);
        if (row === undefined) throw new QianzhiError('CFG-5010', `codes/${table.id}:${key}`);
        return [key, read((column) => row[column] ?? '')];
      }),
    ) as Record<K, V>;
  const named = (table: CodeTable, column: string) => (value: string) => {
    const row = table.by(column, value);
    return row === undefined ? undefined : { code: row.code ?? '', name: row.name ?? '' };
  };
  const oids = pick(load('oids', 'key'), oidKeys, (cell) => ({ oid: cell('oid'), name: cell('name') }));
  for (const [key, { oid }] of Object.entries(oids)) {
    if (!/^[0-2](?:\.(?:0|[1-9][0-9]*))+$/.test(oid)) throw new QianzhiError('CFG-5010', `codes/oids:${key}`);
  }
  return {
    oid: oids,
    dataElement: pick(load('data-elements', 'key'), dataElementKeys, (cell) =>
      shared(
        el('code', {
          code: cell('code'),
          codeSystem: oids.dataElements.oid,
          codeSystemName: oids.dataElements.name,
          displayName: cell('name'),
        }),
      ),
    ),
    section: pick(load('document-sections', 'key'), sectionKeys, (cell) => ({
      code: cell('code'),
      name: cell('name'),
    })),
    sex: named(load('sex', 'code'), 'code'),
    patientType: named(load('patient-type', 'code'), 'class'),
    labResult: named(load('lab-result', 'code'), 'interpretation'),
    texts,
    unverified,
  };
}

type Cell = (column: string) => string;
