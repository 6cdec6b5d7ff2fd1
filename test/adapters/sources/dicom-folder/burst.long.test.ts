import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { table, tried } from '../../../long/figures.ts';
import { instanceFile } from './files.ts';
import { startSource, until } from './running.ts';

/**
 * Bursts as in reference/dicom.md §4.1, in which every event API lost files: another process puts small files into 20
 * new folders. Nothing may be lost; what noticing them costs is measured by itself, in a run that takes none.
 */
const full = process.env.QIANZHI_PROOF === '1';
const inAll = full ? 20_000 : 2000;
const folders = 20;

t.setTimeout(3_600_000);

const run = promisify(execFile);
const marker = '1.2.3.1111111111';

/** Writes the burst: the template with its own UID in each file. `rename` as most senders do, `direct` as the others. */
const writer = `
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const [template, inbox, how, count, folders] = process.argv.slice(1);
const content = readFileSync(template, 'latin1');
for (let i = 0; i < Number(count); i++) {
  const folder = inbox + '/' + how + (i % Number(folders));
  mkdirSync(folder, { recursive: true });
  const bytes = Buffer.from(content.replaceAll('${marker}', '1.2.3.' + (1e9 + i)), 'latin1');
  if (how === 'direct') writeFileSync(folder + '/IM' + i, bytes);
  else {
    writeFileSync(folder + '/IM' + i + '.tmp', bytes);
    renameSync(folder + '/IM' + i + '.tmp', folder + '/IM' + i);
  }
}`;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

for (const how of ['rename', 'direct']) {
  t.test(`a burst of files by ${how}: all are taken, each once, and all are moved`, async (t) => {
    const noticing = await startSource(t, { min_age_seconds: 3000, scan_interval_seconds: 1 });
    const taking = await startSource(t, { min_age_seconds: 2, scan_interval_seconds: 1 });
    const burst = async (base: string, inbox: string) => {
      const template = join(base, 'template');
      mkdirSync(inbox, { recursive: true });
      writeFileSync(template, instanceFile({ uid: marker, pixels: 64 }));
      await run(process.execPath, ['-e', writer, template, inbox, how, String(inAll), String(folders)]);
    };

    let began = cpuMs();
    await burst(noticing.base, noticing.inbox);
    await until(() => noticing.source.status().folder.waiting === inAll);
    const noticedMs = cpuMs() - began;
    await noticing.source.stop(1000);

    began = cpuMs();
    const beganAt = performance.now();
    await burst(taking.base, taking.inbox);
    const writtenAt = performance.now();
    await until(() => taking.intake.stored.length === inAll);
    const takenAt = performance.now();
    await until(() => taking.source.status().folder.waiting === 0);
    await taking.source.stop(5000);
    t.equal(taking.intake.stored.length, inAll);
    t.equal(taking.intake.committed, inAll, 'each once');
    t.equal(new Set(taking.intake.stored.map(({ uid }) => uid)).size, inAll);
    const status = taking.source.status();
    t.match(status.folder, { takenToday: inAll, duplicatesToday: 0, held: {} });

    t.comment(tried(`files in a burst by ${how}`, inAll, inAll - taking.intake.stored.length));
    t.comment(
      table(`burst of ${inAll} files by ${how} into ${folders} new folders`, [
        ['CPU of noticing them', `${(noticedMs / 1000).toFixed(2)} s`],
        ['CPU of noticing, taking and moving', `${((cpuMs() - began) / 1000).toFixed(2)} s`],
        ['written in', `${((writtenAt - beganAt) / 1000).toFixed(1)} s`],
        ['last one taken after the last was written', `${((takenAt - writtenAt) / 1000).toFixed(1)} s`],
      ]),
    );
  });
}
