import { version as programVersion } from '../support/version.ts';
import type { Command } from './command.ts';
import { exitCode } from './exit-codes.ts';

export const version: Command = {
  name: 'version',
  usage: 'version [--json]',
  summary: { zh: '显示版本', en: 'show the version' },
  options: {},
  async run({ json, out }) {
    const data = {
      version: programVersion,
      node: process.versions.node,
      sqlite: process.versions.sqlite,
      platform: `${process.platform}-${process.arch}`,
    };
    out(json ? JSON.stringify(data) : `qianzhi ${data.version}`);
    return exitCode.ok;
  },
};
