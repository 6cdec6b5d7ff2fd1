import { z } from 'zod';
import { coded, path, person } from './path-schemas.ts';

/** Sections of a source profile for all that is no laboratory report. Paths left out are read as `report` says, if it does. */

/** Radiology, ultrasound, ECG, endoscopy, pathology. */
export const examSchema = z.strictObject({
  /** Through the table `services`: exam or lab. What it does not say, the titles of the sections do. */
  service: path.optional(),
  number: path.optional(),
  status: path.optional(),
  order_numbers: path.optional(),
  accession_numbers: path.optional(),
  category: coded.optional(),
  item: coded.optional(),
  body_part: coded.optional(),
  method: coded.optional(),
  specimen: z.strictObject({ number: path.optional(), type: coded.optional() }).optional(),
  ordered_at: path.optional(),
  performed_at: path.optional(),
  reported_at: path.optional(),
  audited_at: path.optional(),
  ordered_by: person.optional(),
  performed_by: person.optional(),
  reported_by: person.optional(),
  audited_by: person.optional(),
  ordering_department: coded.optional(),
  performing_department: coded.optional(),
});

/**
 * Cultures. `results` are the flags that say how a drug works (S, I, R). An order that points at a result of another
 * (OBR-26) and has one of them is the susceptibility of what grew there. `inline` is for senders that put the organism
 * beside each drug.
 */
export const microbiologySchema = z.strictObject({
  results: z.array(z.string().min(1)).default([]),
  /** Where the flag of a drug stands; default: `items.flag`. */
  result: path.optional(),
  inline: z
    .strictObject({
      /** An order is one of susceptibilities when this path gives one of these values. */
      when: path,
      values: z.array(z.string().min(1)).min(1),
      organism: coded,
      /** Tells isolates of one organism apart. */
      isolate: path.optional(),
      quantity: path.optional(),
      drug: coded,
    })
    .optional(),
});

/** In-house numbers of one kind, in PID and in MRG: numbers of two kinds are never taken for two numbers of one patient. */
export const mergeSchema = z.strictObject({
  numbers: z.array(z.strictObject({ survivor: path, retired: path })).min(1),
});

export const orderSchema = z.strictObject({
  number: path,
  /** Through the table `order_control`. */
  control: path,
  filler_number: path.optional(),
  item: coded.optional(),
  category: coded.optional(),
  priority: path.optional(),
  specimen: z.strictObject({ number: path.optional(), type: coded.optional() }).optional(),
  ordered_at: path.optional(),
  ordered_by: person.optional(),
  ordering_department: coded.optional(),
  reason: path.optional(),
});

export const prescriptionSchema = z.strictObject({
  number: path,
  control: path,
  drug: coded.optional(),
  dose: path.optional(),
  dose_unit: path.optional(),
  form: coded.optional(),
  route: coded.optional(),
  frequency: path.optional(),
  start_at: path.optional(),
  end_at: path.optional(),
  instructions: path.optional(),
  ordered_at: path.optional(),
  ordered_by: person.optional(),
});

export const documentSchema = z.strictObject({
  number: path,
  /** Number of the document that this one replaces (T09, T10). */
  parent_number: path.optional(),
  /** Through the table `document_status`. */
  status: path,
  type: coded.optional(),
  title: path.optional(),
  authored_at: path.optional(),
  author: person.optional(),
});
