import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Faults } from './faults.ts';
import { startProvince } from './server.ts';

export { type Province, type ProvinceOptions, startProvince } from './server.ts';

/**
 * The simulated province as a process of its own:
 *
 *     node test/platform/province.ts --folder <dir> --cert <pem> --key <pem> --ca <pem> [--port N] [--down]
 *
 * Commands, one a line on stdin or one a message over IPC: `down`, `up`, `fault <JSON of Faults>`,
 * `fault` (ends all), `stop`. Answers over IPC, else one line of JSON on stdout: first
 * `{"ready":true,"url","port","received"}`, then `{"done":"<command>"}` or `{"failed":"<command>"}` for
 * each, and `{"accepted":N}` at most twice a second. Ends when whoever started it is gone.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string' },
      cert: { type: 'string' },
      key: { type: 'string' },
      ca: { type: 'string' },
      port: { type: 'string' },
      down: { type: 'boolean' },
    },
  });
  const { folder, cert, key, ca, port, down } = values;
  if (!folder || !cert || !key || !ca) throw new Error('needs --folder --cert --key --ca');
  const tell = (message: object) => {
    // A message to a parent that has just gone is nobody's loss.
    if (process.send !== undefined) process.send(message, () => {});
    else process.stdout.write(`${JSON.stringify(message)}\n`);
  };

  let accepted = 0;
  let due = false;
  const province = await startProvince({
    folder,
    tls: { cert, key, ca },
    ...(port === undefined ? {} : { port: Number(port) }),
    down: down ?? false,
    onAccepted(count) {
      accepted = count;
      if (due) return;
      due = true;
      setTimeout(() => {
        due = false;
        tell({ accepted });
      }, 500);
    },
  });

  async function obey(line: string): Promise<void> {
    const [command = '', rest = ''] = line.trim().split(/ (.*)/s);
    if (command === 'down') await province.down();
    else if (command === 'up') await province.up();
    else if (command === 'fault') province.setFault(rest === '' ? undefined : (JSON.parse(rest) as Faults));
    else if (command === 'stop') process.exit(0);
    else throw new Error('unknown command');
  }
  // One after the other: `down` and `up` in quick succession must end up.
  let turn = Promise.resolve();
  const take = (line: unknown) => {
    turn = turn.then(() =>
      obey(String(line)).then(
        () => tell({ done: line }),
        () => tell({ failed: line }),
      ),
    );
  };

  const end = () => process.exit(0);
  process.on('SIGTERM', end);
  if (process.send !== undefined) {
    // Ctrl-C reaches the whole group; the launcher says when to stop.
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
    process.on('message', take);
    process.on('disconnect', end);
  } else {
    const input = createInterface({ input: process.stdin });
    input.on('line', take);
    input.on('close', end);
  }
  tell({
    ready: true,
    url: province.url,
    port: province.port,
    received: province.receivedFolder,
    accepted: province.received().length,
  });
}

if (import.meta.main) await main();
