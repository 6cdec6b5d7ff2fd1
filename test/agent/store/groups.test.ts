import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packBatch } from '../../../agent/store/sqlite/requests.ts';
import { openWriter } from '../../../agent/store/sqlite/writer.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { phi } from '../../../agent/support/phi.ts';
import { entry, mapped, records } from './rig.ts';

const mebibyte = 1024 * 1024;

/** A writer, and what it answered to, group by group. */
function writerRig(t: { teardown(f: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'qianzhi-groups-'));
  const writer = openWriter({
    folder: join(folder, 'data'),
    keyReference: `file:${join(folder, 'keys', 'data.key')}`,
    demo: false,
    sources: ['lis'],
    platforms: ['province'],
    timeZone: 'Asia/Shanghai',
    disk: { ballastBytes: 4096 },
    clock: systemClock,
  });
  t.teardown(() => writer.close());
  let answered: string[] = [];
  let control = 0;
  return {
    accept: (name: string) =>
      writer.post(
        {
          op: 'accept',
          message: { source: 'lis', bytes: Buffer.from(name), controlId: Buffer.from(`C${++control}`), receivedMs: 1 },
        },
        () => answered.push(name),
      ),
    /** A merge that issues so many bytes of reports again. */
    merge(name: string, seq: number, bytes: number) {
      const content = phi(JSON.stringify({ text: randomBytes(bytes).toString('base64') }));
      const batch = packBatch({ messages: [mapped(seq, [records([{ ...entry('R1', 1), content }])])], reports: [] });
      writer.post({ op: 'mapping', batch }, (answer) => answered.push('ok' in answer ? name : answer.failed));
    },
    group(): string[] {
      answered = [];
      writer.runGroup();
      return answered;
    },
  };
}

t.test('a merge larger than a group is written whole, after what waits for its acknowledgement', async (t) => {
  const w = writerRig(t);
  w.accept('one');
  t.same(w.group(), ['one']);
  w.merge('merge', 1, mebibyte);
  w.accept('two');
  t.same(w.group(), ['two'], 'is not made to wait for a megabyte');
  w.accept('three');
  t.same(w.group(), ['three', 'merge'], 'and holds it up once only');
});

t.test('other work goes with the intake, and a large merge at once where no intake waits', async (t) => {
  const w = writerRig(t);
  w.accept('one');
  t.same(w.group(), ['one']);
  w.merge('small', 1, 1000);
  w.accept('two');
  t.same(w.group(), ['two', 'small']);
  w.merge('merge', 2, mebibyte);
  t.same(w.group(), ['merge']);
});
