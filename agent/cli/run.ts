import { readFileSync } from 'node:fs';
import { type ConfigIssue, throwIfAny } from '../../config/config-error.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { message } from '../../config/messages.ts';
import type { Registry } from '../registry.ts';
import { isDemoCertificate } from '../security/demo-marker.ts';
import { type ErrorCode, QianzhiError } from '../support/errors.ts';
import { createLog, type Log } from '../support/log.ts';
import type { Bilingual } from '../support/text.ts';
import { type CliContext, type Command, configOption } from './command.ts';
import { issueData, issueLine, reportError } from './error-report.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';

/** What `run` needs of the runtime (agent/runtime.ts). */
export interface Runtime<Thread> {
  /** Begins what takes time and opens nothing; goes to `startAgent`. */
  startThread(): Thread;
  startAgent(options: { config: LoadedConfig; registry: Registry; demo: boolean; log: Log; thread: Thread }): Promise<{
    /** `status` is the address of the page. */
    addresses: { status: string };
    stop(graceMs: number): Promise<void>;
    /** Settles only when the agent ends by itself: with the code of what ended it. */
    done: Promise<ErrorCode>;
  }>;
}

/** Everything is over within 5 s of a signal; the agent gets most of it. */
const STOP_GRACE_MS = 4_000;
const STOP_LIMIT_MS = 4_800;
const EXIT_MS = 300;

/** The agent in the foreground, as systemd and the Windows service call it. */
export const run = <Thread>(load: () => Promise<Runtime<Thread>>): Command => ({
  name: 'run',
  usage: 'run --config FILE',
  summary: { zh: '前台运行（Ctrl-C 停止）', en: 'run in the foreground (Ctrl-C stops it)' },
  options: { config: { type: 'string' } },
  async run(context, _words, options) {
    const path = configOption(options);
    const runtime = await load();
    // Senders wait: the store's thread loads its code while the configuration is read.
    const thread = runtime.startThread();
    const registry = await context.registry();
    const config = loadConfig(path, registry, context.env);
    // What is "today", and the time in an answer: the site's, whatever zone a container or service was given.
    process.env.TZ = config.site.time_zone;
    const warnings = [...config.warnings, ...checkFiles(config)];
    for (const warning of warnings) {
      context.talk(context.json ? JSON.stringify(issueData(context, warning)) : issueLine(context, warning));
    }
    const signalled = nextSignal();
    const log = createLog(config.log.file ?? 2, config.log.level);
    const agent = await runtime.startAgent({ config, registry, demo: false, log, thread }).catch((error: unknown) => {
      exitSoon();
      throw error;
    });
    announce(context, agent.addresses.status);
    const ended = await Promise.race([signalled, agent.done]);
    const limit = setTimeout(
      () => process.exit(ended === 'signal' ? exitCode.failure : exitCodeOf(ended)),
      STOP_LIMIT_MS,
    );
    try {
      await agent.stop(STOP_GRACE_MS);
    } finally {
      clearTimeout(limit);
      exitSoon();
    }
    if (ended === 'signal') return exitCode.ok;
    reportError(context, new QianzhiError(ended));
    return exitCodeOf(ended);
  },
});

/** Whatever a part may have left open must not keep a stopped agent alive; the exit code is set by then. */
const exitSoon = (): void => {
  setTimeout(() => process.exit(), EXIT_MS).unref();
};

/**
 * Certificates and the like before the start. A demo certificate is refused (CFG-5007). A file that
 * cannot be read is named and no more: certificate problems stop uploads, or the one listener that needs them (invariant 9).
 */
function checkFiles(config: LoadedConfig): ConfigIssue[] {
  const issue = (
    code: ErrorCode,
    message: Bilingual,
    { path, line, column }: LoadedConfig['files'][number],
  ): ConfigIssue => ({ code, file: config.path, line, column, path, message });
  const warnings: ConfigIssue[] = [];
  const refused: ConfigIssue[] = [];
  for (const entry of config.files) {
    try {
      if (isDemoCertificate(readFileSync(entry.file, 'utf8')))
        refused.push(issue('CFG-5007', message.demoCertificate(), entry));
    } catch {
      const ofListener = entry.path.startsWith('sources');
      warnings.push(
        issue('TLS-1209', ofListener ? message.listenerCertificateAbsent() : message.certificateAbsent(), entry),
      );
    }
  }
  throwIfAny(refused);
  return warnings;
}

/** Resolves at the first SIGTERM or SIGINT; later ones are ignored, for npm passes on what the terminal sent already. */
const nextSignal = (): Promise<'signal'> =>
  new Promise((resolve) => {
    process.on('SIGTERM', () => resolve('signal'));
    process.on('SIGINT', () => resolve('signal'));
  });

function announce({ lang, json, out, talk }: CliContext, url: string): void {
  if (json) out(JSON.stringify({ ready: true, status: url }));
  talk(lang === 'zh' ? `前置机已启动，状态页：${url}` : `The agent is running; status page: ${url}`);
}
