import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { bytesOf, startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

async function answered(t: Parameters<typeof startFolder>[0], profile = '', config: Record<string, unknown> = {}) {
  const folder = join(quickFolder('hl7-answers'), 'acks');
  const d = await startFolder(t, { answers: { folder }, ...config }, { profile });
  return { d, folder };
}

/** `AA:id` of each acknowledgement. */
const acksIn = (text: string): string[] =>
  [...text.matchAll(/\rMSA\|(\w\w)\|([^|\r]*)/g)].map((found) => `${found[1]}:${found[2]}`);
const answerOf = async (folder: string, name: string): Promise<string> => {
  await until(() => existsSync(join(folder, name)));
  return bytesOf(join(folder, name));
};

t.test('each file has an answer under its name, in its tree, once its messages are durable', async (t) => {
  const { d, folder } = await answered(t);
  let waits = true;
  d.hinder(async () => {
    while (waits) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  d.put('a/x.hl7', oru('A'));
  await new Promise((resolve) => setTimeout(resolve, 600));
  t.notOk(existsSync(join(folder, 'a/x.hl7.ack')), 'not before');
  waits = false;
  t.match(await answerOf(folder, 'a/x.hl7.ack'), /^MSH\|.*\|ACK\^R01\^ACK\|.*\rMSA\|AA\|A\r$/s);
});

t.test('several messages are answered as the profile says; a batch by a batch', async (t) => {
  const { d, folder } = await answered(t, 'intake:\n  several_messages: each\n');
  d.put('each.hl7', oru('A') + oru('B'));
  t.same(acksIn(await answerOf(folder, 'each.hl7.ack')), ['AA:A', 'AA:B']);
  d.put('batch.hl7', `BHS|^~\\&|LIS|H|Q|Z|20260115||||B77\r${oru('C')}${oru('D')}BTS|2\r`);
  const batch = await answerOf(folder, 'batch.hl7.ack');
  t.match(batch, /^BHS\|\^~\\&\|Q\|Z\|LIS\|H\|.*\|B77\r/);
  t.same(acksIn(batch), ['AA:C', 'AA:D']);
  t.match(batch, /\rBTS\|2\r$/);
  const first = await answered(t);
  first.d.put('first.hl7', oru('A') + oru('B').replace('|P|', '|T|'));
  t.same(acksIn(await answerOf(first.folder, 'first.hl7.ack')), ['AA:A']);
});

t.test('a refusal is told, in the charset and with the delimiters of the sender', async (t) => {
  const { d, folder } = await answered(t, 'intake:\n  types: { reject: ["ORU^R01"] }\n');
  const name = Buffer.from([0xd5, 0xc5, 0x7c]).subarray(0, 2).toString('latin1');
  d.put('x.txt', `MSH#^~\\&#${name}#HOSP#HIP#PROV#20260115##ORU^R01#N1#P#2.3######GB18030\rPID#1\r`);
  t.match(await answerOf(folder, 'x.txt.ack'), new RegExp(`#HIP#PROV#${name}#HOSP#.*\\rMSA#AR#N1`, 's'));
  await until(() => d.source.status().folder.held['HL7-2104'] === 1);
});

t.test('a file in frames is answered in frames', async (t) => {
  const { d, folder } = await answered(t);
  d.put('x.hl7', Buffer.concat([oru('A'), oru('B')].map((text) => frame(Buffer.from(text)))));
  const answer = await answerOf(folder, 'x.hl7.ack');
  t.equal(answer.split('\x1c\r').length, 3);
  t.same(acksIn(answer), ['AA:A', 'AA:B']);
});

t.test('an answer nobody has fetched is not overwritten', async (t) => {
  const { d, folder } = await answered(t);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'x.hl7.ack'), 'of before');
  d.put('x.hl7', oru('A'));
  t.same(acksIn(await answerOf(folder, 'x.hl7 (2).ack')), ['AA:A']);
  t.equal(bytesOf(join(folder, 'x.hl7.ack')), 'of before');
});

t.test('where no answer can be written the file waits for it, and nothing is stored twice', async (t) => {
  const base = quickFolder('hl7-no-answers');
  writeFileSync(join(base, 'acks'), 'a file, not a folder');
  const d = await startFolder(t, { answers: { folder: join(base, 'acks') } });
  d.put('x.hl7', oru('A'));
  await until(() => d.source.status().folder.held['HL7-2138'] === 1);
  t.same(d.files(), ['x.hl7']);
  t.same(d.stored(), [oru('A')]);
});

t.test(
  'while no answer can be written the other files are stored all the same, and each once however often',
  async (t) => {
    const base = quickFolder('hl7-answers-away');
    writeFileSync(join(base, 'acks'), 'a file, not a folder');
    const d = await startFolder(t, { answers: { folder: join(base, 'acks') } });
    for (const name of ['x', 'y']) d.put(`${name}.hl7`, oru(name) + oru(`${name}2`));
    let reads = 0;
    await until(() => d.source.status().folder.held['HL7-2138'] === 2);
    // Two more looks at each, which a change of its time makes come sooner.
    for (; reads < 2; reads++) {
      const at = Date.now() / 1000 - 100 + reads;
      for (const name of ['x', 'y']) utimesSync(join(d.inbox, `${name}.hl7`), at, at);
      // While it is looked at it is not held, which on a busy machine nobody may see.
      await Promise.race([until(() => d.source.status().folder.held['HL7-2138'] !== 2), sleep(5_000)]);
      await until(() => d.source.status().folder.held['HL7-2138'] === 2);
    }
    t.equal(d.accepted(), 4, 'the store is asked once for each');
    rmSync(join(base, 'acks'));
    await until(() => d.files().length === 0);
    t.same(acksIn(await answerOf(join(base, 'acks'), 'x.hl7.ack')), ['AA:x']);
  },
);

t.test('of many messages whose answers cannot be written none is given to the store again', async (t) => {
  const base = quickFolder('hl7-answers-many');
  writeFileSync(join(base, 'acks'), 'a file, not a folder');
  const d = await startFolder(
    t,
    { answers: { folder: join(base, 'acks') } },
    { base, profile: 'intake: {several_messages: each}' },
  );
  // More answers than are held before they are written.
  const count = 1000;
  d.put('x.hl7', Array.from({ length: count }, (_, i) => oru(`M${i}`)).join(''));
  await until(() => d.source.status().folder.held['HL7-2138'] === 1);
  t.ok(d.accepted() < count, 'it is stopped in the middle');
  rmSync(join(base, 'acks'));
  await until(() => d.files().length === 0);
  t.equal(d.accepted(), count);
  t.equal(acksIn(await answerOf(join(base, 'acks'), 'x.hl7.ack')).length, count);
});

t.test('a file whose name is as long as names may be is answered under as much of it as fits', async (t) => {
  const { d, folder } = await answered(t);
  const name = `${'n'.repeat(251)}.hl7`;
  d.put(name, oru('A'));
  t.same(acksIn(await answerOf(folder, `${name.slice(0, 251)}.ack`)), ['AA:A']);
  await until(() => d.files().length === 0);
});

t.test('answers beside the files are not read as files', async (t) => {
  const base = quickFolder('hl7-here');
  const d = await startFolder(t, { answers: { folder: join(base, 'inbox') } }, { base });
  d.put('x.hl7', oru('A'));
  t.same(acksIn(await answerOf(d.inbox, 'x.hl7.ack')), ['AA:A']);
  await until(() => d.source.status().folder.ignored.answer === 1);
  t.same(d.files(), ['x.hl7.ack']);
  t.equal(d.accepted(), 1);
});
