import { isCalendarDate } from '../records/time.ts';

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const checkDigits = '10X98765432';

/** Whether a text has the shape of a resident ID number (公民身份号码), right or wrong: 17 digits and a digit or X. */
export const looksLikeResidentId = (text: string): boolean => /^\d{17}[\dXx]$/.test(text);

/**
 * Checks a resident ID number by GB 11643-1999: 18 characters, a birth date that exists, ISO 7064
 * MOD 11-2 check digit. The region is not checked: codes of dissolved counties stay valid.
 * @returns the number with an upper-case X, or undefined when it does not hold.
 */
export function validResidentId(text: string): string | undefined {
  if (!looksLikeResidentId(text)) return undefined;
  const id = text.toUpperCase();
  if (!isCalendarDate(id.slice(6, 14))) return undefined;
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += Number(id[i]) * (weights[i] ?? 0);
  return checkDigits[sum % 11] === id[17] ? id : undefined;
}

/** Birth date (`yyyyMMdd`) and sex (GB/T 2261.1: `1` male, `2` female) that a valid resident ID says. */
export function saidByResidentId(id: string): { birthDate: string; sex: '1' | '2' } {
  return { birthDate: id.slice(6, 14), sex: Number(id[16]) % 2 === 1 ? '1' : '2' };
}

/**
 * Whether a valid resident ID contradicts what else is said of the patient. What is absent, and a sex
 * other than male or female, contradicts nothing.
 * @returns the element that disagrees, or undefined.
 */
export function contradictionOf(
  id: string,
  birthDate: string | undefined,
  sex: string | undefined,
): 'birthDate' | 'sex' | undefined {
  const said = saidByResidentId(id);
  if (birthDate !== undefined && birthDate !== said.birthDate) return 'birthDate';
  if ((sex === '1' || sex === '2') && sex !== said.sex) return 'sex';
  return undefined;
}
