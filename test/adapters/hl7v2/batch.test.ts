import t from 'tap';
import { buildBatchAck, splitBatch } from '../../../adapters/hl7v2/batch.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const split = (payload: string) => splitBatch(Buffer.from(payload, 'latin1'), 5);
const parts = (payload: string) => split(payload)?.messages.map(text);
const one = 'MSH|^~\\&|LIS|H|P|Q|20260115||ORU^R01|1|P|2.4\rPID|1\r';
const two = 'MSH|^~\\&|LIS|H|P|Q|20260115||ORU^R01|2|P|2.4\rPID|2\r';

t.test('messages between BHS and BTS, FHS and FTS, byte for byte', async (t) => {
  t.same(parts(`BHS|^~\\&|LIS|H\r${one}${two}BTS|2\r`), [one, two]);
  t.same(parts(`FHS|^~\\&|LIS|H\rBHS|^~\\&|LIS|H\r${one}BTS|1\rBHS|^~\\&|LIS|H\r${two}BTS|1\rFTS|2\r`), [one, two]);
  t.same(parts(`\xef\xbb\xbf \r\nbhs|^~\\&\r\n${one}`), [one], 'BOM, blanks, no trailer');
  t.same(parts(`BHS|^~\\&\r${one.slice(0, -1)}`), [one.slice(0, -1)], 'no last CR');
  t.same(parts(`BHS|^~\\&\n${one.replaceAll('\r', '\n')}BTS|1\n`), [one.replaceAll('\r', '\n')], 'LF');
});

t.test('text that looks like a segment stays text', async (t) => {
  const odd = 'MSH|^~\\&|LIS\rNTE|1||line\nMSH|line\rBTSX|1\r';
  t.same(parts(`BHS|^~\\&\r${odd}BTS|1`), [odd]);
});

t.test('no batch: a message, a batch without one, anything else', async (t) => {
  for (const payload of [one, '', 'BHS|^~\\&|LIS\rBTS|0\r', 'FHS|^~\\&', 'BHSX|1\rMSH|', 'BH', '<Batch/>', '\0\0'])
    t.equal(split(payload), undefined, JSON.stringify(payload.slice(0, 9)));
});

t.test('more messages than asked for are not taken apart', async (t) => {
  t.equal(split(`BHS|^~\\&\r${one.repeat(5)}`)?.overfull, false);
  t.equal(split(`BHS|^~\\&\r${one.repeat(50)}`)?.overfull, true);
});

t.test('the answer goes back to who sent the batch, with its control id, in its delimiters', async (t) => {
  const batch = split(`FHS#^~\\&#F\rBHS#^~\\&#LIS#H#P#Q#20260115####B7\r${one}BTS#1\r`)!;
  const ack = text(buildBatchAck(batch, [Buffer.from('MSH|a\rMSA|AA|1\r')], 'Q1', 0));
  t.match(ack, /^BHS#\^~\\&#P#Q#LIS#H#\d{14}####Q1#B7\rMSH\|a\rMSA\|AA\|1\rBTS#1\r$/);
  const bare = split(`BHS|\r${one}`)!;
  t.match(text(buildBatchAck(bare, [], 'Q1', 0)), /^BHS\|.*\|Q1\|\rBTS\|0\r$/);
});
