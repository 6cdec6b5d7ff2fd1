import type { Language } from '../support/text.ts';
import type { Command } from './command.ts';

/** The help text: every command with its usage and one line about it. */
export function helpText(commands: readonly Command[], lang: Language): string {
  const width = Math.max(...commands.map((command) => command.usage.length)) + 2;
  const lines = commands.map((command) => `  qianzhi ${command.usage.padEnd(width)}${command.summary[lang]}`);
  return lang === 'zh'
    ? [
        '前置：从院内系统接收消息，安全保存，经双向 TLS 上传平台。',
        '',
        '用法：',
        ...lines,
        '',
        '通用选项：',
        '  --json         输出 JSON，便于程序读取',
        '  --lang zh|en   语言，缺省按 LANG',
        '',
        '退出码：0 正常，1 故障，2 用法有误，3 需关注，5 程序未运行，73 无法写入，77 权限不足，78 配置有误',
        '在项目文件夹里：npm run --silent qianzhi -- <命令>',
      ].join('\n')
    : [
        'Qianzhi: takes messages from hospital systems, keeps them safe, uploads them over mutual TLS.',
        '',
        'Usage:',
        ...lines,
        '',
        'Common options:',
        '  --json         JSON output for programs',
        '  --lang zh|en   language, by default from LANG',
        '',
        'Exit codes: 0 ok, 1 failure, 2 usage, 3 needs attention, 5 not running, 73 cannot write, 77 permission, 78 configuration invalid',
        'In the project folder: npm run --silent qianzhi -- <command>',
      ].join('\n');
}
