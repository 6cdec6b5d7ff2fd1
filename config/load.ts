import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { z } from 'zod';
import type { UploadSchedule } from '../agent/delivery/bandwidth.ts';
import type { Registry } from '../agent/registry.ts';
import { errorTable, QianzhiError } from '../agent/support/errors.ts';
import { builtInProfiles, builtInText, isBuiltInName } from './built-in.ts';
import { senderWarnings } from './check-senders.ts';
import { type ConfigIssue, pathText, throwIfAny } from './config-error.ts';
import { message } from './messages.ts';
import { checkRules } from './rules.ts';
import {
  buildSchema,
  CONFIG_VERSION,
  type Config,
  type ConfigSchema,
  type Filters,
  imagePlatformKeys,
  nobody,
  platformKeys,
  sendersOf,
  sourceKeys,
} from './schema.ts';
import { at, describeIssues, type SchemaIssue } from './schema-issues.ts';
import { filePathsIn } from './schema-walk.ts';
import { type EnvironmentUse, substituteEnvironment } from './substitute.ts';
import { suggest } from './suggest.ts';
import { type Path, type Position, parseYamlText, type YamlText } from './yaml-document.ts';

export interface LoadedSender {
  name: string;
  profileText: string;
  profilePath: string;
  profileAt: Position & { path: string };
  /** The name under which its reports came before: they keep their identity. */
  continues?: string;
  /** `continues: none`: nothing of it ever came under another name. */
  isNew?: boolean;
}

export interface LoadedSource {
  name: string;
  kind: string;
  /** YAML text of the source profile and the file it came from. */
  profileText: string;
  profilePath: string;
  /** Where it is named in the configuration. */
  profileAt: Position & { path: string };
  /** Those that come in through it under names of their own; how each is recognised stands in `settings`. */
  senders: LoadedSender[];
  /** The adapter's own keys, validated, defaults filled in, file paths absolute. */
  settings: Record<string, unknown>;
}

export interface LoadedPlatform {
  name: string;
  kind: string;
  format: string;
  /** YAML text of the province pack and the file it came from. */
  packText: string;
  packPath: string;
  overlay: Record<string, unknown>;
  /** Where the overlay, or else the platform, stands in the configuration. */
  overlayPosition: Position;
  holdSeconds: number;
  outboxBound: number;
  filters: Filters;
  settings: Record<string, unknown>;
}

/** A platform that takes images. */
export interface LoadedImagePlatform {
  name: string;
  kind: string;
  schedule: UploadSchedule;
  verify: boolean;
  settings: Record<string, unknown>;
}

/** A configuration that may be started: validated as a whole, with nothing opened yet. */
export interface LoadedConfig {
  /** The file as named, and its folder (absolute). */
  path: string;
  folder: string;
  site: Config['site'];
  /** `folder` and the path in `key` are absolute. */
  data: Config['data'];
  status: Config['status'];
  log: Config['log'];
  sources: LoadedSource[];
  platforms: LoadedPlatform[];
  imagePlatforms: LoadedImagePlatform[];
  /** Every configured certificate and key file, with its place. */
  files: Array<{ file: string; path: string; line: number; column: number }>;
  /** The whole as one plain object, for display. Values from the environment stand as `${…}`: they may be secret. */
  effective: Record<string, unknown>;
  /** What works but should not stay so. */
  warnings: ConfigIssue[];
}

/** Values of config/examples/qianzhi.yaml that no hospital has. */
const exampleOrgCode = '000000000000000000';

/**
 * Reads and checks a configuration file (reference surface.md §4). Opens no socket and no store.
 * Relative paths are taken from the file's folder.
 *
 * @throws QianzhiError CFG-5001 (file cannot be read), ConfigError with every issue found: CFG-5002
 * (YAML), 5003 (value), 5004 (unknown key), 5005 (environment), 5006 (key in data folder), 5008 (newer).
 */
export function loadConfig(
  path: string,
  registry: Registry,
  env: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const folder = dirname(resolve(path));
  const yaml = parseYamlText(readText(path));
  throwIfAny(
    yaml.problems.map((problem) => ({
      code: 'CFG-5002',
      file: path,
      ...problem.position,
      path: '',
      message: problem.message,
    })),
  );
  const issue = toConfigIssue(path, yaml);
  refuseNewer(yaml, issue);

  const substituted = substituteEnvironment(yaml.value, env);
  const issues: SchemaIssue[] = substituted.problems.map((problem) =>
    problem.kind === 'unset'
      ? { code: 'CFG-5005', path: [...problem.path], atKey: false, message: message.unset(problem.name) }
      : { code: 'CFG-5003', path: [...problem.path], atKey: false, message: message.malformedReference() },
  );
  const alreadyNamed = new Set(issues.map((found) => pathText(found.path)));

  const schema = buildSchema(registry);
  const checked = check(schema, substituted.value, substituted.uses, yaml);
  issues.push(...checked.issues.filter((found) => !alreadyNamed.has(pathText(found.path))));
  if (checked.config !== undefined) issues.push(...checkRules(checked.config, folder));
  throwIfAny(issues.map(issue));
  const config = checked.config as Config;

  const files = filePathsIn(schema, config).map(({ file, path: place }) => ({ file: resolve(folder, file), place }));
  for (const { file, place } of files) set(config, place, file);
  if (config.data.key.startsWith('file:')) {
    config.data.key = `file:${resolve(folder, config.data.key.slice('file:'.length))}`;
  }

  const textIssues: SchemaIssue[] = [];
  const text = (kind: 'profile' | 'pack', entry: Array<string | number>, named: string) => {
    try {
      if (isBuiltInName(named)) return builtInText(kind, named);
      const file = isAbsolute(named) ? named : resolve(folder, named);
      return { path: file, text: readText(file) };
    } catch (error) {
      const unreadable = isBuiltInName(named)
        ? message.noBuiltIn(kind === 'profile' ? suggest(named, builtInProfiles) : undefined)
        : message.fileUnreadable();
      const found = error instanceof QianzhiError && error.code === 'CFG-5002' ? message.notUtf8() : unreadable;
      textIssues.push({ code: 'CFG-5003', path: [...entry, kind], atKey: false, message: found });
      return { path: named, text: '' };
    }
  };
  const profileAt = (entry: Array<string | number>) => ({
    ...yaml.positionOf([...entry, 'profile']),
    path: pathText([...entry, 'profile']),
  });
  const sources = config.sources.map((source, index): LoadedSource => {
    const profile = text('profile', ['sources', index], String(source.profile));
    const senders = sendersOf(source).map((sender, n): LoadedSender => {
      const entry = ['sources', index, 'senders', n];
      const { name, continues } = sender;
      const own = text('profile', entry, sender.profile);
      const profile = { profileText: own.text, profilePath: own.path, profileAt: profileAt(entry) };
      if (continues === nobody) return { name, ...profile, isNew: true };
      return { name, ...profile, ...(continues && { continues }) };
    });
    return {
      name: String(source.name),
      kind: String(source.kind),
      profileText: profile.text,
      profilePath: profile.path,
      profileAt: profileAt(['sources', index]),
      senders,
      settings: without(source, sourceKeys),
    };
  });
  const images = new Set(registry.imagePlatforms.map(({ kind }) => kind));
  const platforms = config.platforms.flatMap((platform, index): LoadedPlatform[] => {
    if (images.has(String(platform.kind))) return [];
    const pack = text('pack', ['platforms', index], String(platform.pack));
    const loaded = {
      name: String(platform.name),
      kind: String(platform.kind),
      format: String(platform.format),
      packText: pack.text,
      packPath: pack.path,
      overlay: platform.overlay as Record<string, unknown>,
      overlayPosition: yaml.positionOfKey(['platforms', index, 'overlay']),
      holdSeconds: platform.hold_seconds as number,
      outboxBound: platform.outbox_bound as number,
      filters: platform.filters as Filters,
      settings: without(platform, platformKeys),
    };
    return [loaded];
  });
  const imagePlatforms = config.platforms
    .filter(({ kind }) => images.has(String(kind)))
    .map(
      (platform): LoadedImagePlatform => ({
        name: String(platform.name),
        kind: String(platform.kind),
        schedule: scheduleOf(platform.speed as Speed),
        verify: platform.verify as boolean,
        settings: without(platform, imagePlatformKeys),
      }),
    );
  throwIfAny(textIssues.map(issue));

  const warnings: ConfigIssue[] = [];
  if (config.site.org_code === exampleOrgCode) {
    warnings.push(
      issue({ code: 'CFG-5012', path: ['site', 'org_code'], atKey: false, message: message.exampleValue() }),
    );
  }
  const warn = (path: Array<string | number>, text: SchemaIssue['message']) =>
    warnings.push(issue({ code: 'CFG-5013', path, atKey: false, message: text }));
  const imageSource = config.sources.findIndex(({ kind }) =>
    registry.imageSources.some((known) => known.kind === kind),
  );
  const imagePlatform = config.platforms.findIndex(({ kind }) => images.has(String(kind)));
  if (imageSource >= 0 && imagePlatform < 0) warn(['sources', imageSource, 'kind'], message.imagesGoNowhere());
  if (imagePlatform >= 0 && imageSource < 0) warn(['platforms', imagePlatform, 'kind'], message.noImagesCome());
  warnings.push(...senderWarnings(config).map(issue));
  for (const [index, source] of sources.entries()) {
    const found = registry.sources.find(({ kind }) => kind === source.kind)?.warnings?.(source.settings) ?? [];
    for (const { code, path } of found) {
      const { zh, en } = errorTable[code];
      const text = { zh: `${zh.title}。`, en: `${en.title}.` };
      warnings.push(issue({ code, path: ['sources', index, ...path], atKey: false, message: text }));
    }
  }
  const effective = structuredClone(config) as Record<string, unknown>;
  for (const use of substituted.uses) set(effective, use.path, use.written);
  return {
    path,
    folder,
    site: config.site,
    data: config.data,
    status: config.status,
    log: config.log,
    sources,
    platforms,
    imagePlatforms,
    files: files
      .filter(({ place }) => place.includes('tls'))
      .map(({ file, place }) => ({ file, path: pathText(place), ...yaml.positionOf(place) })),
    effective,
    warnings,
  };
}

interface Speed {
  bytes_per_second?: number;
  windows: Array<{ days?: number[]; from: string; to: string; bytes_per_second: number }>;
  urgent_always: boolean;
}

const scheduleOf = (speed: Speed): UploadSchedule => ({
  ...(speed.bytes_per_second !== undefined && { bytesPerSecond: speed.bytes_per_second }),
  windows: speed.windows.map(({ days, from, to, bytes_per_second: bytesPerSecond }) => ({
    ...(days && { days }),
    fromMinute: minuteOf(from),
    toMinute: minuteOf(to),
    bytesPerSecond,
  })),
  urgentAlways: speed.urgent_always,
});

/** `08:30` as minutes after midnight. */
const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** UTF-8 text of a file, without byte order mark. Throws CFG-5001 (unreadable) or ConfigError CFG-5002 (not UTF-8). */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new QianzhiError('CFG-5001', path, { cause: error });
  }
  if (isUtf8(bytes)) return bytes.toString('utf8').replace(/^\uFEFF/, '');
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(from, to))) break;
    from = to;
  }
  throwIfAny([{ code: 'CFG-5002', file: path, line, column: 1, path: '', message: message.notUtf8() }]);
  throw new QianzhiError('CFG-5002', path);
}

const toConfigIssue =
  (file: string, yaml: YamlText) =>
  (found: SchemaIssue): ConfigIssue => ({
    code: found.code,
    file,
    ...(found.atKey ? yaml.positionOfKey(found.path) : yaml.positionOf(found.path)),
    path: pathText(found.path),
    message: found.message,
  });

/** A newer file may hold anything: say only that, before any other complaint. */
function refuseNewer(yaml: YamlText, issue: (found: SchemaIssue) => ConfigIssue): void {
  const version = at(yaml.value, ['config_version']);
  if (typeof version !== 'number' || version <= CONFIG_VERSION) return;
  const found = message.newerVersion(CONFIG_VERSION);
  throwIfAny([issue({ code: 'CFG-5008', path: ['config_version'], atKey: false, message: found })]);
}

/**
 * Validates. Where a number or truth value is wanted and the whole value came from the environment, it
 * is read again by the rules of YAML's core schema; where text is wanted it stays text, so that an
 * organisation code of digits is the same in a file and in a variable.
 */
function check(
  schema: ConfigSchema,
  value: unknown,
  uses: readonly EnvironmentUse[],
  yaml: YamlText,
): { config?: Config; issues: SchemaIssue[] } {
  let result = schema.safeParse(value);
  const scalars = new Set(['number', 'int', 'boolean']);
  const coerced = (result.error?.issues ?? []).filter(
    (found): found is z.core.$ZodIssueInvalidType =>
      found.code === 'invalid_type' &&
      scalars.has(found.expected) &&
      uses.some((use) => use.whole && pathText(use.path) === pathText(found.path)),
  );
  if (coerced.length > 0) {
    for (const found of coerced) {
      const path = found.path as Path;
      set(value, path, yaml.coreValue(String(at(value, path))));
    }
    result = schema.safeParse(value);
  }
  if (result.success) return { config: result.data, issues: [] };
  return { issues: describeIssues(result.error.issues, schema, value) };
}

function set(root: unknown, path: Path, value: unknown): void {
  const parent = at(root, path.slice(0, -1));
  const last = path.at(-1);
  if (parent !== null && typeof parent === 'object' && last !== undefined) {
    (parent as Record<string | number, unknown>)[last] = value;
  }
}

const without = (entry: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key)));
