import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { foldersOf } from '../../config/check-folders.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { isWithin, realPath } from '../../config/places.ts';
import { type ArchivedFile, archiveKeyOf, type OpenedArchive, openArchived } from '../security/archive.ts';
import { loadKek } from '../security/kek.ts';
import { instant } from '../status/web/format.ts';
import { codeOf, errnoOf, QianzhiError } from '../support/errors.ts';
import { type CliContext, type Command, configOption, type OptionValue, UsageError } from './command.ts';
import { reportError } from './error-report.ts';
import { exitCode } from './exit-codes.ts';

const SUFFIX = '.qza';
const MOST_OF_ONE_NAME = 1000;

/** Sealed files of the archives: looked into, and opened into another folder. Works beside a running agent, and without its store. */
export const archive: Command = {
  name: 'archive',
  usage: 'archive list [PLACE…] | open PLACE… --out FOLDER --config FILE',
  summary: {
    zh: '已归档的文件（.qza，加密存放）：list 列出原文件名（含患者资料，只显示在屏幕上），open 解密到另一个文件夹',
    en: 'archived files (.qza, sealed): list shows what they were called (patient data), open decrypts them into another folder',
  },
  takesWords: true,
  options: { config: { type: 'string' }, out: { type: 'string' } },
  async run(context, [verb, ...places], options) {
    if (verb !== 'list' && verb !== 'open') {
      throw new UsageError({ zh: 'archive 之后请写 list 或 open。', en: 'After archive write list or open.' });
    }
    const config = loadConfig(configOption(options), await context.registry(), context.env);
    const named = places.length > 0 ? places : archivesOf(config);
    if (named.length === 0 || (verb === 'open' && places.length === 0)) {
      throw new UsageError({ zh: '请写明归档文件或文件夹。', en: 'Name archived files, or folders of them.' });
    }
    // A source that has archived nothing yet has no folder for it.
    const files = (places.length > 0 ? named : named.filter((place) => existsSync(place))).flatMap(filesIn);
    const key = archiveKeyOf(loadKek(config.data.key, true));
    const work =
      verb === 'list'
        ? lister(context, files, config)
        : openInto(outOption(options, [config.data.folder, ...config.sources.flatMap(placesOf), ...places]));
    let failed = false;
    for (const file of files) {
      try {
        const opened = await openArchived(key, file);
        try {
          await work(context, file, opened);
        } finally {
          await opened.close();
        }
      } catch (error) {
        // The others are not to suffer for one that is damaged; names of archived files are ours and say nothing.
        failed = true;
        reportError(context, new QianzhiError(codeOf(error, 'SYS-6004'), file, { cause: error }));
      }
    }
    return failed ? exitCode.failure : exitCode.ok;
  },
};

type Work = (context: CliContext, file: string, opened: OpenedArchive) => Promise<void>;

/** Folders in which sources of the configuration keep sealed files. */
const archivesOf = (config: LoadedConfig): string[] =>
  config.sources.flatMap(({ settings }) => {
    const found = settings.archive as { folder?: unknown; plain?: unknown } | string | undefined;
    const isSealed = typeof found === 'object' && typeof found.folder === 'string' && found.plain === undefined;
    return isSealed ? [String(found.folder)] : [];
  });

/** Archived files below a folder, in the order of their names; a file itself. Throws UsageError when there is nothing, QUE-4020 when it cannot be read. */
function filesIn(place: string): string[] {
  try {
    if (!statSync(place).isDirectory()) return [place];
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(SUFFIX))
      .sort()
      .map((name) => join(place, name));
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(String(errnoOf(cause)))) {
      throw new UsageError({
        zh: `没有这个归档文件或文件夹（${place}）。请写配置里 archive.folder 的路径或其中的 .qza 文件；list 不写则列出全部。`,
        en: `There is no such archived file or folder (${place}). Write the path of archive.folder in the configuration, or a .qza file in it; list without one lists all.`,
      });
    }
    throw new QianzhiError('QUE-4020', place, { cause });
  }
}

/** Folders that a source reads or writes. */
const placesOf = ({ settings }: LoadedConfig['sources'][number]): string[] => {
  const { folder, archive: archived, answers } = foldersOf(settings);
  return [folder, archived?.folder, answers].filter((place) => place !== undefined);
};

/** Nothing is ever written into an archive, nor where it would be read and taken once more. */
function outOption(options: Record<string, OptionValue>, ours: readonly string[]): string {
  if (typeof options.out !== 'string' || options.out === '') {
    throw new UsageError({ zh: '请用 --out 指定解密到哪个文件夹。', en: 'Name the folder to open into with --out.' });
  }
  const out = resolve(options.out);
  const real = realPath(out);
  if (ours.some((place) => isWithin(realPath(resolve(place)), real))) {
    throw new UsageError({
      zh: `--out 不能是前置机监视、归档或存数据的文件夹，也不能在其中（${options.out}），解密的文件会被再读一遍。请换一个文件夹。`,
      en: `--out must not be, or lie in, a folder that the agent watches, archives into or keeps its data in (${options.out}): files opened there would be read again. Name another folder.`,
    });
  }
  return out;
}

/** One character a byte, as paths are kept; shown as UTF-8. */
const shown = (path: string): string => Buffer.from(path, 'latin1').toString('utf8');

/** Columns under heads, times in the site's zone as its folders are; as JSON a line each, in UTC. */
function lister(context: CliContext, files: readonly string[], { site, sources }: LoadedConfig): Work {
  const utc = (ms: number): string => new Date(ms).toISOString();
  const atSite = (ms: number): string => {
    const { date, time } = instant(ms, site.time_zone);
    return `${date} ${time}`;
  };
  const widths = [
    longest(files),
    longest(
      sources.map(({ name }) => name),
      8,
    ),
    10,
    19,
    19,
  ];
  const line = (...cells: string[]) =>
    context.out(cells.map((cell, n) => cell + ' '.repeat(Math.max(0, (widths[n] ?? 0) - columnsOf(cell)))).join('  '));
  const heads = {
    zh: ['归档文件', '来源', '字节', '写成时间', '归档时间', '原文件名'],
    en: ['archived file', 'source', 'bytes', 'written', 'archived', 'name it had'],
  };
  let begun = context.json;
  return async (_context, file, { what: { source, size, mtimeMs, archivedMs, path } }) => {
    if (!begun) line(...heads[context.lang]);
    begun = true;
    if (context.json) {
      const times = { written: utc(mtimeMs), archived: utc(archivedMs) };
      context.out(JSON.stringify({ file, source, size, ...times, path: shown(path) }));
    } else line(file, source, String(size), atSite(mtimeMs), atSite(archivedMs), JSON.stringify(shown(path)));
  };
}

const longest = (texts: readonly string[], least = 0): number =>
  texts.reduce((most, text) => Math.max(most, columnsOf(text)), least);
/** On a terminal; Chinese takes two of each. */
const columnsOf = (text: string): number => text.replace(/[\u1100-\uffff]/g, '  ').length;

/** Writes the file under the last part of its old name, beside what is there. It is proved whole before a byte is written. */
const openInto =
  (out: string): Work =>
  async (context, file, opened) => {
    for await (const _ of opened.content);
    mkdirSync(out, { recursive: true, mode: 0o700 });
    const { handle, path } = await newFile(out, opened.what);
    try {
      await copyInto(handle, await opened.again());
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    context.out(context.json ? JSON.stringify({ file, opened: shownPath(path) }) : shownPath(path));
  };

const shownPath = (path: Buffer | string): string => (typeof path === 'string' ? path : path.toString('utf8'));

async function copyInto(handle: FileHandle, { content, close }: OpenedArchive): Promise<void> {
  try {
    for await (const piece of content) await handle.writeFile(piece);
  } finally {
    await close();
  }
}

async function newFile(out: string, { path }: ArchivedFile): Promise<{ handle: FileHandle; path: Buffer | string }> {
  const name = safeName(path.slice(path.lastIndexOf('/') + 1));
  for (let number = 1; ; number += 1) {
    const end = extname(name);
    const numbered = number === 1 ? name : `${basename(name, end)} (${number})${end}`;
    // Names on POSIX are bytes, and are given back as they were.
    const bytes = Buffer.from(numbered, 'latin1');
    const target =
      process.platform === 'win32' ? join(out, bytes.toString('utf8')) : Buffer.concat([Buffer.from(`${out}/`), bytes]);
    try {
      return { handle: await open(target, 'wx', 0o600), path: target };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || number > MOST_OF_ONE_NAME) throw error;
    }
  }
}

/** A name that stays in its folder wherever it is opened. */
function safeName(name: string): string {
  const plain = name.replace(/[/\\\0-\x1f]/g, '_');
  const safe = process.platform === 'win32' ? plain.replace(/[<>:"|?*]/g, '_') : plain;
  return safe === '' || safe === '.' || safe === '..' ? 'file' : safe;
}
