import { hash } from 'node:crypto';
import type { ClinicalRecord, Coded, ExamReport, Finding, LabReport } from '../records/types.ts';
import { ordered } from './ordered.ts';
import { joinOrganisms, missingParts, partsOf, withoutParts } from './parts.ts';

/**
 * SHA-256 (hex) of what a record says. Equal content has an equal hash, whatever the order of keys.
 * Left out are the places values were read from: they say nothing clinical. A message's own time and
 * control id are not part of a record, so a report sent again hashes the same.
 */
export const contentHash = (record: ClinicalRecord): string => hash('sha256', JSON.stringify(ordered(record)));

/**
 * The current version with a delta laid over it: parts by key (new ones at the end), removed ones gone. Of the rest
 * of the report counts what the delta says, else what was said before. A delta that only adds parts is a supplement
 * (another test, a supplementary finding): its conclusion, remarks, order numbers and attachments join those there
 * are and replace none. Records of other kinds than reports are told whole.
 */
export function mergeDelta(
  current: ClinicalRecord,
  delta: ClinicalRecord,
  removed: ReadonlySet<string>,
): ClinicalRecord {
  if (current.kind === 'lab-report' && delta.kind === 'lab-report') return mergeLab(current, delta, removed);
  if (current.kind === 'exam-report' && delta.kind === 'exam-report') return mergeExam(current, delta, removed);
  return delta;
}

function mergeLab(current: LabReport, delta: LabReport, removed: ReadonlySet<string>): LabReport {
  const adds = isSupplement(current, delta, removed);
  const organisms = joinOrganisms(current.organisms ?? [], delta.organisms ?? []);
  return withoutParts(
    {
      ...current,
      ...definedOf(delta),
      patient: delta.patient,
      encounter: delta.encounter,
      panel: adds ? joinCoded(current.panel, delta.panel) : (delta.panel ?? current.panel),
      conclusion: adds ? joinText(current.conclusion, delta.conclusion) : (delta.conclusion ?? current.conclusion),
      specimen: { ...current.specimen, ...definedOf(delta.specimen) },
      items: byKey(current.items, delta.items),
      ...(organisms.length > 0 && { organisms }),
      ...lists(current, delta, adds),
    },
    removed,
  );
}

function mergeExam(current: ExamReport, delta: ExamReport, removed: ReadonlySet<string>): ExamReport {
  const adds = isSupplement(current, delta, removed);
  return withoutParts(
    {
      ...current,
      ...definedOf(delta),
      patient: delta.patient,
      encounter: delta.encounter,
      specimen: delta.specimen ? { ...current.specimen, ...definedOf(delta.specimen) } : current.specimen,
      sections: byKey(current.sections, delta.sections),
      accessionNumbers: listOf(current.accessionNumbers, delta.accessionNumbers, adds),
      ...lists(current, delta, adds),
    },
    removed,
  );
}

/** The current version with parts that only an older statement has; of the rest the newer word stays. */
export function withAdditions(current: ClinicalRecord, additions: ClinicalRecord): ClinicalRecord {
  const record = withParts(current, additions);
  if (record.kind === 'lab-report' && additions.kind === 'lab-report') {
    return {
      ...record,
      panel: joinCoded(record.panel, additions.panel),
      conclusion: joinText(record.conclusion, additions.conclusion),
      ...lists(record, additions, true),
    };
  }
  if (record.kind === 'exam-report' && additions.kind === 'exam-report') {
    const accessionNumbers = listOf(record.accessionNumbers, additions.accessionNumbers, true);
    return { ...record, accessionNumbers, ...lists(record, additions, true) };
  }
  return record;
}

/** The current version with these parts in the place of its own, new ones at the end; nothing else of it changes. */
export function withParts(current: ClinicalRecord, parts: ClinicalRecord): ClinicalRecord {
  if (current.kind === 'lab-report' && parts.kind === 'lab-report') {
    const organisms = joinOrganisms(current.organisms ?? [], parts.organisms ?? []);
    return { ...current, items: byKey(current.items, parts.items), ...(organisms.length > 0 && { organisms }) };
  }
  if (current.kind !== 'exam-report' || parts.kind !== 'exam-report') return current;
  return { ...current, sections: byKey(current.sections, parts.sections) };
}

/**
 * Findings about the items of a message, told about the same items of the report they went into. Items are named by
 * their place, and what is merged or removed moves it.
 */
export function placedIn(findings: Finding[], from: ClinicalRecord, to: ClinicalRecord): Finding[] {
  if (from === to || from.kind !== 'lab-report' || to.kind !== 'lab-report') return findings;
  return findings.flatMap((finding) => {
    const [, index, rest] = /^items\[(\d+)\](.*)$/.exec(finding.where) ?? [];
    if (index === undefined) return [finding];
    const key = from.items[Number(index)]?.key;
    const at = to.items.findIndex((item) => item.key === key);
    return at < 0 ? [] : [{ ...finding, where: `items[${at}]${rest}` }];
  });
}

/** Whether a delta names parts, all of them new, and deletes none. */
const isSupplement = (current: ClinicalRecord, delta: ClinicalRecord, removed: ReadonlySet<string>): boolean =>
  removed.size === 0 && partsOf(delta).length > 0 && missingParts(current, delta).length === partsOf(current).length;

/** The parts of both by key, those of the second for those of the first, new ones at the end. */
function byKey<T extends { key: string }>(current: readonly T[], changes: readonly T[]): T[] {
  const changed = new Map(changes.map((part) => [part.key, part]));
  const parts = current.map((part) => changed.get(part.key) ?? part);
  for (const { key } of current) changed.delete(key);
  return [...parts, ...changed.values()];
}

function lists(current: LabReport | ExamReport, delta: LabReport | ExamReport, adds: boolean) {
  const attachments = listOf(current.attachments ?? [], delta.attachments ?? [], adds);
  return {
    orderNumbers: listOf(current.orderNumbers, delta.orderNumbers, adds),
    remarks: listOf(current.remarks, delta.remarks, adds),
    ...(attachments.length > 0 && { attachments }),
  };
}

function listOf<T>(current: T[], said: T[], adds: boolean): T[] {
  if (said.length === 0) return current;
  if (!adds) return said;
  const known = new Set(current.map((value) => JSON.stringify(value)));
  return [...current, ...said.filter((value) => !known.has(JSON.stringify(value)))];
}

/** Panels of tests that came one by one, told as those of one message are: by their names. */
function joinCoded(one: Coded | undefined, other: Coded | undefined): Coded | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  if (one.code === other.code && one.name === other.name) return one;
  const names = (one.name ?? one.code ?? '').split('、');
  return { name: [...new Set([...names, other.name ?? other.code ?? ''])].join('、') };
}

function joinText(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.split('\n').includes(other) || one === other ? one : `${one}\n${other}`;
}

const definedOf = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Partial<T>;
