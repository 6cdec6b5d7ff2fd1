import type { ExamReport, LabReport } from '../../../agent/clinical/records/types.ts';
import type { DataElementKey, OidKey } from './pack/tables.ts';

/** The records that have a document in this format. */
export type Report = LabReport | ExamReport;
export type DocumentCode = 'C0006' | 'C0007';

/** Fewest and most characters of a number that the strict schema takes. */
export interface Length {
  least: number;
  most: number;
}

/** In what one document differs from the other outside the body: all else of the header is the same. */
export interface DocumentType {
  code: DocumentCode;
  template: OidKey;
  reportNumber: OidKey;
  /** What both have, each under a name of its own. */
  elements: Record<'department' | 'organization' | 'remarks', DataElementKey>;
  /** Of the strict schemas (formats.md §1.8, and the schemas themselves). */
  strict: {
    /** Times of diagnosis and item: the day only, or to the second. */
    time: 'day' | 'second';
    auditorId: Length;
    signerId: Length;
    departmentId: Length;
    /** The least age, in whatever unit. */
    leastAge: number;
  };
}

const documents = {
  'exam-report': {
    code: 'C0006',
    template: 'templateC0006',
    reportNumber: 'examReport',
    elements: {
      department: 'examDepartment',
      organization: 'examOrganization',
      remarks: 'examRemarks',
    },
    strict: {
      time: 'second',
      auditorId: { least: 1, most: 36 },
      signerId: { least: 1, most: 36 },
      departmentId: { least: 2, most: 36 },
      leastAge: 1,
    },
  },
  'lab-report': {
    code: 'C0007',
    template: 'templateC0007',
    reportNumber: 'labReport',
    elements: {
      department: 'reportDepartment',
      organization: 'reportOrganization',
      remarks: 'remarks',
    },
    strict: {
      time: 'day',
      auditorId: { least: 2, most: Number.POSITIVE_INFINITY },
      signerId: { least: 1, most: Number.POSITIVE_INFINITY },
      departmentId: { least: 1, most: Number.POSITIVE_INFINITY },
      leastAge: 0,
    },
  },
} as const satisfies Record<Report['kind'], DocumentType>;

/** The document that a record becomes. */
export const documentOf = (report: Report): DocumentType => documents[report.kind];
