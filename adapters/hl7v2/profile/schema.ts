import { z } from 'zod';
import { isTimeZone } from '../../../agent/clinical/records/time.ts';
import { bothLanguages } from '../../../agent/support/text.ts';
import { heartbeatSchema, intakeRulesSchema } from './intake-schema.ts';
import {
  documentSchema,
  examSchema,
  mergeSchema,
  microbiologySchema,
  orderSchema,
  prescriptionSchema,
} from './kind-schemas.ts';
import { organisationCodes, organisationSchema } from './organisation-schema.ts';
import { coded, path, person } from './path-schemas.ts';

/** Code as sent → action. The key `missing` stands for an absent code; without it that is held. */
const reportStatuses = z.record(z.string(), z.enum(['publish', 'hold', 'retract']));
const itemStatuses = z.record(z.string(), z.enum(['publish', 'hold', 'remove-item', 'retract']));

const identifierKinds = [
  'in-house',
  'inpatient',
  'outpatient',
  'medical-record',
  'card',
  'health-card',
  'social-security',
  'document',
  'visit',
  'other',
] as const;

/**
 * A source profile (接入规则): how one sender speaks, as data. Strict: an unknown key is an error. Every
 * `path` is an expression of path-syntax.ts and is checked at load.
 */
export const profileSchema = z.strictObject({
  profile_version: z.literal(1),
  /** extend.ts has taken these two away before; here they are for whoever misspells them. */
  extends: z.undefined().optional(),
  drop: z.undefined().optional(),
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,63}$/,
      bothLanguages('只能用小写字母、数字和“-”。', 'may have small letters, digits and "-" only.'),
    ),
  title: z.strictObject({ zh: z.string().min(1), en: z.string().min(1) }),
  /** IANA zone of the sender's times; default: the site's. */
  time_zone: z
    .string()
    .refine(
      isTimeZone,
      bothLanguages('应为 IANA 时区名，如 Asia/Shanghai。', 'must be an IANA time zone, for example Asia/Shanghai.'),
    )
    .optional(),
  intake: intakeRulesSchema.prefault({}),
  corrections: z.enum(['unknown', 'snapshot', 'delta']).default('unknown'),
  /** Tests of one report that come one by one are one report once none came for this long; 0: each is told at once. */
  assembly: z.strictObject({ quiet_seconds: z.number().int().min(0).max(86_400).default(0) }).prefault({}),
  /** Messages of a device about itself (QC, calibration), not about a patient: filtered. */
  quality_control: z
    .strictObject({
      path,
      values: z.array(z.string().min(1)).min(1),
      /** Values that say "a patient". Where these are listed, any other value is held (MAP-3043); absent or empty is a patient's. */
      patient: z.array(z.string().min(1)).min(1).optional(),
    })
    .optional(),
  /** What only says that a device is there: filtered, and not counted as a message of its rhythm. */
  heartbeat: heartbeatSchema.prefault({}),
  /**
   * Coding systems (OBX-3.3) of monitors and pumps: an order of nothing else is filtered, it is no report. `*` stands for
   * every one: nothing of this sender is ever a report.
   */
  device_codings: z.array(z.string().min(1)).default([]),
  /** Dates (yyyyMMdd) that the sender writes when it knows none, for example 19000101. */
  sentinel_dates: z
    .array(
      z
        .string()
        .regex(
          /^\d{8}$/,
          bothLanguages('应为带引号的 8 位日期，如 "19000101"。', 'must be a date of 8 digits in quotes: "19000101".'),
        ),
    )
    .default([]),
  organisation: organisationSchema.optional(),
  patient: z.strictObject({
    /** The number the lane hangs on. */
    in_house: path,
    /** Candidates; one is taken only if its GB 11643 check digit holds. */
    resident_id: z.array(path).default([]),
    identifiers: z.array(z.strictObject({ kind: z.enum(identifierKinds), path })).default([]),
    name: path.optional(),
    sex: path.optional(),
    birth_date: path.optional(),
    phone: path.optional(),
    address: path.optional(),
    /** How long a report waits for demographics that it does not have itself; 0: not at all. */
    park_minutes: z.number().int().min(0).max(10_080).default(0),
  }),
  encounter: z
    .strictObject({
      class: path.optional(),
      visit_number: path.optional(),
      department: coded.optional(),
      ward: coded.optional(),
      room: path.optional(),
      bed: path.optional(),
      admitted_at: path.optional(),
      discharged_at: path.optional(),
      attending: person.optional(),
      /** 院区. */
      campus: coded.optional(),
      /** Read for each DG1. */
      diagnosis: z.strictObject({ code: path.optional(), name: path.optional(), at: path.optional() }).optional(),
    })
    .prefault({}),
  specimen: z
    .strictObject({
      number: path.optional(),
      type: coded.optional(),
      condition: coded.optional(),
      collected_at: path.optional(),
      received_at: path.optional(),
    })
    .prefault({}),
  report: z.strictObject({
    /** 检验报告单号: with the source it is the identity of the report. */
    number: path,
    status: path,
    order_numbers: path.optional(),
    /** Text between several order numbers in one value. */
    order_number_separator: z.string().min(1).default('#'),
    panel: coded.optional(),
    category: coded.optional(),
    conclusion: path.optional(),
    reported_at: path.optional(),
    audited_at: path.optional(),
    ordered_by: person.optional(),
    reported_by: person.optional(),
    audited_by: person.optional(),
    technician: person.optional(),
    ordering_department: coded.optional(),
    performing_department: coded.optional(),
  }),
  /** Read for each OBX. */
  items: z.strictObject({
    code: path.optional(),
    name: path.optional(),
    sub_id: path.optional(),
    value: path,
    unit: path.optional(),
    range: path.optional(),
    flag: path.optional(),
    status: path,
    tested_at: path.optional(),
    method: path.optional(),
    instrument: path.optional(),
    /** OBX that are settings of the device (mode, group), no results: left out of the report. */
    not_results: z
      .strictObject({
        path: path.regex(
          /^OBX-[34](\.\d+)*$/,
          bothLanguages(
            '只能看 OBX-3 或 OBX-4：其他位置说的是结果的值或状态。',
            'must look at OBX-3 or OBX-4: elsewhere stand value and status of a result.',
          ),
        ),
        values: z.array(z.string().min(1)).min(1),
      })
      .optional(),
    /** An OBX without value, flag, range and note: a test that was not done is left out, or kept as an item without value. */
    empty: z.enum(['keep', 'leave-out']).default('keep'),
  }),
  /** What is told in words; without it every result is a laboratory report. */
  exam: examSchema.optional(),
  microbiology: microbiologySchema.optional(),
  merge: mergeSchema.optional(),
  order: orderSchema.optional(),
  prescription: prescriptionSchema.optional(),
  document: documentSchema.optional(),
  tables: z
    .strictObject({
      report_status: reportStatuses,
      item_status: itemStatuses,
      patient_class: z.record(z.string(), z.enum(['outpatient', 'emergency', 'inpatient', 'checkup'])),
      /** To GB/T 2261.1. */
      sex: z.record(z.string(), z.enum(['0', '1', '2', '9'])),
      flags: z.record(z.string(), z.enum(['normal', 'abnormal', 'undetermined'])),
      /** What `exam.service` says; a code that is not here leaves it to the titles. */
      services: z.record(z.string(), z.enum(['exam', 'lab'])).default({}),
      /** Code or title of a section; one of the first three makes a result an exam. */
      exam_sections: z.record(z.string(), z.enum(['findings', 'impression', 'other', 'attachment'])).default({}),
      /** ORC-1. `ignore`: an answer or a notice that changes nothing, filtered. */
      order_control: z.record(z.string(), z.enum(['publish', 'retract', 'ignore'])).default({}),
      document_status: reportStatuses.default({}),
      organisations: organisationCodes.optional(),
    })
    .catchall(z.record(z.string(), z.string())),
  /** Flags by which the sender itself declares a critical value (危急值). */
  critical_flags: z.array(z.string()).default([]),
});

export type Profile = z.infer<typeof profileSchema>;
