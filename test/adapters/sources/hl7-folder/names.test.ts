import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { markersOf } from '../../../../adapters/sources/hl7-folder/take.ts';
import { unsetAside } from '../../../../adapters/sources/watching/paths.ts';
import { passedOverLine } from '../../../../agent/status/passed-over.ts';
import { collectProblems } from '../../../../agent/status/problems.ts';
import { texts } from '../../../../agent/status/text.ts';
import { healthyParts } from '../../../agent/status/fixture.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

t.test(
  'names of any bytes are read, sealed under names of ours, and told nowhere',
  { skip: process.platform === 'win32' },
  async (t) => {
    const d = await startFolder(t);
    const names = [
      '张三 结果.hl7',
      'a\nb.hl7',
      '-rf',
      "';DROP.hl7",
      '%2e%2e%2f',
      'x'.repeat(255),
      '$(id)',
      'CON',
      'a\\b.hl7',
    ];
    for (const [i, name] of names.entries()) writeFileSync(join(d.inbox, name), oru(`N${i}`));
    const bytes = Buffer.concat([Buffer.from(`${d.inbox}/`), Buffer.from([0xd5, 0xc5, 0xff, 0xfe])]);
    writeFileSync(bytes, oru('B'));
    await until(() => d.files().length === 0);
    t.equal(d.stored().length, names.length + 1);
    const archived = (await d.archived()).map(([path]) => path);
    const expected = [...names.map((name) => Buffer.from(name).toString('latin1')), '\xd5\xc5\xff\xfe'];
    t.same(archived.sort(), expected.sort(), 'and given back as they were');
    for (const name of d.files(d.archive)) t.match(name, /^[-0-9]{10}\/[0-9a-f]{24}\.qza$/);
    t.notMatch(JSON.stringify([d.logged, d.source.status()]), /张三|DROP|rf/);
  },
);

t.test('links are not followed, and what include does not name is passed over', async (t) => {
  const d = await startFolder(t, { include: ['*.HL7', 'LIS_??.txt'] });
  const outside = quickFolder('hl7-outside');
  writeFileSync(join(outside, 'secret.hl7'), oru('S'));
  symlinkSync(join(outside, 'secret.hl7'), join(d.inbox, 'link.hl7'));
  symlinkSync(outside, join(d.inbox, 'folder'));
  mkdirSync(join(d.inbox, 'sub'));
  d.put('sub/a.hl7', oru('A'));
  d.put('lis_01.TXT', oru('B'));
  d.put('lis_001.txt', oru('C'));
  d.put('a.hl7.bak', oru('D'));
  await until(() => d.stored().length === 2 && d.files().length === 5);
  await until(() => d.source.status().folder.ignored['not-included'] === 3);
  t.same(d.stored().sort(), [oru('A'), oru('B')]);
  t.match(d.source.status().folder.ignored, { link: 1, 'not-included': 3 });
});

t.test(
  'a file that is not HL7 stays, is a problem on the page until it goes, and empty ones are told only',
  async (t) => {
    const d = await startFolder(t);
    const problems = () => {
      const source = { ...d.source.status(), name: 'dropped' };
      return collectProblems({ ...healthyParts(), sources: [source] }, undefined).filter(
        (p) => p.component === 'dropped',
      );
    };
    const line = () => passedOverLine(texts.zh, d.source.status());
    d.put('empty.hl7', '');
    d.put('report.hl7', '%PDF-1.7\n');
    await until(() => line() === '未读取：不是 HL7 1，空文件 1（留在原处）');
    t.same(d.files(), ['empty.hl7', 'report.hl7']);
    t.match(problems(), [{ code: 'HL7-2143', level: 'attention', side: 'hospital', count: 1 }]);
    rmSync(join(d.inbox, 'report.hl7'));
    await until(() => line() === '未读取：空文件 1（留在原处）');
    t.same(problems(), []);
  },
);

t.test('a file that was set aside is known by the name it had', async (t) => {
  t.equal(unsetAside('a/.qianzhi-0123456789ab-x.hl7'), 'a/x.hl7');
  t.equal(unsetAside('.qianzhi-0123456789ab-'), 'file');
  t.equal(unsetAside('a/.qianzhi-x.hl7'), 'a/.qianzhi-x.hl7');
  t.equal(unsetAside('a.qianzhi-0123456789ab-x'), 'a.qianzhi-0123456789ab-x');
  t.same(markersOf('a.b/x', '.ok'), ['a.b/x.ok']);
  t.same(markersOf('a/x.hl7', '.ok'), ['a/x.hl7.ok', 'a/x.ok']);
});
