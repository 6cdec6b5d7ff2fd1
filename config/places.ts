import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';

/** The real path of the part that exists, with the rest appended. */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** Whether `inner` is the folder `outer` or lies in it; both absolute. */
export function isWithin(outer: string, inner: string): boolean {
  const between = relative(outer, inner);
  return between !== '..' && !between.startsWith(`..${sep}`) && !isAbsolute(between);
}
