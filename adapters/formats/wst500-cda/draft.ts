import type { Finding } from '../../../agent/clinical/records/types.ts';
import type { RenderInput } from '../../../agent/rendering/format.ts';
import { unitAt } from '../../../agent/support/code-units.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { el, pattern, type XmlElement, type XmlNode } from '../xml.ts';
import type { DocumentType, Length, Report } from './document-types.ts';
import type { ElementKey } from './elements.ts';
import type { Pack } from './pack/pack.ts';
import { realTime } from './times.ts';

/** One document being written: what goes in, and the findings that come out beside it. */
export interface Draft<R extends Report = Report> {
  pack: Pack;
  /** The document that the report becomes. */
  type: DocumentType;
  report: R;
  input: RenderInput;
  /** The organisation code as this platform knows it. */
  orgCode: string;
  /** Document time, yyyyMMddHHmmss. */
  time: string;
  findings: Finding[];
}

/** What an element says: a text, an explicit nothing, or nothing at all. */
export type Said = { text: string } | 'null' | undefined;

/** The text if it says anything; blank counts as absent. */
export function stated(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  const first = unitAt(value, 0);
  const certain = first > 0x20 && first < 0x80; // printable ASCII, as most begin: no need to look further
  return certain || value.trim() !== '' ? value : undefined;
}

/** Adds a finding once; `where` is a model path, never a value. */
export function note(draft: Draft, code: string, where: string, dimension: Finding['dimension']): void {
  if (draft.findings.some((known) => known.code === code && known.where === where)) return;
  draft.findings.push({ code, where, dimension });
}

/**
 * What the element says, or what the pack puts in its place. Throws QianzhiError MAP-3009 when the
 * pack marks it identity. `part` names the half of a pair (`id`, `name`) in the finding; the absence of
 * what is not `expected` of this patient or report is none.
 */
export function say(draft: Draft, key: ElementKey, value: string | undefined, part?: string, expected = true): Said {
  const text = stated(value);
  if (text !== undefined) return { text };
  const rule = draft.pack.elements[key];
  const where = part === undefined ? key : `${key}.${part}`;
  if (rule.role === 'identity') throw new QianzhiError('MAP-3009', where);
  if (rule.role === 'context' && expected) note(draft, 'MAP-3020', where, 'completeness');
  if (rule.missing === 'omit') return undefined;
  return rule.missing === 'nullFlavor' ? 'null' : { text: draft.pack.missingValue };
}

/** An identity element's text. Throws QianzhiError MAP-3009. */
export function must(where: ElementKey, value: string | undefined): string {
  const text = stated(value);
  if (text === undefined) throw new QianzhiError('MAP-3009', where);
  return text;
}

/** A number that the strict schema takes. One too short or too long cannot be changed, so it counts as missing. */
export function fitting(
  draft: Draft,
  where: string,
  number: string | undefined,
  { least, most }: Length,
): string | undefined {
  if (draft.pack.form === 'base' || stated(number) === undefined) return number;
  const { length } = [...(number ?? '')];
  if (length >= least && length <= most) return number;
  note(draft, 'MAP-3020', where, 'completeness');
  return undefined;
}

/** `NA` where the strict schema takes no placeholder as short as the pack's. */
export const longEnough = (draft: Draft, said: Said, { least }: Length): Said =>
  draft.pack.form === 'strict' && said !== undefined && said !== 'null' && [...said.text].length < least
    ? { text: 'NA' }
    : said;

/** A time of the record; one that is no real time counts as absent and is a finding. */
export function timeOf(draft: Draft, key: ElementKey | 'auditedAt', value: string | undefined): string | undefined {
  const time = realTime(stated(value));
  if (time === undefined && stated(value) !== undefined) note(draft, 'MAP-3012', key, 'accuracy');
  return time;
}

/** No information given (HL7 v3 NullFlavor): the base form's explicit nothing. */
const noInformation = { nullFlavor: 'NI' };

const id = pattern<[extension: string, root: string]>(2, (extension = '', root = '') => el('id', { extension, root }));
const name = pattern<[text: string]>(1, (text = '') => el('name', {}, text));

export const idElement = (root: string, said: Said): XmlNode | undefined => {
  if (said === undefined) return undefined;
  return said === 'null' ? el('id', noInformation) : id(said.text, root);
};

export const nameElement = (said: Said): XmlNode | undefined => {
  if (said === undefined) return undefined;
  return said === 'null' ? el('name', noInformation) : name(said.text);
};

/** Id and name of the organisation that the document is made for. */
export const hospital = (draft: Draft): Array<XmlNode | undefined> => [
  idElement(draft.pack.tables.oid.organization.oid, { text: draft.orgCode }),
  nameElement({ text: must('site.name', draft.input.site.name) }),
];

/** A `time` of a signature or author: strict forbids the value (formats.md §1.8). */
export const signatureTime = (draft: Draft, time: string | undefined): XmlElement => {
  if (draft.pack.form === 'strict') return el('time');
  return time === undefined ? el('time', noInformation) : el('time', { value: time });
};

export const nullValue = (type: string): XmlElement => el('value', { 'xsi:type': type, ...noInformation });
