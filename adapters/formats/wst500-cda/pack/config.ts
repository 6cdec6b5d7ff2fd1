import { z } from 'zod';
import { evidenceGrades } from '../../../../agent/clinical/codes/tables.ts';
import { type ElementKey, elementKeys, rules } from '../elements.ts';

const oid = z.string().regex(/^[0-2](?:\.(?:0|[1-9][0-9]*))+$/);
const text = z.string().trim().min(1);
/** What stands for something missing, in ids, names and a phone number (a URI to the schema) alike. */
const placeholder = z.string().regex(/^(?!\/\/)[\p{L}\p{N}/-]{1,20}$/u);
const organizationCodes = z.record(text, z.string().regex(/^[0-9A-Za-z-]+$/));

const proof = { evidence: z.enum(evidenceGrades), source: text };
/** A value of a pack: never without its evidence and the key of its source. */
const valued = <T extends z.ZodType>(value: T) => z.strictObject({ value, ...proof });

const numberSources = ['outpatient', 'inpatient', 'visit', 'in-house', 'medical-record', 'card', 'other'] as const;
const numbers = z.strictObject({
  outpatient: z.array(z.enum(numberSources)).min(1),
  emergency: z.array(z.enum(numberSources)).min(1),
  inpatient: z.array(z.enum(numberSources)).min(1),
  checkup: z.array(z.enum(numberSources)).min(1),
});

const resultText = z.enum(['all-items', 'unquantified']);
const itemCode = z.enum(['local', 'standard']);

const titledSections = z.enum(['with-findings', 'readable']);
const bodyPart = z.enum(['target-site', 'readable']);
const orderedAtFrom = z.array(z.enum(['orderedAt', 'performedAt', 'reportedAt', 'documentTime'])).min(1);
const signers = z.strictObject({ auditor: text, technician: text, reporter: text });

const elementRule = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('identity'), ...proof }),
  z.strictObject({ role: z.literal('context'), missing: z.enum(rules), ...proof }),
  z.strictObject({ role: z.literal('optional'), missing: z.enum(rules), ...proof }),
]);

/** The YAML of a province pack of this format: config/provinces/<name>/pack.yaml. */
export const packSchema = z.strictObject({
  pack: z.string().regex(/^[a-z0-9-]+$/),
  format: z.literal('wst500-cda'),
  /** Sources by the short key that values name. */
  sources: z.record(z.string().regex(/^[a-z0-9-]+$/), text),
  values: z.strictObject({
    form: valued(z.enum(['base', 'strict'])),
    titles: valued(z.strictObject({ C0006: text, C0007: text })),
    missing_value: valued(placeholder),
    icd_oid: valued(oid),
    icd_name: valued(text),
    result_text: valued(resultText),
    item_code: valued(itemCode),
    category_from: valued(z.array(z.enum(['category', 'panel'])).min(1)),
    encounter_numbers: valued(numbers),
    titled_sections: valued(titledSections),
    body_part: valued(bodyPart),
    ordered_at_from: valued(orderedAtFrom),
    signer_titles: valued(z.strictObject({ C0006: signers, C0007: signers })),
    set_id_root: valued(oid),
  }),
  elements: z.strictObject(
    Object.fromEntries(elementKeys.map((key) => [key, elementRule])) as Record<ElementKey, typeof elementRule>,
  ),
});
export type PackFile = z.infer<typeof packSchema>;

/** The platform's own values in the configuration, laid over the pack. */
export const overlaySchema = z.strictObject({
  missing_value: placeholder.optional(),
  icd_oid: oid.optional(),
  icd_name: text.optional(),
  result_text: resultText.optional(),
  item_code: itemCode.optional(),
  titled_sections: titledSections.optional(),
  body_part: bodyPart.optional(),
  ordered_at_from: orderedAtFrom.optional(),
  encounter_numbers: numbers.partial().optional(),
  /** The site's organisation code → the code this platform knows the site by (18, 22 … characters). */
  organization_codes: organizationCodes.optional(),
});
export type Overlay = z.infer<typeof overlaySchema>;
export type OrderedAtSource = z.infer<typeof orderedAtFrom>[number];
export type NumberSource = (typeof numberSources)[number];
