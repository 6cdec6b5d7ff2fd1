import type { Registry } from '../agent/registry.ts';
import type { Renderer } from '../agent/rendering/format.ts';
import { errorTable, QianzhiError } from '../agent/support/errors.ts';
import { organisationIssues, organisationWarnings } from './check-organisations.ts';
import { ConfigError, type ConfigIssue, throwIfAny } from './config-error.ts';
import type { LoadedConfig, LoadedPlatform } from './load.ts';
import { type LogicalSource, logicalSources } from './logical-sources.ts';
import { message } from './messages.ts';

export interface CheckedTexts {
  /** By name of source and of sender: plain data, for `compile` of the same language. */
  profiles: Map<string, unknown>;
  /** By platform name: plain data, for `compile` of the same format. */
  packs: Map<string, unknown>;
  /** By platform name. */
  renderers: Map<string, Renderer>;
  /** What works and may not be meant. */
  warnings: ConfigIssue[];
}

/**
 * Checks every source profile and province pack of a configuration, so that their errors show before
 * anything is opened. Throws ConfigError with CFG-5009 and CFG-5010 issues that name file, line and column.
 */
export function checkTexts(loaded: LoadedConfig, registry: Registry): CheckedTexts {
  const issues: ConfigIssue[] = [];
  const profiles = new Map<string, unknown>();
  const packs = new Map<string, unknown>();
  const renderers = new Map<string, Renderer>();
  for (const source of logicalSources(loaded)) {
    const language = registry.profiles.find((entry) => entry.sourceKinds.includes(source.kind));
    if (language === undefined) throw new Error(`no profile language for ${source.kind}`);
    try {
      profiles.set(source.name, language.check(source.profileText, source.profilePath));
    } catch (error) {
      const other = registry.profiles.find((entry) => entry !== language && reads(entry, source.profileText));
      issues.push(...(other ? [otherLanguage(loaded.path, source)] : textIssues(error, source.profilePath)));
    }
  }
  issues.push(...framingIssues(loaded, registry, profiles), ...organisationIssues(loaded, registry, profiles));
  for (const platform of loaded.platforms) {
    const format = registry.formats.find((entry) => entry.kind === platform.format);
    if (format === undefined) throw new Error(`no format ${platform.format}`);
    try {
      const pack = format.check(platform.packText, platform.overlay);
      packs.set(platform.name, pack);
      renderers.set(platform.name, format.compile(pack));
    } catch (error) {
      issues.push(...packIssues(error, platform, loaded.path));
    }
  }
  throwIfAny(unique(issues));
  return { profiles, packs, renderers, warnings: organisationWarnings(loaded, registry, profiles) };
}

function reads(language: Registry['profiles'][number], text: string): boolean {
  try {
    language.check(text);
    return true;
  } catch {
    return false;
  }
}

/** The profile is in order, and for another kind of source. */
const otherLanguage = (file: string, { kind, profilePath, profileAt }: LogicalSource): ConfigIssue => ({
  code: 'CFG-5009',
  file,
  ...profileAt,
  message: {
    zh: `接入规则 ${profilePath} 是给另一类来源用的，不能用于 ${kind}；影像来源用 dicom-default，HL7 来源用 cn-default 或自己的文件。`,
    en: `${profilePath} is a profile for another kind of source, not for ${kind}: images take dicom-default, HL7 cn-default, or a file of your own.`,
  },
});

/** CFG-5014: what belongs to a connection must be the same for all who send over it. */
const framingIssues = (
  loaded: LoadedConfig,
  registry: Registry,
  profiles: ReadonlyMap<string, unknown>,
): ConfigIssue[] =>
  logicalSources(loaded).flatMap(({ name, via, profileAt }): ConfigIssue[] => {
    const [own, sender] = [via && profiles.get(via.name), profiles.get(name)];
    if (via === undefined || own === undefined || sender === undefined) return [];
    const keys = registry.sources.find(({ kind }) => kind === via.kind)?.differing?.(own, sender) ?? [];
    if (keys.length === 0) return [];
    return [{ code: 'CFG-5014', file: loaded.path, ...profileAt, message: message.framingDiffers(keys, via.name) }];
  });

/** `where` of a compile error is `line:column`, perhaps followed by a path; or a path alone. */
function textIssues(error: unknown, file: string): readonly ConfigIssue[] {
  if (error instanceof ConfigError) return error.issues;
  if (!(error instanceof QianzhiError)) throw error;
  const { zh, en } = errorTable[error.code];
  const place = /^(\d+):(\d+)\s*(.*)$/s.exec(error.where ?? '');
  return [
    {
      code: error.code,
      file,
      ...(place && { line: Number(place[1]), column: Number(place[2]) }),
      path: place ? (place[3] ?? '') : (error.where ?? ''),
      message: { zh: `${zh.title}：${zh.cause}`, en: `${en.title}. ${en.cause}` },
    },
  ];
}

/** A pack may also be refused for what the configuration overlays on it. */
function packIssues(error: unknown, platform: LoadedPlatform, configPath: string): readonly ConfigIssue[] {
  const overlaid = error instanceof QianzhiError && error.where?.startsWith('overlay');
  if (!overlaid) return textIssues(error, platform.packPath);
  const { line, column } = platform.overlayPosition;
  return textIssues(error, configPath).map((issue) => ({ ...issue, line, column }));
}

/** Two sources may share one profile: its error is said once. */
const unique = (issues: ConfigIssue[]): ConfigIssue[] =>
  issues.filter(
    (issue, index) => issues.findIndex((other) => JSON.stringify(other) === JSON.stringify(issue)) === index,
  );
