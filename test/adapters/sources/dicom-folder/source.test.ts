import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { instanceFile } from './files.ts';
import { startSource, until } from './running.ts';
import { diskFull } from './watched.ts';

// They wait for most of their time, each for folders of its own.
t.jobs = 4;

t.test('a file put into the folder is taken and moved; the status tells it', async (t) => {
  const r = await startSource(t);
  await until(() => r.source.status().state === 'listening');
  mkdirSync(join(r.inbox, 'study'));
  writeFileSync(join(r.inbox, 'study/IM1'), instanceFile({ uid: '1.2.3' }));
  await until(() => r.source.status().folder.takenToday === 1);
  const status = r.source.status();
  t.match(status, { name: 'ct', kind: 'dicom-folder', state: 'listening', senders: [{ messagesToday: 1 }] });
  t.type(status.folder.lastFileMs, 'number');
  t.equal(status.problem, undefined);
  await until(() => r.told() > 0);
});

t.test('a notice of the system makes the scan come sooner; without it the scan comes all the same', async (t) => {
  const noticed = await startSource(t, { scan_interval_seconds: 3600 });
  const scanned = await startSource(t, { scan_interval_seconds: 0.5, watch: false });
  await until(() => noticed.source.status().state === 'listening' && scanned.source.status().state === 'listening');
  // The watcher opens after the first pass and says nothing of what was there before.
  let files = 0;
  while (noticed.intake.committed === 0) {
    writeFileSync(join(noticed.inbox, `IM${files}`), instanceFile({ uid: `1.2.${++files}` }));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.ok(noticed.intake.committed > 0, 'an hour before the next scan');
  writeFileSync(join(scanned.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await until(() => scanned.intake.committed === 1);
});

t.test('a folder that is not there: failed with DCM-2261, and it goes on by itself when it is', async (t) => {
  const r = await startSource(t, {}, { makeInbox: false });
  await until(() => r.source.status().state === 'failed');
  t.equal(r.source.status().problem?.code, 'DCM-2261');
  mkdirSync(r.inbox);
  writeFileSync(join(r.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await until(() => r.intake.stored.length === 1 && r.source.status().state === 'listening');
  renameSync(r.inbox, join(r.base, 'away'));
  await until(() => r.source.status().state === 'failed');
  writeFileSync(join(r.base, 'away/IM2'), instanceFile({ uid: '1.2.4' }));
  renameSync(join(r.base, 'away'), r.inbox);
  await until(() => r.intake.stored.length === 2 && r.source.status().state === 'listening');
  t.equal(r.source.status().problem, undefined);
});

t.test('a full disk shows as the problem of the source and goes when it is over', async (t) => {
  const r = await startSource(t);
  r.intake.hinder((at) => {
    if (at === 'begin') diskFull();
  });
  writeFileSync(join(r.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await until(() => r.source.status().problem?.code === 'QUE-4002');
  t.equal(r.source.status().state, 'listening');
  r.intake.hinder(() => {});
  await until(() => r.intake.committed === 1);
  await until(() => r.source.status().problem === undefined);
});

t.test('held files show as a problem that a person finds', async (t) => {
  const r = await startSource(t);
  writeFileSync(join(r.inbox, 'IM1'), instanceFile({ uid: 'x' }));
  writeFileSync(join(r.inbox, 'IM2'), instanceFile({ uid: '1.2.3', pixels: 5000 }).subarray(0, 3000));
  await until(() => Object.keys(r.source.status().folder.held).length === 2);
  t.match(r.source.status().senders, [{ address: 'folder', problem: { code: 'DCM-2204', count: 1 } }]);
});

t.test('an archive that is the folder, or contains it by any name: DCM-2264', async (t) => {
  await t.rejects(startSource(t, { archive: '/' }), { code: 'DCM-2264', where: 'sources.ct.archive' });
  const r = await startSource(t);
  symlinkSync(r.base, join(r.base, 'link'));
  for (const place of ['inbox', 'inbox/../inbox', 'link', 'link/inbox', '.']) {
    await t.rejects(startSource(t, { folder: r.inbox, archive: join(r.base, place) }), { code: 'DCM-2264' }, place);
  }
});

t.test('stop: a file in work is finished, nothing new begins, and the next start reads none twice', async (t) => {
  const r = await startSource(t, { after: 'leave', concurrency: 1 });
  const gate = Promise.withResolvers<void>();
  r.intake.hinder((at) => (at === 'commit' ? gate.promise : undefined));
  for (let i = 0; i < 5; i++) writeFileSync(join(r.inbox, `IM${i}`), instanceFile({ uid: `1.2.${i}` }));
  await until(() => r.intake.begun === 1);
  const stopped = r.source.stop(5000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  gate.resolve();
  await stopped;
  t.equal(r.source.status().state, 'stopped');
  t.equal(r.intake.committed, 1);
  r.intake.hinder(() => {});
  const next = await startSource(t, { after: 'leave' }, { base: r.base, intake: r.intake });
  await until(() => r.intake.stored.length === 5);
  await next.source.stop(1000);
  t.equal(r.intake.committed, 5);
});

t.test('stop: after the grace a file that hangs is left; it was not stored', async (t) => {
  const r = await startSource(t);
  const gate = Promise.withResolvers<void>();
  r.intake.hinder((at) => (at === 'write' ? gate.promise : undefined));
  writeFileSync(join(r.inbox, 'IM1'), instanceFile({ uid: '1.2.3' }));
  await until(() => r.intake.begun === 1);
  await r.source.stop(50);
  t.equal(r.intake.committed, 0);
  t.same(readdirSync(r.inbox), ['IM1']);
  r.intake.hinder(() => {
    throw new Error('the process has ended here');
  });
  gate.resolve();
});

t.test('logs, status and names in the data folder hold nothing of a file', async (t) => {
  const r = await startSource(t, { after: 'leave' });
  mkdirSync(join(r.inbox, 'ZHANG'));
  writeFileSync(join(r.inbox, 'ZHANG/ZHANG1'), instanceFile({ uid: '1.2.3' }));
  writeFileSync(join(r.inbox, 'ZHANG/ZHANG2'), instanceFile({ uid: 'ZHANG' }));
  writeFileSync(join(r.inbox, 'ZHANG/ZHANG3'), 'ZHANG');
  await until(() => r.intake.committed === 1 && r.source.status().folder.held['DCM-2203'] === 1);
  await rm(r.inbox, { recursive: true });
  await until(() => r.source.status().state === 'failed');
  const said = JSON.stringify([r.logged, r.source.status(), readdirSync(join(r.base, 'data'), { recursive: true })]);
  t.notMatch(said, 'ZHANG');
});
