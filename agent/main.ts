import { archive } from './cli/archive.ts';
import type { Command } from './cli/command.ts';
import { config } from './cli/config.ts';
import { runProgram } from './cli/program.ts';
import { replay } from './cli/replay.ts';
import { instance } from './cli/resend.ts';
import { run } from './cli/run.ts';
import { status } from './cli/status.ts';
import { study } from './cli/study.ts';
import { firstLine } from './cli/terminal.ts';
import { version } from './cli/version.ts';
import { errorTable } from './support/errors.ts';

/** The table of commands. `help` is answered by the program itself. */
const commands: readonly Command[] = [
  run(() => import('./runtime.ts')),
  config,
  status,
  study,
  instance,
  archive,
  replay,
  version,
];

async function main(): Promise<number> {
  // Node 20 cannot even load this file; a Node between can, and would fail later in stranger ways.
  if (Number.parseInt(process.versions.node, 10) < 24) {
    const { zh, en } = errorTable['SYS-6003'];
    console.error(`SYS-6003 ${zh.title}：${zh.cause}${zh.fix}\nSYS-6003 ${en.title}. ${en.cause} ${en.fix}`);
    return 1;
  }
  return runProgram(process.argv.slice(2), commands, {
    env: process.env,
    registry: async () => (await import('../adapters/registry.ts')).registry,
    out: (line) => process.stdout.write(`${line}\n`),
    talk: (line) => process.stderr.write(`${line}\n`),
    ask: (question) => firstLine(process.stdin, (text) => process.stderr.write(text), question),
  });
}

main().then((code) => {
  process.exitCode = code;
});
