import { posix, win32 } from 'node:path';

/**
 * A path below the watched folder, one character for each byte (latin1), parts joined by `/`. Names on POSIX are
 * bytes and need not be UTF-8; as text they would not find their file again. Counts as patient data: sites put
 * names of patients into names of folders.
 */
export type BytePath = string;

export const joinPath = (folder: BytePath, name: BytePath): BytePath => (folder === '' ? name : `${folder}/${name}`);

/** The folder a path lies in; '' is the watched folder itself. */
export const folderOf = (path: BytePath): BytePath => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export const nameOf = (path: BytePath): BytePath => path.slice(path.lastIndexOf('/') + 1);

/** What file functions take for `path` below `root`, an absolute path. On Windows with the prefix that lifts the limit of 260. */
export function pathIn(root: string, path: BytePath, platform = process.platform): Buffer | string {
  const bytes = Buffer.from(path, 'latin1');
  if (platform === 'win32') return win32.toNamespacedPath(win32.join(root, bytes.toString('utf8')));
  return path === '' ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), bytes]);
}

/** Where `inner` lies in `outer`, both absolute: '' when they are the same, undefined when it lies elsewhere. */
export function placeIn(outer: string, inner: string, platform = process.platform): BytePath | undefined {
  const path = platform === 'win32' ? win32 : posix;
  const between = path.relative(outer, inner);
  if (between === '..' || between.startsWith(`..${path.sep}`) || path.isAbsolute(between)) return undefined;
  return Buffer.from(between.replaceAll(path.sep, '/')).toString('latin1');
}

export type IgnoredName = 'hidden' | 'unfinished' | 'device-name';

/** Files that the agent itself has put aside on their way out begin so: they are looked at although hidden. */
export const asidePrefix = '.qianzhi-';

const asideName = /(^|\/)\.qianzhi-[0-9a-f]{12}-([^/]*)$/;
/** The path that a file had before it was put aside; the path itself of any other. */
export const unsetAside = (path: BytePath): BytePath =>
  path.replace(asideName, (_, before: string, name: string) => before + (name || 'file'));

const unfinished = /(\.(tmp|part|partial)|~)$/i;
/** Reserved names of Windows (Microsoft Learn, Naming Files, Paths, and Namespaces), with any extension. */
const deviceName = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)([0-9]|\xc2[\xb9\xb2\xb3]))[ ]*(\.|:|$)/i;

/** Why a file or folder is not looked at because of its name; undefined when it is. */
export function ignoredName(name: BytePath, platform = process.platform): IgnoredName | undefined {
  if (name.startsWith('.') && !name.startsWith(asidePrefix)) return 'hidden';
  if (unfinished.test(name)) return 'unfinished';
  // Elsewhere such a name is a file like any other.
  if (platform === 'win32' && deviceName.test(name)) return 'device-name';
  return undefined;
}
