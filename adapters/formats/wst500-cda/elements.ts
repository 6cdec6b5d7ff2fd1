export type Form = 'base' | 'strict';

/** What stands for a context element the record lacks. `-` writes the pack's `missing_value`. */
export const rules = ['omit', 'nullFlavor', '-'] as const;
export type Rule = (typeof rules)[number];

/**
 * identity: missing holds the document. context: missing is written by the rule and is a finding.
 * optional: like context, but absence is ordinary and no finding.
 */
export type ElementRule = { role: 'identity' } | { role: 'context' | 'optional'; missing: Rule };

type Allowed = Record<Form, readonly Rule[]>;

const free: Allowed = { base: ['omit', 'nullFlavor', '-'], strict: ['omit', '-'] };
const never: Allowed = { base: [], strict: [] };

/**
 * The elements a pack decides about, by their place in the clinical model, and which rules leave a
 * document that its schema still accepts: base is the 2012 China-extended CDA schema, strict the
 * interoperability schema, which knows no nullFlavor and demands most of the header.
 */
export const elements = {
  'site.orgCode': never,
  'site.name': never,
  'patient.name': never,
  'patient.sex': never,
  'encounter.patientClass': never,
  /** The number of the patient's own class, see `encounter_numbers`. */
  'encounter.number': never,
  /** The number of the other class: an inpatient's outpatient number. */
  'encounter.otherNumber': free,
  reportNumber: never,
  reportedAt: never,
  items: never,
  'items.item': never,
  'items.value': never,
  orderNumbers: free,
  'specimen.number': free,
  'patient.residentId': { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  'patient.phone': { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  /** Feeds the age, a number: no text can stand for it, and strict demands it. */
  'patient.birthDate': { base: ['omit'], strict: [] },
  reportedBy: { base: ['nullFlavor', '-'], strict: ['-'] },
  auditedBy: { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  technician: free,
  orderingDepartment: { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  'encounter.bed': { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  'encounter.room': { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  'encounter.department': { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  'encounter.ward': { base: ['omit', 'nullFlavor', '-'], strict: ['-'] },
  /** No entry: the section stays. A coded diagnosis has no text that could stand for it. */
  'encounter.diagnoses': { base: ['omit'], strict: ['omit'] },
  category: free,
  'items.method': free,
  'items.testedAt': { base: ['omit'], strict: ['omit'] },
  'items.interpretation': { base: ['omit'], strict: ['omit'] },
  'items.unit': free,
  'specimen.type': free,
  'specimen.collectedAt': { base: ['omit'], strict: ['omit'] },
  'specimen.receivedAt': { base: ['omit'], strict: ['omit'] },
  'specimen.condition': free,
  /** Only asked when nothing else stands in the result text, see `result_text`. */
  conclusion: free,
  performingDepartment: free,
  remarks: free,
  /** Of an examination: at least one section that says something. */
  sections: never,
  item: free,
  method: free,
  interpretation: { base: ['omit'], strict: ['omit'] },
  performedAt: { base: ['omit'], strict: ['omit'] },
  /** Strict demands a time to the second beside the department that ordered, see `ordered_at_from`. */
  orderedAt: { base: ['omit'], strict: [] },
  performedBy: free,
  findings: free,
  impression: free,
  /** No record has them: what stands in their place is the pack's alone. */
  specialExamination: free,
  chiefComplaint: free,
  symptoms: free,
  treatment: free,
} as const satisfies Record<string, Allowed>;

export type ElementKey = keyof typeof elements;
export const elementKeys = Object.keys(elements) as ElementKey[];

/** Elements that hold the document when missing, whatever a pack says: without them it could be taken for another's. */
export const alwaysIdentity: ReadonlySet<ElementKey> = new Set(elementKeys.filter((key) => elements[key] === never));
