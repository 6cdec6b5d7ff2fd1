import type { Command } from '../../../agent/cli/command.ts';
import { config } from '../../../agent/cli/config.ts';
import { runProgram } from '../../../agent/cli/program.ts';
import { status } from '../../../agent/cli/status.ts';
import { version } from '../../../agent/cli/version.ts';
import type { Registry } from '../../../agent/registry.ts';
import { smallRegistry } from '../../config/small-registry.ts';

export interface Spoken {
  exit: number;
  out: string;
  talk: string;
}

/** Runs a command line in this process and gives what it said. */
export async function speak(
  args: string[],
  commands: readonly Command[] = [config, status, version],
  registry: Registry = smallRegistry,
  env: Record<string, string> = {},
  typed = '',
): Promise<Spoken> {
  const out: string[] = [];
  const talk: string[] = [];
  const exit = await runProgram(args, commands, {
    env,
    registry: async () => registry,
    out: (line) => out.push(line),
    talk: (line) => talk.push(line),
    ask: async () => typed,
  });
  return { exit, out: out.join('\n'), talk: talk.join('\n') };
}
