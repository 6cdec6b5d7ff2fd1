import type { ExamReport, ImagingStudy } from '../clinical/records/types.ts';
import type { JournalContent } from '../rendering/format.ts';
import type { MatchFacts } from '../store/match-contract.ts';
import { localDays } from '../support/local-day.ts';
import { personOf } from './person.ts';

/** Numbers of one record that are looked at (invariant 12); real ones have one, a study of several orders some. */
const MOST_NUMBERS = 32;
const DAY_MS = 86_400_000;

/**
 * What of a record version matters for matching; undefined where it is neither a report on an examination nor a study.
 * @param imageCategories categories of examination (code or name as sent, or the standard code) whose images come here; empty: all.
 */
export function factsOf(
  { record, context }: JournalContent,
  imageCategories: readonly string[] = [],
): MatchFacts | undefined {
  if (record.kind !== 'exam-report' && record.kind !== 'imaging-study') return undefined;
  const numbers = record.kind === 'exam-report' ? examNumbers(record) : studyNumbers(record);
  return {
    numbers: [...new Set(numbers.map((number) => number.trim()).filter((number) => number !== ''))].slice(
      0,
      MOST_NUMBERS,
    ),
    expects: record.kind === 'imaging-study' || expectsImages(record, imageCategories),
    person: { ...personOf(record.patient), ...(context.institution && { institution: context.institution }) },
    day: dayOf(record) ?? dayNumber(String(localDays(context.timeZone)(context.receivedMs))),
    ...(record.kind === 'imaging-study' && { studyUid: record.studyUid }),
  };
}

/** A report without accession number may be of an examination that makes no images; so may one of an ECG or of pathology. */
function expectsImages({ accessionNumbers, category }: ExamReport, imageCategories: readonly string[]): boolean {
  if (accessionNumbers.length === 0) return false;
  const said = [category?.code, category?.name, category?.standard?.code];
  return imageCategories.length === 0 || said.some((one) => one !== undefined && imageCategories.includes(one.trim()));
}

const examNumbers = ({ accessionNumbers, reportNumber }: ExamReport): string[] => [...accessionNumbers, reportNumber];
const studyNumbers = ({ reportNumbers, accessionNumbers }: ImagingStudy): string[] => reportNumbers ?? accessionNumbers;

/** Of the examination, as near as the record says it. */
function dayOf(record: ExamReport | ImagingStudy): number | undefined {
  const times =
    record.kind === 'imaging-study'
      ? [record.startedAt]
      : [record.performedAt, record.reportedAt, record.auditedAt, record.orderedAt];
  const told = times.find((time) => time !== undefined && /^\d{8}/.test(time));
  return told === undefined ? undefined : dayNumber(told);
}

/** Days are counted, so that the one before and the one after are known. */
const dayNumber = (yyyyMMdd: string): number =>
  Math.floor(
    Date.UTC(Number(yyyyMMdd.slice(0, 4)), Number(yyyyMMdd.slice(4, 6)) - 1, Number(yyyyMMdd.slice(6, 8))) / DAY_MS,
  );
