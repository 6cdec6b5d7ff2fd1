import { checkTexts } from '../../config/check-texts.ts';
import { loadConfig } from '../../config/load.ts';
import { logicalSources } from '../../config/logical-sources.ts';
import { setIdsOf } from '../clinical/reports/set-id.ts';
import { compileReaders } from '../mapping/readers.ts';
import { type ReplayFigures, replay as replayStore } from '../mapping/replay.ts';
import { startComparing } from '../mapping/replay-documents.ts';
import { siteOf } from '../rendering/site.ts';
import { openScratch } from '../store/sqlite/replay/replay-scratch.ts';
import { openReplayView } from '../store/sqlite/replay/replay-view.ts';
import { type CliContext, type Command, configOption } from './command.ts';
import { exitCode } from './exit-codes.ts';

/**
 * Maps and renders everything stored again and compares it with what was made of it. With unchanged rules all is the
 * same; before a new source profile or province pack is put into use it shows what would come out differently.
 */
export const replay: Command = {
  name: 'replay',
  usage: 'replay --config FILE [--json]',
  summary: {
    zh: '用当前规则重算已存消息并与当时的结果逐字节比较（不上传，不改动；退出码 0 完全一致，3 有不同）',
    en: 'map all stored messages again and compare with what was made of them (uploads and changes nothing)',
  },
  options: { config: { type: 'string' } },
  async run(context, _words, options) {
    const registry = await context.registry();
    const config = loadConfig(configOption(options), registry, context.env);
    const { profiles, packs } = checkTexts(config, registry);
    const sources = logicalSources(config).map((source) => ({ ...source, profile: profiles.get(source.name) }));
    const readers = compileReaders(registry, sources);
    const site = siteOf(config.site);
    const { orgCode } = site;
    const { folder, key: keyReference } = config.data;
    const platforms = config.platforms.map(({ name, format }) => ({ name, format, pack: packs.get(name) }));
    const view = openReplayView(folder, keyReference);
    const scratch = openScratch(folder, view.record);
    const comparing = startComparing({ folder, keyReference, site, platforms });
    try {
      const { compare } = comparing;
      const stage = { readers, timeZone: config.site.time_zone, orgCode, setIdOf: setIdsOf(orgCode), compare };
      const figures = await replayStore({ ...stage, view, scratch }, (so) => {
        if (!context.json) context.talk(progress(so, context));
      });
      context.out(context.json ? JSON.stringify(figures) : describe(figures, context));
      return figures.different + figures.documents.different > 0 ? exitCode.degraded : exitCode.ok;
    } finally {
      await comparing.close();
      scratch.close();
      view.close();
    }
  },
};

const progress = ({ messages }: ReplayFigures, { lang }: CliContext): string =>
  lang === 'zh' ? `已重算 ${messages} 条` : `${messages} messages so far`;

function describe(figures: ReplayFigures, { lang }: CliContext): string {
  const { messages, same, different, damaged, documents, examples } = figures;
  const named = examples.map(({ seq, platform }) => (platform ? `${seq} (${platform})` : `${seq}`)).join(', ');
  const lines =
    lang === 'zh'
      ? [
          `消息 ${messages}：结果相同 ${same}，不同 ${different}，损坏 ${damaged}`,
          `文档：相同 ${documents.same}，不同 ${documents.different}`,
          ...(named ? [`不同的消息编号：${named}`] : []),
        ]
      : [
          `messages ${messages}: same ${same}, different ${different}, damaged ${damaged}`,
          `documents: same ${documents.same}, different ${documents.different}`,
          ...(named ? [`messages that differ: ${named}`] : []),
        ];
  return lines.join('\n');
}
