import { stringify } from 'yaml';
import { type CheckedTexts, checkTexts } from '../../config/check-texts.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { configJsonSchema } from '../../config/schema.ts';
import { type CliContext, type Command, configOption, UsageError } from './command.ts';
import { issueData, issueLine } from './error-report.ts';
import { exitCode } from './exit-codes.ts';

/** Looks at a configuration; opens no socket, no store and no other network or data file. */
export const config: Command = {
  name: 'config',
  usage: 'config validate|schema|show --config FILE [--json] [--effective]',
  summary: { zh: '检查配置 | 输出 JSON Schema | 显示配置', en: 'check | print the JSON Schema | show' },
  takesWords: true,
  options: { config: { type: 'string' }, effective: { type: 'boolean' } },
  async run(context, words, options) {
    const [verb, ...rest] = words;
    if (rest.length === 0 && verb === 'schema') {
      context.out(JSON.stringify(configJsonSchema(await context.registry()), undefined, 2));
      return exitCode.ok;
    }
    if (rest.length === 0 && (verb === 'validate' || verb === 'show')) {
      const path = configOption(options);
      const registry = await context.registry();
      const loaded = loadConfig(path, registry, context.env);
      const texts = checkTexts(loaded, registry);
      if (verb === 'validate') reportValid(context, loaded);
      else show(context, loaded, texts, options.effective === true);
      return exitCode.ok;
    }
    throw new UsageError({
      zh: 'config 之后请写 validate、schema 或 show。',
      en: 'After config write validate, schema or show.',
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
  context.out(lang === 'zh' ? `配置有效：${s} 个来源，${p} 个平台。` : `Valid: sources ${s}, platforms ${p}.`);
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
  sources: loaded.sources.map(({ name, kind, profilePath }) => ({ name, kind, profile: profilePath })),
  platforms: [
    ...loaded.platforms.map(({ name, kind, format, packPath }) => ({ name, kind, format, pack: packPath })),
    ...loaded.imagePlatforms.map(({ name, kind }) => ({ name, kind })),
  ],
});
