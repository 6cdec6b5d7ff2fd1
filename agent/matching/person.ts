import { compare } from '../clinical/patients/identity.ts';
import type { Patient } from '../clinical/records/types.ts';

/** What a report and a study say of whose they are. */
export interface MatchPerson {
  name?: string;
  /** GB/T 2261.1, mapped. */
  sex?: string;
  /** yyyyMMdd, or the beginning of it. */
  birthDate?: string;
  /** Organisation code of the institution that says it; absent: the site's own. */
  institution?: string;
}

/** What of a record's patient is compared: sex only where it is known to be one of the two. */
export function personOf({ name, sex, birthDate }: Patient): MatchPerson {
  const code = sex?.standard?.code;
  return {
    ...(name !== undefined && { name }),
    ...((code === '1' || code === '2') && { sex: code }),
    ...(birthDate !== undefined && { birthDate }),
  };
}

/**
 * Where two records of one number speak of different people; undefined where they do not, or what they say cannot be
 * compared. Stricter than the patient index, which knows that hospitals correct names and dates: here one difference is
 * enough, for a link would give one person's images to another.
 */
export function contradicting(a: MatchPerson, b: MatchPerson): 'name' | 'sex' | 'birthDate' | undefined {
  if (namesDiffer(a.name, b.name)) return 'name';
  if (compare(a.sex, b.sex) === 'differs') return 'sex';
  return datesDiffer(a.birthDate, b.birthDate) ? 'birthDate' : undefined;
}

/**
 * What two records of one number are to each other. Two institutions may use one number for two examinations, and a PACS of
 * several says of no study whose it is: across institutions not to contradict is too little, and nobody is accused. They
 * agree where they are under one patient's number, which is so only where the institutions share those, or where name and
 * birth date are known and the same.
 */
export function agreement(a: MatchPerson, b: MatchPerson, isOneNumber: boolean): 'agree' | 'differ' | 'unsure' {
  const agrees = contradicting(a, b) === undefined;
  if (a.institution === b.institution) return agrees ? 'agree' : 'differ';
  const key = personKey(a);
  return agrees && (isOneNumber || (key !== undefined && key === personKey(b))) ? 'agree' : 'unsure';
}

/** A year or a month says as much as it says. */
function datesDiffer(a: string | undefined, b: string | undefined): boolean {
  if (!a || !b) return false;
  const length = Math.min(a.length, b.length);
  return a.slice(0, length) !== b.slice(0, length);
}

/**
 * `张^晋` and its pinyin are the same person or not: nobody can tell. What stands behind a name tells twins and unknown
 * people apart, 王丽之子1 from 王丽之子2; where only one has it, it may as well be pinyin, or left out.
 */
function namesDiffer(a: string | undefined, b: string | undefined): boolean {
  const [one, other] = [writings(a), writings(b)];
  if (one.digits !== '' && other.digits !== '' && one.digits !== other.digits) return true;
  if (one.characters !== other.characters) return one.characters !== '' && other.characters !== '';
  if (one.letters === '' || other.letters === '') return false;
  return one.letters !== other.letters && one.words.join(' ') !== other.words.join(' ');
}

/** What name and birth date are searched by; undefined where either is missing. */
export function personKey({ name, birthDate }: MatchPerson): string | undefined {
  const { characters, words, digits } = writings(name);
  // Beside characters a single letter tells twins apart, a longer word is pinyin.
  const written = characters === '' ? words.join(' ') : [characters, ...words.filter(isOneLetter)].join(' ');
  return written === '' || birthDate?.length !== 8 ? undefined : `${written}\n${digits}\n${birthDate}`;
}

const isOneLetter = (word: string): boolean => word.length === 1;

/**
 * A name without what senders vary: spaces, points and carets. Characters are all that is no Latin letter and no digit;
 * Latin names come in both orders, so their words are compared in none.
 */
function writings(name: string | undefined): { characters: string; letters: string; words: string[]; digits: string } {
  const text = (name ?? '').normalize('NFKC').toLowerCase();
  const latin = text.match(/[\p{Script=Latin}\p{M}]+/gu) ?? [];
  return {
    characters: text.replace(/[\p{Script=Latin}\p{P}\p{S}\p{Z}\p{N}\p{M}\s]/gu, ''),
    letters: latin.join(''),
    words: [...latin].sort(),
    digits: text.replace(/\P{N}/gu, ''),
  };
}
