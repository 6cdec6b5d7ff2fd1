import { flushCompileCache } from 'node:module';
import { registry } from '../../adapters/registry.ts';
import { exitCodeForError, exitCodeOf } from '../../agent/cli/exit-codes.ts';
import { startAgent, startThread } from '../../agent/runtime.ts';
import { codeOf } from '../../agent/support/errors.ts';
import { createLog } from '../../agent/support/log.ts';
import { loadConfig } from '../../config/load.ts';

/** What the agent tells the launcher over IPC. */
export type AgentMessage =
  | { ready: true; mllp: { host: string; port: number }; status: string }
  /** A code of agent/support/errors.ts, and whether another try can help. */
  | { failed: string; portInUse: boolean };

const graceMs = 3_000;
const limitMs = 3_800;

/**
 * The demo's agent: the product's own runtime as a child of the launcher.
 *
 *     node test/demo/agent.ts <configuration file>
 *
 * Ends when told (`stop` over IPC, SIGTERM) and when the launcher is gone.
 */
async function main(path: string): Promise<void> {
  const tell = (message: AgentMessage) =>
    new Promise<void>((resolve) => {
      if (process.connected && process.send !== undefined) process.send(message, () => resolve());
      else resolve();
    });
  const asked = new Promise<'asked'>((resolve) => {
    const end = () => {
      // Whatever hangs, nothing outlives the launcher for long.
      setTimeout(() => process.exit(0), limitMs).unref();
      resolve('asked');
    };
    process.on('SIGTERM', end);
    // Ctrl-C reaches the whole group; the launcher says when to stop.
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
    process.on('message', end);
    process.on('disconnect', end);
  });

  try {
    const thread = startThread();
    const config = loadConfig(path, registry, process.env);
    const log = createLog(config.log.file ?? 2, config.log.level);
    const agent = await startAgent({ config, registry, demo: true, log, thread });
    const mllp = agent.addresses.sources.lis;
    if (mllp === undefined) {
      // The product would go on without a listener that cannot start and show it; a demo without one is none.
      await tell({ failed: 'MLLP-2001', portInUse: true });
      await agent.stop(graceMs);
      process.exit(1);
    }
    await tell({ ready: true, mllp, status: agent.addresses.status });
    // Now, not at the end: a crash must find it.
    flushCompileCache();
    const ended = await Promise.race([asked, agent.done]);
    await agent.stop(graceMs);
    process.exit(ended === 'asked' ? 0 : exitCodeOf(ended));
  } catch (error) {
    const code = codeOf(error, 'SYS-6004');
    await tell({ failed: code, portInUse: code === 'SYS-6005' });
    console.error(error);
    process.exit(exitCodeForError(error));
  }
}

await main(process.argv[2] ?? '');
