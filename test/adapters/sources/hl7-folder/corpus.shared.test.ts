import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { connectSender, oru, startListener, until } from '../hl7-mllp/listener.ts';
import { startFolder } from './dropped.ts';

const corpus = new URL('../../../../../shared/corpus/hl7/', import.meta.url);
const skip = existsSync(corpus) ? false : 'the corpus (../shared/corpus) is not here';
t.setTimeout(600_000);

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');
const nameOf = (n: number) => `${String(n).padStart(4, '0')}.hl7`;

/** The answers in what came back, as codes with the condition of a refusal: `AA`, `AE 207`. Whatever delimiters they are in. */
const answersIn = (received: string): string[] =>
  [...received.matchAll(/\rMSA([^A-Za-z0-9])(A[AER]|C[AER])(?=\1|\r)([^\r]*)(?:\rERR([^\r]*))?/g)].map((match) => {
    const condition = /\b(1\d\d|2\d\d)\b/.exec(match[4] ?? match[3] ?? '')?.[1];
    return match[2] === 'AA' || condition === undefined ? (match[2] ?? '') : `${match[2]} ${condition}`;
  });

t.test('every file of the corpus fares in a folder as it does over MLLP', { skip }, async (t) => {
  const index = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as Array<{ file: string }>;
  const files = index.map(({ file }) =>
    readFileSync(new URL(file.split('/').map(encodeURIComponent).join('/'), corpus)),
  );
  const profile = 'intake:\n  several_messages: each\n  answer_framing: none\n';
  const listener = await startListener(t, { profile: 'intake:\n  several_messages: each\n' });
  const sent: string[] = [];
  for (const [n, payload] of files.entries()) {
    const sender = await connectSender(t, listener.port);
    sender.send(frame(payload), frame(Buffer.from(oru(`LAST${n}`))));
    await until(() => sender.received().includes(`MSA|AA|LAST${n}`) || sender.socket.destroyed);
    sent.push(answersIn(sender.received()).slice(0, -1).join(' '));
    sender.socket.destroy();
  }
  const overMllp = listener.stored.filter((message) => !/\|LAST\d+\|/.test(message));

  const answers = quickFolder('hl7-folder-answers');
  const settings = { after: 'leave', open_end: 'take', answers: { folder: answers }, min_age_seconds: 1 };
  const d = await startFolder(t, settings, { profile });
  const taken: string[] = [];
  d.hinder((message) => void taken.push(Buffer.from(message.bytes).toString('latin1')));
  for (const [n, payload] of files.entries()) d.put(nameOf(n), payload);
  await d.settled(files.length);
  const dropped = files.map((_, n) => {
    const path = join(answers, `${nameOf(n)}.ack`);
    return existsSync(path) ? answersIn(readFileSync(path, 'latin1')).join(' ') : '';
  });
  // Over MLLP an end is put around everything; in this file the last of its own frames has none.
  const endless = files.findIndex((bytes) => bytes[0] === 0x0b && bytes.lastIndexOf(0x0b) > bytes.lastIndexOf(0x1c));
  t.match(index[endless]?.file, /TestHl7\.java\.000\.hl7$/);
  const different = index.flatMap(({ file }, n) =>
    dropped[n] === sent[n] || n === endless
      ? []
      : [`${file}: ${JSON.stringify({ dropped: dropped[n], sent: sent[n] })}`],
  );
  t.same(different, [], 'the same answers');
  const missing = new Map<string, number>();
  for (const message of overMllp) missing.set(sha256(message), (missing.get(sha256(message)) ?? 0) + 1);
  for (const message of taken) missing.set(sha256(message), (missing.get(sha256(message)) ?? 0) - 1);
  const odd = [...missing.values()].filter((count) => count !== 0);
  t.same(odd, [1], 'the same messages, byte for byte, but the one whose frame does not end');
  const { held, ignored, takenToday } = d.source.status().folder;
  t.same(held, { 'HL7-2101': 3, 'HL7-2110': 27, 'HL7-2141': 1 });
  t.equal(takenToday + 31 + Number(ignored.acknowledgements), files.length, 'nothing else is passed over');
});
