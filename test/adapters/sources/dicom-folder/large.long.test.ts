import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { table, tried } from '../../../long/figures.ts';
import { instanceFile } from './files.ts';
import { startSource, until } from './running.ts';

/**
 * A folder that already holds very many files, as a PACS keeps them: all are taken, whatever number of them is
 * remembered at a time, and after a restart none is read again. What start and idleness cost is printed.
 */
const full = process.env.QIANZHI_PROOF === '1';
const folders = full ? 2000 : 40;
const inEach = 50;
const inAll = folders * inEach;
const idleMs = full ? 60_000 : 2000;

t.setTimeout(3_600_000);

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

t.test('a folder of very many files: all are taken, and none again after a restart', async (t) => {
  const first = await startSource(t, { after: 'leave', scan_interval_seconds: 5 }, {});
  await first.source.stop(5000);
  for (let folder = 0; folder < folders; folder++) {
    mkdirSync(join(first.inbox, `P${folder}`));
    for (let i = 0; i < inEach; i++) {
      const uid = `1.2.826.0.1.3680043.10.9999.${folder + 1}.${i + 1}`;
      writeFileSync(join(first.inbox, `P${folder}`, `IM${i}`), instanceFile({ uid, pixels: 64 }));
    }
  }
  const start = async () => {
    const [cpu, at] = [cpuMs(), performance.now()];
    const running = await startSource(
      t,
      { after: 'leave', scan_interval_seconds: 5 },
      { base: first.base, intake: first.intake },
    );
    await until(() => running.source.status().state === 'listening');
    return { running, began: `${seconds(performance.now() - at)}, CPU ${seconds(cpuMs() - cpu)}` };
  };

  const unknown = await start();
  await until(() => unknown.running.source.status().folder.takenToday === inAll);
  await unknown.running.source.stop(5000);
  t.equal(first.intake.committed, inAll, 'each once');
  t.equal(first.intake.stored.length, inAll);

  const known = await start();
  t.match(known.running.source.status().folder, { waiting: 0, held: {}, ignored: {} });
  const [cpu, at] = [cpuMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const share = ((cpuMs() - cpu) / (performance.now() - at)) * 100;
  t.equal(first.intake.begun, inAll, 'none is read again');

  t.comment(tried('files that lay in a folder at the start', inAll, inAll - first.intake.stored.length));
  t.comment(
    table(`a folder of ${inAll} files in ${folders} folders`, [
      ['listening, all of them new', unknown.began],
      ['listening, all of them known', known.began],
      ['processor while idle', `${share.toFixed(2)} %`],
    ]),
  );
});
