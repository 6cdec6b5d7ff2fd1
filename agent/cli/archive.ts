import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { type ArchivedFile, archiveKeyOf, type OpenedArchive, openArchived } from '../security/archive.ts';
import { loadKek } from '../security/kek.ts';
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
    const files = named.flatMap(filesIn);
    const key = archiveKeyOf(loadKek(config.data.key, true));
    const work = verb === 'list' ? list : openInto(outOption(options, [...archivesOf(config), ...places]));
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

/** Archived files below a folder, in the order of their names; a file itself. Throws QUE-4020 when there is nothing. */
function filesIn(place: string): string[] {
  try {
    if (!statSync(place).isDirectory()) return [place];
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(SUFFIX))
      .sort()
      .map((name) => join(place, name));
  } catch (cause) {
    throw new QianzhiError('QUE-4020', place, { cause });
  }
}

/** Nothing is ever written into an archive. */
function outOption(options: Record<string, OptionValue>, archives: readonly string[]): string {
  if (typeof options.out !== 'string' || options.out === '') {
    throw new UsageError({ zh: '请用 --out 指定解密到哪个文件夹。', en: 'Name the folder to open into with --out.' });
  }
  const out = resolve(options.out);
  const isWithin = (outer: string) => {
    const between = relative(resolve(outer), out);
    return between === '' || (!between.startsWith('..') && !isAbsolute(between));
  };
  if (archives.some(isWithin)) {
    throw new UsageError({ zh: '--out 不能在归档文件夹里。', en: '--out must not lie in an archive.' });
  }
  return out;
}

/** One character a byte, as paths are kept; shown as UTF-8. */
const shown = (path: string): string => Buffer.from(path, 'latin1').toString('utf8');
const timeOf = (ms: number): string => new Date(ms).toISOString();

const list: Work = async (context, file, { what }) => {
  const { source, size, mtimeMs, archivedMs, path } = what;
  const times = { written: timeOf(mtimeMs), archived: timeOf(archivedMs) };
  context.out(
    context.json
      ? JSON.stringify({ file, source, size, ...times, path: shown(path) })
      : [file, source, size, times.written, JSON.stringify(shown(path))].join('  '),
  );
};

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
