import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { table, tried } from '../../../long/figures.ts';
import { startFolder, until } from './dropped.ts';

/**
 * Bursts as in reference/dicom.md §4.1, in which every event API lost files: another process puts small files into 20 new
 * folders. Each message is stored once, each file sealed and gone.
 */
const full = process.env.QIANZHI_PROOF === '1';
const inAll = full ? 20_000 : 1000;
const folders = 20;
t.setTimeout(3_600_000);

const run = promisify(execFile);

/** Writes the burst: `rename` as most senders do, `direct` as the others. */
const writer = `
const { mkdirSync, renameSync, writeFileSync } = require('node:fs');
const [inbox, how, count, folders] = process.argv.slice(1);
for (let i = 0; i < Number(count); i++) {
  const folder = inbox + '/' + how + (i % Number(folders));
  mkdirSync(folder, { recursive: true });
  const bytes = 'MSH|^~\\\\&|LIS|H|Q|Z|20260115103000||ORU^R01|' + how + i + '|P|2.5.1\\rOBX|1|NM|K||' + i + '\\r';
  const path = folder + '/' + i + '.hl7';
  if (how === 'direct') writeFileSync(path, bytes);
  else {
    writeFileSync(path + '.tmp', bytes);
    renameSync(path + '.tmp', path);
  }
}`;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

for (const how of ['rename', 'direct']) {
  t.test(`a burst of files by ${how}: each message is stored once, each file is sealed and gone`, async (t) => {
    const d = await startFolder(t, { min_age_seconds: 2, scan_interval_seconds: 1 });
    const beganCpu = cpuMs();
    const began = performance.now();
    await run(process.execPath, ['-e', writer, d.inbox, how, String(inAll), String(folders)]);
    const written = performance.now();
    await until(() => d.source.status().folder.takenToday >= inAll && d.files().length === 0);
    const done = performance.now();
    const stored = d.stored();
    t.equal(stored.length, inAll);
    t.equal(new Set(stored).size, inAll);
    t.equal(d.accepted(), inAll, 'each handed over once');
    t.equal(d.files(d.archive).length, inAll);
    t.match(d.source.status().folder, { takenToday: inAll, duplicatesToday: 0, held: {}, ignored: {} });
    t.comment(tried(`HL7 files in a burst by ${how}`, inAll, inAll - stored.length));
    t.comment(
      table(`burst of ${inAll} HL7 files by ${how} into ${folders} new folders`, [
        ['written in', `${((written - began) / 1000).toFixed(1)} s`],
        ['last one sealed and gone after the last was written', `${((done - written) / 1000).toFixed(1)} s`],
        ['CPU of noticing, taking, storing and sealing', `${((cpuMs() - beganCpu) / 1000).toFixed(2)} s`],
      ]),
    );
  });
}
