import { hash } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { alwaysIdentity, elementKeys, elements } from '../elements.ts';
import { overlaySchema, type PackFile, packSchema } from './config.ts';
import { type CheckedPack, organizationCodeFits } from './pack.ts';

/**
 * Pack and overlay, checked against each other. Throws QianzhiError CFG-5010: `where`
 * is `pack <line>:<column> <path>` or `overlay <path>`, with the nearest known name for an unknown one.
 */
export function checkPack(packText: string, overlay: Record<string, unknown>): CheckedPack {
  const counter = new LineCounter();
  const document = parseDocument(packText, { lineCounter: counter, uniqueKeys: true, schema: 'core' });
  const syntax = document.errors[0];
  if (syntax !== undefined) throw packError(position(counter, syntax.pos[0]));
  const at = (path: PropertyKey[]): string => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return `${position(counter, node.range[0])} ${path.map(String).join('.')}`;
    }
    return `1:1 ${path.map(String).join('.')}`;
  };
  const parsed = packSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success) throw packError(issueAt(parsed.error, packSchema, at));
  const file = parsed.data;
  const over = overlaySchema.safeParse(overlay);
  if (!over.success) {
    const name = issueAt(over.error, overlaySchema, (path) => path.map(String).join('.'));
    throw new QianzhiError('CFG-5010', `overlay ${name}`);
  }
  const form = file.values.form.value;
  for (const key of elementKeys) {
    const rule = file.elements[key];
    const fits = rule.role === 'identity' || (!alwaysIdentity.has(key) && includes(elements[key][form], rule.missing));
    if (!fits) throw packError(at(['elements', key]));
  }
  for (const [path, { source }] of proven(file)) {
    if (!Object.hasOwn(file.sources, source)) throw packError(at([...path, 'source']));
  }
  const organizationCodes = over.data.organization_codes ?? {};
  for (const [site, code] of Object.entries(organizationCodes)) {
    if (!organizationCodeFits(form, code)) throw new QianzhiError('CFG-5010', `overlay organization_codes.${site}`);
  }
  const { values } = file;
  return {
    name: file.pack,
    form,
    titles: values.titles.value,
    missingValue: over.data.missing_value ?? values.missing_value.value,
    icd: { oid: over.data.icd_oid ?? values.icd_oid.value, name: over.data.icd_name ?? values.icd_name.value },
    resultText: over.data.result_text ?? values.result_text.value,
    itemCode: over.data.item_code ?? values.item_code.value,
    categoryFrom: values.category_from.value,
    titledSections: over.data.titled_sections ?? values.titled_sections.value,
    bodyPart: over.data.body_part ?? values.body_part.value,
    orderedAtFrom: over.data.ordered_at_from ?? values.ordered_at_from.value,
    encounterNumbers: { ...values.encounter_numbers.value, ...defined(over.data.encounter_numbers ?? {}) },
    signers: values.signer_titles.value,
    setIdRoot: values.set_id_root.value,
    organizationCodes,
    elements: file.elements,
    hash: hash('sha256', JSON.stringify([packText, canonical(over.data)])),
    unverified: proven(file)
      .filter(([, { evidence }]) => evidence === 'unverified')
      .map(([path]) => path.join('.')),
  };
}

const packError = (where: string) => new QianzhiError('CFG-5010', `pack ${where}`);

const includes = (list: readonly string[], value: string): boolean => list.includes(value);

function position(counter: LineCounter, offset: number): string {
  const { line, col } = counter.linePos(offset);
  return `${line}:${col}`;
}

function proven(file: PackFile): Array<[string[], { evidence: string; source: string }]> {
  return [
    ...Object.entries(file.values).map(([key, value]): [string[], typeof value] => [['values', key], value]),
    ...Object.entries(file.elements).map(([key, value]): [string[], typeof value] => [['elements', key], value]),
  ];
}

const defined = <T extends object>(value: T): { [K in keyof T]: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as { [K in keyof T]: NonNullable<T[K]> };

/** The first issue as a place; an unknown key with the nearest known one. Names of ours and of the pack, no values. */
function issueAt(error: z.ZodError, schema: z.ZodObject, at: (path: PropertyKey[]) => string): string {
  const issue = error.issues[0];
  if (issue === undefined) return at([]);
  if (issue.code !== 'unrecognized_keys') return at(issue.path);
  const key = issue.keys[0] ?? '';
  const near = nearest(key, knownKeys(schema, issue.path));
  return at([...issue.path, key]) + (near === undefined ? '' : ` → ${near}`);
}

function knownKeys(schema: z.ZodType, path: PropertyKey[]): string[] {
  let here: z.ZodType | undefined = schema;
  for (const step of path) here = here === undefined ? undefined : shapeOf(here)?.[String(step)];
  return here === undefined ? [] : Object.keys(shapeOf(here) ?? {});
}

function shapeOf(schema: z.ZodType): Record<string, z.ZodType> | undefined {
  const { def } = schema as unknown as { def: { innerType?: z.ZodType; shape?: Record<string, z.ZodType> } };
  return def.innerType === undefined ? def.shape : shapeOf(def.innerType);
}

/** The known name at the smallest edit distance, if it is at most a third of the length away. */
function nearest(name: string, known: string[]): string | undefined {
  let best: string | undefined;
  let least = Math.floor(name.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The same overlay in another key order has the same hash. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, canonical(inner)]);
}
