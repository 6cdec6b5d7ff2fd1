import t from 'tap';
import { buildBatchAck } from '../../../adapters/hl7v2/batch.ts';
import { takeApart } from '../../../adapters/hl7v2/take-apart.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const envelopeOf = (payload: string) => takeApart(Buffer.from(payload, 'latin1'), 5)!.envelope!;
const one = 'MSH|^~\\&|LIS|H|P|Q|20260115||ORU^R01|1|P|2.4\rPID|1\r';

t.test('the answer goes back to who sent the batch, with its control id, in its delimiters', async (t) => {
  const batch = envelopeOf(`FHS#^~\\&#F\rBHS#^~\\&#LIS#H#P#Q#20260115####B7\r${one}BTS#1\r`);
  const ack = text(buildBatchAck(batch, [Buffer.from('MSH|a\rMSA|AA|1\r')], 'Q1', 0));
  t.match(ack, /^BHS#\^~\\&#P#Q#LIS#H#\d{14}####Q1#B7\rMSH\|a\rMSA\|AA\|1\rBTS#1\r$/);
  const bare = envelopeOf(`BHS|\r${one}`);
  t.match(text(buildBatchAck(bare, [], 'Q1', 0)), /^BHS\|.*\|Q1\|\rBTS\|0\r$/);
});
