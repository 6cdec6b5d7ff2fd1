import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildAgent } from '../../installer/build-agent.ts';
import { buildPage } from '../../installer/build-page.ts';
import { root } from '../../installer/outputs.ts';
import { serviceEnvironment, v8Flags } from '../../installer/run-settings.ts';
import type { AgentMessage } from './agent.ts';
import { openFolder, type Ports, settlePorts, writeConfig } from './folder.ts';
import { type Kept, keepRunning } from './keeper.ts';

const compiledCode = fileURLToPath(new URL('dist/compiled/', root));

/** The line of `--json`, printed each time the agent is ready. */
export interface ReadyLine {
  ready: true;
  mllp: { host: string; port: number };
  status: string;
  platform: string;
  /** Folder of the documents that the simulated province accepted. */
  received: string;
  /** The agent's data folder. */
  data: string;
  agentPid: number;
}

export interface DemoOptions {
  folder: string;
  platformDown: boolean;
  ready: (line: ReadyLine) => void;
  /** The agent died and is started again. */
  restarting?: () => void;
  accepted?: (count: number) => void;
  /** The province did, or could not do, what it was told. */
  platformTold?: (command: string, ok: boolean) => void;
  /** It cannot be started at all; everything has to be stopped. */
  failed: (reason: string) => void;
}

export interface Demo {
  /** `down`, `up`, or a fault (test/platform/province.ts). */
  platform(command: string): void;
  /** Everything ends within 4.5 s. */
  stop(): Promise<void>;
}

type ProvinceMessage =
  | { ready: true; url: string; port: number; received: string; accepted: number }
  | { accepted: number }
  | { done: string }
  | { failed: string };

/** How long the agent may fail to become ready for the first time before the demo gives up. */
const patienceMs = 20_000;
const invalidConfiguration = 78;

/** The simulated province and the agent, kept running side by side on ports that stay the same. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  await Promise.all([buildPage(), buildAgent()]);
  const folder = openFolder(options.folder);
  let ports: Ports = await settlePorts(folder);
  const consoleFile = openSync(folder.console, 'a', 0o600);
  const startedMs = performance.now();
  let down = options.platformDown;
  let everReady = false;
  let portInUse = false;
  let lastFailure = '';
  let agent: Kept | undefined;

  const { pki } = folder;
  const province = keepRunning({
    script: new URL('../platform/province.ts', import.meta.url),
    arguments: () => [
      ...['--folder', folder.province, '--port', String(ports.platform)],
      ...['--cert', pki.serverCert, '--key', pki.serverKey, '--ca', pki.ca],
      ...(down ? ['--down'] : []),
    ],
    output: consoleFile,
    message(received) {
      const message = received as ProvinceMessage;
      if ('accepted' in message) options.accepted?.(message.accepted);
      if ('ready' in message) agent ??= keepAgent();
      if ('done' in message) options.platformTold?.(message.done, true);
      if ('failed' in message) options.platformTold?.(message.failed, false);
    },
    died() {
      if (agent !== undefined) return true;
      options.failed(`the simulated province does not start; see ${folder.console}`);
      return false;
    },
    failed: (error) => options.failed(String(error)),
  });

  const keepAgent = (): Kept =>
    keepRunning({
      // Bundled, as it is installed: test/demo/agent.ts and the product behind it.
      script: new URL('../../dist/agent/demo-agent.js', import.meta.url),
      nodeFlags: v8Flags,
      // The binary carries its compiled code inside; the bundle keeps it beside itself.
      environment: { ...serviceEnvironment, NODE_COMPILE_CACHE: compiledCode },
      async arguments() {
        // Before the first ready line nobody knows the ports yet; after it they stay, whatever happens.
        if (portInUse && !everReady) ports = { ...(await settlePorts(folder, true)), platform: ports.platform };
        portInUse = false;
        writeConfig(folder, ports);
        return [folder.config];
      },
      output: consoleFile,
      message(received) {
        const message = received as AgentMessage;
        if ('failed' in message) {
          lastFailure = message.failed;
          portInUse = message.portInUse;
          return;
        }
        everReady = true;
        const agentPid = agent?.pid();
        if (agentPid === undefined) return;
        options.ready({
          ready: true,
          mllp: message.mllp,
          status: message.status,
          platform: `https://localhost:${ports.platform}`,
          received: folder.received,
          data: folder.data,
          agentPid,
        });
      },
      died(code) {
        const hopeless = code === invalidConfiguration || performance.now() - startedMs > patienceMs;
        if (!everReady && hopeless) {
          options.failed(`the agent does not start${lastFailure && ` (${lastFailure})`}; see ${folder.console}`);
          return false;
        }
        options.restarting?.();
        return true;
      },
      failed: (error) => options.failed(String(error)),
    });

  return {
    platform(command) {
      if (command === 'down') down = true;
      if (command === 'up') down = false;
      province.tell(command);
    },
    async stop() {
      // The province outlives the agent by a moment, so that what is on its way still gets its answer.
      await agent?.stop(4_000);
      await province.stop(400);
      closeSync(consoleFile);
    },
  };
}
