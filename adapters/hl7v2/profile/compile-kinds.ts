import {
  documentSegments,
  drugSegments,
  itemSegments,
  mergeSegments,
  orderSegments,
  type PathsAt,
  patientSegments,
} from './compile-paths.ts';
import type { CompiledProfile, ExamPaths } from './rules.ts';
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

/** What the section leaves out is read as `report` says. */
function compileExam({ exam, report }: Profile, at: PathsAt): ExamPaths | undefined {
  if (exam === undefined) return undefined;
  const o = at(orderSegments);
  return {
    service: o.one(['exam', 'service'], exam.service),
    number: o.required(['exam', 'number'], exam.number ?? report.number),
    status: o.required(['exam', 'status'], exam.status ?? report.status),
    orderNumbers: o.one(['exam', 'order_numbers'], exam.order_numbers ?? report.order_numbers),
    accessionNumbers: o.one(['exam', 'accession_numbers'], exam.accession_numbers),
    category: o.coded(['exam', 'category'], exam.category ?? report.category),
    item: o.coded(['exam', 'item'], exam.item ?? report.panel),
    bodyPart: o.coded(['exam', 'body_part'], exam.body_part),
    method: o.coded(['exam', 'method'], exam.method),
    specimen: {
      number: o.one(['exam', 'specimen', 'number'], exam.specimen?.number),
      type: o.coded(['exam', 'specimen', 'type'], exam.specimen?.type),
    },
    orderedAt: o.one(['exam', 'ordered_at'], exam.ordered_at),
    performedAt: o.one(['exam', 'performed_at'], exam.performed_at),
    reportedAt: o.one(['exam', 'reported_at'], exam.reported_at ?? report.reported_at),
    auditedAt: o.one(['exam', 'audited_at'], exam.audited_at ?? report.audited_at),
    orderedBy: o.person(['exam', 'ordered_by'], exam.ordered_by ?? report.ordered_by),
    performedBy: o.person(['exam', 'performed_by'], exam.performed_by ?? report.technician),
    reportedBy: o.person(['exam', 'reported_by'], exam.reported_by ?? report.reported_by),
    auditedBy: o.person(['exam', 'audited_by'], exam.audited_by ?? report.audited_by),
    orderingDepartment: o.coded(
      ['exam', 'ordering_department'],
      exam.ordering_department ?? report.ordering_department,
    ),
    performingDepartment: o.coded(
      ['exam', 'performing_department'],
      exam.performing_department ?? report.performing_department,
    ),
  };
}

function compileMicrobiology({ microbiology, items }: Profile, at: PathsAt): Kinds['microbiology'] {
  if (microbiology === undefined) return undefined;
  const x = at(itemSegments);
  const { inline } = microbiology;
  const where = ['microbiology', 'inline'];
  return {
    results: new Set(microbiology.results),
    result: x.one(['microbiology', 'result'], microbiology.result ?? items.flag),
    inline: inline && {
      when: at(orderSegments).required([...where, 'when'], inline.when),
      values: new Set(inline.values),
      organism: x.coded([...where, 'organism'], inline.organism),
      isolate: x.one([...where, 'isolate'], inline.isolate),
      quantity: x.one([...where, 'quantity'], inline.quantity),
      drug: x.coded([...where, 'drug'], inline.drug),
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
  const o = at(orderSegments);
  return {
    number: o.required(['order', 'number'], order.number),
    control: o.required(['order', 'control'], order.control),
    fillerNumber: o.one(['order', 'filler_number'], order.filler_number),
    item: o.coded(['order', 'item'], order.item),
    category: o.coded(['order', 'category'], order.category),
    priority: o.one(['order', 'priority'], order.priority),
    specimen: {
      number: o.one(['order', 'specimen', 'number'], order.specimen?.number),
      type: o.coded(['order', 'specimen', 'type'], order.specimen?.type),
    },
    orderedAt: o.one(['order', 'ordered_at'], order.ordered_at),
    orderedBy: o.person(['order', 'ordered_by'], order.ordered_by),
    orderingDepartment: o.coded(['order', 'ordering_department'], order.ordering_department),
    reason: o.one(['order', 'reason'], order.reason),
  };
}

function compilePrescription({ prescription }: Profile, at: PathsAt): Kinds['prescription'] {
  if (prescription === undefined) return undefined;
  const d = at(drugSegments);
  return {
    number: d.required(['prescription', 'number'], prescription.number),
    control: d.required(['prescription', 'control'], prescription.control),
    drug: d.coded(['prescription', 'drug'], prescription.drug),
    dose: d.one(['prescription', 'dose'], prescription.dose),
    doseUnit: d.one(['prescription', 'dose_unit'], prescription.dose_unit),
    form: d.coded(['prescription', 'form'], prescription.form),
    route: d.coded(['prescription', 'route'], prescription.route),
    frequency: d.one(['prescription', 'frequency'], prescription.frequency),
    startAt: d.one(['prescription', 'start_at'], prescription.start_at),
    endAt: d.one(['prescription', 'end_at'], prescription.end_at),
    instructions: d.one(['prescription', 'instructions'], prescription.instructions),
    orderedAt: d.one(['prescription', 'ordered_at'], prescription.ordered_at),
    orderedBy: d.person(['prescription', 'ordered_by'], prescription.ordered_by),
  };
}

function compileDocument({ document }: Profile, at: PathsAt): Kinds['document'] {
  if (document === undefined) return undefined;
  const t = at(documentSegments);
  return {
    number: t.required(['document', 'number'], document.number),
    parentNumber: t.one(['document', 'parent_number'], document.parent_number),
    status: t.required(['document', 'status'], document.status),
    type: t.coded(['document', 'type'], document.type),
    title: t.one(['document', 'title'], document.title),
    authoredAt: t.one(['document', 'authored_at'], document.authored_at),
    author: t.person(['document', 'author'], document.author),
  };
}
