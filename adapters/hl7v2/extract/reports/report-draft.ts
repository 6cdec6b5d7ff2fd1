import { compareTimes } from '../../../../agent/clinical/records/time.ts';
import type { Coded, ExamReport, LabReport } from '../../../../agent/clinical/records/types.ts';
import type { StatusAction } from '../../../../agent/clinical/reports/types.ts';
import { valueAt } from '../../parser.ts';
import type { ReportHeaderPaths } from '../../profile/rules.ts';
import { codedOf, type Extraction, personOf, timeOf, valueBy } from '../reading.ts';
import { roleOf } from './exam-sections.ts';
import { type OrganismLink, OrganismLinks } from './microbiology.ts';
import { declaresNumber, insteadOfValue } from './observation-value.ts';
import type { OrderGroup } from './result-groups.ts';

/** One OBR as part of a report. */
export interface DraftOrder {
  group: OrderGroup;
  /** Set when its results are the susceptibilities of what grew in another order. */
  organism: OrganismLink | undefined;
}

/** The OBRs of one message that state the same report. */
export interface ReportDraft {
  number: string;
  kind: 'lab' | 'exam';
  orders: DraftOrder[];
}

export interface Drafts {
  drafts: ReportDraft[];
  /** Orders without report number (MAP-3008). */
  unnumbered: number;
  /** Rules that filtered orders that are no report. */
  rules: Set<string>;
}

/**
 * Sorts the orders of a patient by report number, in the order they come. Susceptibilities belong to the report of the
 * culture they point at. A report is an exam as soon as one of its orders is.
 */
export function draftReports(x: Extraction, orders: readonly OrderGroup[], enter: (order: OrderGroup) => void): Drafts {
  const drafts = new Map<string, ReportDraft>();
  const draftOf = new Map<OrderGroup, ReportDraft>();
  const rules = new Set<string>();
  const links = new OrganismLinks(x, orders);
  let unnumbered = 0;
  for (const [at, group] of orders.entries()) {
    enter(group);
    const rule = deviceRule(x, group);
    if (rule !== undefined) {
      rules.add(rule);
      continue;
    }
    const organism = links.of(group, at);
    // Looking for the organism and for titles moves the current OBX, never the order.
    const kind = kindOf(x, group);
    const parent = organism?.culture && draftOf.get(organism.culture);
    const number = parent?.number ?? valueBy(x, kind === 'exam' ? x.rules.exam?.number : x.rules.report.number);
    if (number === undefined) {
      unnumbered++;
      continue;
    }
    const draft = drafts.get(number) ?? { number, kind, orders: [] };
    if (kind === 'exam') draft.kind = 'exam';
    draft.orders.push({ group, organism });
    drafts.set(number, draft);
    draftOf.set(group, draft);
  }
  return { drafts: [...drafts.values()], unnumbered, rules };
}

/** As the sender's service code says; where it says nothing, whether a result bears the title of a section. */
function kindOf(x: Extraction, group: OrderGroup): 'lab' | 'exam' {
  const { exam, tables } = x.rules;
  if (exam === undefined) return 'lab';
  const service = valueBy(x, exam.service);
  const said = service === undefined ? undefined : tables.services.get(service);
  if (said !== undefined) return said;
  if (tables.examSections.size === 0) return 'lab';
  for (const { obx } of group.results) {
    if (declaresNumber(x.scope.message, obx)) continue; // a number is no text, and most results are numbers
    x.scope.current.OBX = obx;
    const role = roleOf(x);
    if (role !== undefined && role !== 'attachment') return 'exam';
  }
  return 'lab';
}

/** The rule that filters an order of a monitor: nothing but waveforms, or nothing but codes of devices; `*`: whatever it is. */
function deviceRule(x: Extraction, { results }: OrderGroup): string | undefined {
  const [first] = results;
  if (first === undefined) return x.rules.deviceCodings.has('*') ? 'device-observation' : undefined;
  const { message } = x.scope;
  if (results.every(({ obx }) => insteadOfValue(message, obx) === 'waveform')) return 'waveform';
  const ofDevice = ({ obx }: (typeof results)[number]): boolean =>
    x.rules.deviceCodings.has('*') || x.rules.deviceCodings.has(valueAt(message, obx, 3, 1, 3));
  return x.rules.deviceCodings.size > 0 && ofDevice(first) && results.every(ofDevice)
    ? 'device-observation'
    : undefined;
}

/** The action of the whole report; undefined when an order's status is unknown. */
export function combine(
  orders: ReadonlyArray<StatusAction | undefined>,
  retractedByItem: boolean,
): StatusAction | undefined {
  if (retractedByItem || orders.every((action) => action === 'retract')) return 'retract';
  if (orders.includes(undefined)) return undefined;
  return orders.includes('hold') ? 'hold' : 'publish';
}

/** One panel as it is; of several the names together, since one code would name only a part. */
export function joinCoded(panels: readonly Coded[]): Coded | undefined {
  const [first] = panels;
  if (first === undefined || panels.every((p) => p.code === first.code && p.name === first.name)) return first;
  const names = panels.map((panel) => panel.name ?? panel.code ?? '');
  return { name: [...new Set(names)].join('、') };
}

const latest = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && compareTimes(b, a) > 0) ? b : a;

/**
 * Reads what every report says about itself, for one of its orders: the first that any order has counts, of report and
 * audit time the latest.
 */
export function readReportHeader(
  x: Extraction,
  paths: ReportHeaderPaths,
  header: Partial<LabReport | ExamReport>,
): void {
  fill(header, {
    category: codedOf(x, paths.category),
    orderedBy: personOf(x, paths.orderedBy),
    reportedBy: personOf(x, paths.reportedBy),
    auditedBy: personOf(x, paths.auditedBy),
    orderingDepartment: codedOf(x, paths.orderingDepartment),
    performingDepartment: codedOf(x, paths.performingDepartment),
  });
  header.reportedAt = latest(header.reportedAt, timeOf(x, paths.reportedAt, 'reportedAt'));
  header.auditedAt = latest(header.auditedAt, timeOf(x, paths.auditedAt, 'auditedAt'));
}

/** Sets what is not set yet. */
export function fill<T extends object>(target: T, source: Partial<T>): void {
  for (const key of Object.keys(source) as Array<keyof T>) {
    if (target[key] === undefined && source[key] !== undefined) target[key] = source[key];
  }
}
