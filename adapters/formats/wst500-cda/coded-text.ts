import type { Coded } from '../../../agent/clinical/records/types.ts';
import { stated } from './draft.ts';
import type { Pack } from './pack/pack.ts';

/** What a coded value says in words: its name, else its code. */
export const wordsOf = (coded: Coded | undefined): string | undefined => stated(coded?.name) ?? stated(coded?.code);

/** A coded value as a person reads it: `白细胞计数(WBC)`. */
export function named(coded: Coded | undefined): string | undefined {
  const name = stated(coded?.name) ?? stated(coded?.standard?.name);
  const code = stated(coded?.code) ?? stated(coded?.standard?.code);
  return name === undefined || code === undefined ? (name ?? code) : `${name}(${code})`;
}

/** `label：text` of each that says anything. */
export const labelled = (parts: ReadonlyArray<readonly [label: string, said: string | undefined]>): string[] =>
  parts.flatMap(([label, said]) => (stated(said) === undefined ? [] : [`${label}：${said}`]));

/** The code of an item as its sender wrote it, unless the pack prefers the standard one; the name if there is no code. */
export function codeOf({ itemCode }: Pack, coded: Coded | undefined): string | undefined {
  const standard = stated(coded?.standard?.code);
  const local = stated(coded?.code);
  const code = itemCode === 'standard' ? (standard ?? local) : (local ?? standard);
  return code ?? stated(coded?.name) ?? stated(coded?.standard?.name);
}
