import {
  documentSegments,
  drugSegments,
  itemSegments,
  mergeSegments,
  orderSegments,
  type PathsAt,
  patientSegments,
  type Section,
} from './compile-paths.ts';
import type { CompiledProfile, ExamPaths, ReportHeaderPaths } from './rules.ts';
import type { Profile } from './schema.ts';

type Kinds = Pick<CompiledProfile, 'exam' | 'microbiology' | 'merge' | 'order' | 'prescription' | 'document'>;

/** Compiles the sections of a profile that are about something else than laboratory reports. */
export function compileKinds(profile: Profile, at: PathsAt): Kinds {
  return {
    exam: compileExam(profile, at),
    microbiology: compileMicrobiology(profile, at),
    merge: compileMerge(profile, at),
    order: compileOrder(profile, at),
    prescription: compilePrescription(profile, at),
    document: compileDocument(profile, at),
  };
}

/** What every report says about itself, under the same keys. */
export const compileReportHeader = (report: Section<Profile['report']>): ReportHeaderPaths => ({
  number: report.required('number'),
  status: report.required('status'),
  orderNumbers: report.one('order_numbers'),
  category: report.coded('category'),
  reportedAt: report.one('reported_at'),
  auditedAt: report.one('audited_at'),
  orderedBy: report.person('ordered_by'),
  reportedBy: report.person('reported_by'),
  auditedBy: report.person('audited_by'),
  orderingDepartment: report.coded('ordering_department'),
  performingDepartment: report.coded('performing_department'),
});

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const given = <T extends object>(section: T): Given<T> =>
  Object.fromEntries(Object.entries(section).filter(([, source]) => source !== undefined)) as Given<T>;

/** What the section leaves out is read as `report` says. */
function compileExam(profile: Profile, at: PathsAt): ExamPaths | undefined {
  const { report } = profile;
  if (profile.exam === undefined) return undefined;
  const { item = report.panel, performed_by = report.technician, ...said } = profile.exam;
  const { section } = at(orderSegments);
  const exam = section(['exam'], { ...report, ...given({ ...said, item, performed_by }) });
  const specimen = section(['exam', 'specimen'], said.specimen);
  return {
    ...compileReportHeader(exam),
    service: exam.one('service'),
    accessionNumbers: exam.one('accession_numbers'),
    item: exam.coded('item'),
    bodyPart: exam.coded('body_part'),
    method: exam.coded('method'),
    specimen: { number: specimen.one('number'), type: specimen.coded('type') },
    orderedAt: exam.one('ordered_at'),
    performedAt: exam.one('performed_at'),
    performedBy: exam.person('performed_by'),
  };
}

function compileMicrobiology({ microbiology, items }: Profile, at: PathsAt): Kinds['microbiology'] {
  if (microbiology === undefined) return undefined;
  const { inline } = microbiology;
  const x = at(itemSegments);
  const inOrder = at(orderSegments).section(['microbiology', 'inline'], inline);
  const inItem = x.section(['microbiology', 'inline'], inline);
  return {
    results: new Set(microbiology.results),
    result: x.one(['microbiology', 'result'], microbiology.result ?? items.flag),
    inline: inline && {
      when: inOrder.required('when'),
      values: new Set(inline.values),
      organism: inItem.coded('organism'),
      isolate: inItem.one('isolate'),
      quantity: inItem.one('quantity'),
      drug: inItem.coded('drug'),
    },
  };
}

function compileMerge({ merge }: Profile, at: PathsAt): Kinds['merge'] {
  return (merge?.numbers ?? []).map(({ survivor, retired }, i) => ({
    survivor: at(patientSegments).required(['merge', 'numbers', i, 'survivor'], survivor),
    retired: at(mergeSegments).required(['merge', 'numbers', i, 'retired'], retired),
  }));
}

function compileOrder({ order }: Profile, at: PathsAt): Kinds['order'] {
  if (order === undefined) return undefined;
  const { section } = at(orderSegments);
  const o = section(['order'], order);
  const specimen = section(['order', 'specimen'], order.specimen);
  return {
    number: o.required('number'),
    control: o.required('control'),
    fillerNumber: o.one('filler_number'),
    item: o.coded('item'),
    category: o.coded('category'),
    priority: o.one('priority'),
    specimen: { number: specimen.one('number'), type: specimen.coded('type') },
    orderedAt: o.one('ordered_at'),
    orderedBy: o.person('ordered_by'),
    orderingDepartment: o.coded('ordering_department'),
    reason: o.one('reason'),
  };
}

function compilePrescription({ prescription }: Profile, at: PathsAt): Kinds['prescription'] {
  if (prescription === undefined) return undefined;
  const d = at(drugSegments).section(['prescription'], prescription);
  return {
    number: d.required('number'),
    control: d.required('control'),
    drug: d.coded('drug'),
    dose: d.one('dose'),
    doseUnit: d.one('dose_unit'),
    form: d.coded('form'),
    route: d.coded('route'),
    frequency: d.one('frequency'),
    startAt: d.one('start_at'),
    endAt: d.one('end_at'),
    instructions: d.one('instructions'),
    orderedAt: d.one('ordered_at'),
    orderedBy: d.person('ordered_by'),
  };
}

function compileDocument({ document }: Profile, at: PathsAt): Kinds['document'] {
  if (document === undefined) return undefined;
  const t = at(documentSegments).section(['document'], document);
  return {
    number: t.required('number'),
    parentNumber: t.one('parent_number'),
    status: t.required('status'),
    type: t.coded('type'),
    title: t.one('title'),
    authoredAt: t.one('authored_at'),
    author: t.person('author'),
  };
}
