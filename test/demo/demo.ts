import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startDemo } from './launcher.ts';
import { showProgress } from './progress.ts';
import { startTraffic, type Traffic } from './traffic.ts';
import { wordsFor } from './words.ts';

const usage = `npm run demo -- [--json] [--no-traffic] [--dir <folder>] [--platform-down]

  --json           one line of JSON on stdout each time the agent is ready; ends with stdin
  --no-traffic     no invented hospital
  --dir <folder>   where everything is kept; default demo-data
  --platform-down  the simulated province does not listen at first

On stdin, one a line: "platform down", "platform up", "platform fault <JSON>" (test/platform/faults.ts),
"platform fault" (ends all faults).
`;

/** A hard end, in case something hangs: the promise is 5 s. */
const limitMs = 4_800;

async function main(): Promise<void> {
  let values: { json?: boolean; 'no-traffic'?: boolean; dir?: string; 'platform-down'?: boolean; help?: boolean };
  try {
    const flag = { type: 'boolean' } as const;
    const flags = {
      json: flag,
      'no-traffic': flag,
      dir: { type: 'string' },
      'platform-down': flag,
      help: flag,
    } as const;
    ({ values } = parseArgs({ options: flags }));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const json = values.json ?? false;
  const words = wordsFor(process.env);
  const progress = json ? undefined : showProgress(process.stdout);
  let traffic: Traffic | undefined;
  let accepted = 0;
  let platform: 'up' | 'down' = values['platform-down'] ? 'down' : 'up';
  let status = '';
  const show = () => {
    if (status !== '') progress?.show(words.progress(traffic?.acknowledged() ?? 0, accepted, platform, status));
  };

  let stopping: Promise<void> | undefined;
  const stop = (code: number) => {
    stopping ??= (async () => {
      setTimeout(() => process.exit(code), limitMs).unref();
      traffic?.stop();
      if (code === 0) progress?.say(words.stopping);
      await (await starting)?.stop();
      if (code === 0) progress?.say(words.stopped);
      process.exit(code);
    })();
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(0));
  // A pipe whose reader is gone is no reason to leave the children behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stop(1));

  const folder = values.dir ?? 'demo-data';
  const starting = startDemo({
    folder,
    platformDown: platform === 'down',
    ready(line) {
      if (stopping !== undefined) return;
      if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
      else if (status === '') progress?.say(words.opening(line.status, folder));
      status = line.status;
      if (!values['no-traffic']) {
        traffic ??= startTraffic({ ...line.mllp, onAcknowledged: show });
      }
      show();
    },
    restarting: () => status !== '' && progress?.say(words.restarting),
    accepted(count) {
      accepted = count;
      show();
    },
    platformTold(command, ok) {
      if (ok && (command === 'down' || command === 'up')) platform = command;
      if (!ok) process.stderr.write(`platform ${command}: failed\n`);
      show();
    },
    failed(reason) {
      process.stderr.write(`${words.failed(reason)}\n`);
      stop(1);
    },
  }).catch((error: unknown) => {
    process.stderr.write(`${words.failed(String(error))}\n`);
    stop(1);
    return undefined;
  });

  const input = createInterface({ input: process.stdin });
  input.on('line', async (line) => {
    const command = /^\s*platform (down|up|fault(?: .*)?)\s*$/.exec(line)?.[1];
    if (command !== undefined) (await starting)?.platform(command);
    else if (line.trim() !== '') process.stderr.write(`?\n${usage}`);
  });
  // A person's demo may well be started without a stdin; a machine's ends with the machine that drives it.
  if (json) input.on('close', () => stop(0));
  watchNpm(() => stop(0));
}

/** npm killed outright tells nobody; its script is then handed to another parent. */
function watchNpm(gone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) gone();
  }, 1000).unref();
}

await main();
