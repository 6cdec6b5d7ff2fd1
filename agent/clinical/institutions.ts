/**
 * Keys of what belongs to another institution than the site's own (院区, 医共体). Two institutions may give one number to
 * two people, so their patients and records have keys of their own: everything that hangs on a key (index, lanes, merges,
 * report states) is apart by that alone. Keys of the site's own are as they are where there is no other.
 */

/** Stands in no key of the site's own: what would begin with it is held before it becomes one (agent/mapping/place.ts). */
export const institutionMark = '\0';

/** @param institution organisation code; undefined: the site's own. */
export const keyAt = (institution: string | undefined, key: string): string =>
  institution === undefined ? key : `${institutionMark}${institution}${institutionMark}${key}`;

const endOf = (key: string): number => (key.startsWith(institutionMark) ? key.indexOf(institutionMark, 1) : -1);

/** Organisation code of the institution a key belongs to; undefined: the site's own. */
export function institutionOf(key: string): string | undefined {
  const end = endOf(key);
  return end < 0 ? undefined : key.slice(1, end);
}

/** The key as it is at its institution: of a patient the number itself. */
export const keyWithin = (key: string): string => key.slice(endOf(key) + 1);
