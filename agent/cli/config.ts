import { stringify } from 'yaml';
import { type CheckedTexts, checkTexts } from '../../config/check-texts.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { logicalSources } from '../../config/logical-sources.ts';
import { configJsonSchema } from '../../config/schema.ts';
import { type CliContext, type Command, configOption, UsageError } from './command.ts';
import { showProfile } from './config-profile.ts';
import { issueData, issueLine } from './error-report.ts';
import { exitCode } from './exit-codes.ts';

/** Looks at a configuration; opens no socket, no store and no other network or data file. */
export const config: Command = {
  name: 'config',
  usage: 'config validate|schema|show [--effective] --config FILE | profile [NAME|FILE]',
  summary: {
    zh: '检查配置 | 输出 JSON Schema | 显示配置 | 接入规则全文，或用一条消息试它（--message 文件）',
    en: 'check | print the JSON Schema | show | a source profile as a whole, or tried on --message FILE',
  },
  takesWords: true,
  options: { config: { type: 'string' }, effective: { type: 'boolean' }, message: { type: 'string' } },
  async run(context, words, options) {
    const [verb, ...rest] = words;
    if (verb === 'profile' && rest.length <= 1) {
      await showProfile(context, rest[0], typeof options.message === 'string' ? options.message : undefined);
      return exitCode.ok;
    }
    if (rest.length === 0 && verb === 'schema') {
      context.out(JSON.stringify(configJsonSchema(await context.registry()), undefined, 2));
      return exitCode.ok;
    }
    if (rest.length === 0 && (verb === 'validate' || verb === 'show')) {
      const path = configOption(options);
      const registry = await context.registry();
      const loaded = loadConfig(path, registry, context.env);
      const texts = checkTexts(loaded, registry);
      if (verb === 'validate') reportValid(context, { ...loaded, warnings: [...loaded.warnings, ...texts.warnings] });
      else show(context, loaded, texts, options.effective === true);
      return exitCode.ok;
    }
    throw new UsageError({
      zh: 'config 之后请写 validate、schema、show 或 profile。',
      en: 'After config write validate, schema, show or profile.',
    });
  },
};

function reportValid(context: CliContext, loaded: LoadedConfig): void {
  const { lang, json } = context;
  if (json) {
    const warnings = loaded.warnings.map((warning) => issueData(context, warning));
    context.out(JSON.stringify({ valid: true, file: loaded.path, warnings }));
    return;
  }
  for (const warning of loaded.warnings) context.talk(issueLine(context, warning));
  const [s, p] = [loaded.sources.length, loaded.platforms.length + loaded.imagePlatforms.length];
  const senders = logicalSources(loaded).length - s;
  const [zh, en] = senders === 0 ? ['', ''] : [`（区分 ${senders} 个发送方）`, ` (senders told apart ${senders})`];
  context.out(
    lang === 'zh' ? `配置有效：${s} 个来源${zh}，${p} 个平台。` : `Valid: sources ${s}${en}, platforms ${p}.`,
  );
}

function show(context: CliContext, loaded: LoadedConfig, { renderers }: CheckedTexts, effective: boolean): void {
  const unverified = Object.fromEntries([...renderers].map(([name, renderer]) => [name, renderer.unverified]));
  if (context.json) {
    context.out(
      JSON.stringify(effective ? { effective: loaded.effective, unverified } : { ...overview(loaded), unverified }),
    );
    return;
  }
  context.out(stringify(effective ? loaded.effective : overview(loaded)).trimEnd());
  for (const warning of loaded.warnings) context.talk(issueLine(context, warning));
  for (const [name, parts] of Object.entries(unverified)) {
    const zh = context.lang === 'zh';
    if (parts.length === 0) {
      context.talk(zh ? `平台 ${name}：规范包各项均有出处。` : `Platform ${name}: every part of the pack is verified.`);
    } else {
      context.talk(
        zh
          ? `平台 ${name}：规范包中以下各项没有公开出处，请与平台核对：`
          : `Platform ${name}: no public source verifies these parts of the pack; check them with the platform:`,
      );
      for (const part of parts) context.talk(`  - ${part}`);
    }
  }
}

const overview = (loaded: LoadedConfig) => ({
  site: loaded.effective.site,
  sources: loaded.sources.map(({ name, kind, profilePath, senders }) => ({
    name,
    kind,
    profile: profilePath,
    ...(senders.length > 0 && {
      senders: senders.map(({ name, profilePath, continues }) => ({
        name,
        profile: profilePath,
        ...(continues !== undefined && { continues }),
      })),
    }),
  })),
  platforms: [
    ...loaded.platforms.map(({ name, kind, format, packPath }) => ({ name, kind, format, pack: packPath })),
    ...loaded.imagePlatforms.map(({ name, kind }) => ({ name, kind })),
  ],
});
