import { hash } from 'node:crypto';
import type { PatientClass } from '../../../../agent/clinical/records/types.ts';
import type { ReadAsset } from '../../../../agent/support/assets.ts';
import type { DocumentCode } from '../document-types.ts';
import type { ElementKey, ElementRule, Form } from '../elements.ts';
import type { NumberSource, OrderedAtSource } from './config.ts';
import { loadTables, type Tables } from './tables.ts';

/** Raise it when the code writes other bytes for the same input: what is held is then rendered again. */
const writerRevision = 2;

/** Length of the organisation code that the strict schema demands (18-character USCC, formats.md §1.8). */
const strictOrganizationCode = 18;

/** Pack and overlay as checked, plain data: what crosses to the mapping worker. */
export interface CheckedPack {
  name: string;
  form: Form;
  titles: Record<DocumentCode, string>;
  missingValue: string;
  icd: { oid: string; name: string };
  resultText: 'all-items' | 'unquantified';
  itemCode: 'local' | 'standard';
  categoryFrom: Array<'category' | 'panel'>;
  /** Sections of an examination with a title of their own: told after the findings too, or readable only. */
  titledSections: 'with-findings' | 'readable';
  /** Body part of an examination: targetSiteCode of its item (base only), or readable only. */
  bodyPart: 'target-site' | 'readable';
  orderedAtFrom: OrderedAtSource[];
  encounterNumbers: Record<PatientClass, NumberSource[]>;
  signers: Record<DocumentCode, { auditor: string; technician: string; reporter: string }>;
  setIdRoot: string;
  organizationCodes: Record<string, string>;
  elements: Record<ElementKey, ElementRule>;
  /** Of the text of the pack and the overlay. */
  hash: string;
  unverified: string[];
}

/** A pack ready to write documents: with its code tables. */
export interface Pack extends CheckedPack {
  tables: Tables;
}

/** Loads the code tables of a checked pack. Throws QianzhiError CFG-5010 when a row is missing or malformed. */
export function openPack(checked: CheckedPack, readAsset: ReadAsset): Pack {
  const tables = loadTables(readAsset);
  return {
    ...checked,
    tables,
    hash: hash('sha256', JSON.stringify([writerRevision, checked.hash, tables.texts])),
    unverified: [...checked.unverified, ...tables.unverified],
  };
}

/** Whether an organisation code can stand in a document of this form. */
export const organizationCodeFits = (form: Form, code: string): boolean =>
  code.trim() !== '' && (form === 'base' || [...code].length === strictOrganizationCode);
