import type { Test } from 'tap';
import { decodeMessage } from '../../../../adapters/hl7v2/charset.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { encoded, type ForeignClient } from './foreign-clients.ts';
import { startListener } from './listener.ts';

/** 珅 and 玘 hold the bytes of | and ^ in GB18030, 東 and 質 too. */
const comment = '珅玘东質，血红蛋白正常';
export const message = (id: string, label: string, processing = 'P'): string =>
  [
    `MSH|^~\\&|LIS|HOSP|HIP|PROV|20260115103000||ORU^R01^ORU_R01|${id}|${processing}|2.5.1||||||${label}`,
    'PID|1||T0001||欧阳珅玘',
    'OBR|1||R1|CHEM',
    `NTE|1||${comment}`,
    '',
  ].join('\r');
const profile = 'intake: {processing_id: {reject: [T]}}';

/** A client sends one and several messages and understands what they are answered, in each of its charsets. */
export function checkAnswers(t: Test, client: ForeignClient): void {
  for (const { encoding, label } of client.charsets)
    t.test(`${client.name}, in ${encoding}: one and several, each AA is understood`, async (t) => {
      const { port, stored, problems } = await startListener(t, { profile });
      const where = { host: '127.0.0.1', port };
      t.same(await client.send(where, [message('A0', label)], encoding), ['AA:A0']);
      const several = ['A1', 'A2', 'A3'].map((id) => message(id, label));
      t.same(await client.send(where, several, encoding), ['AA:A1', 'AA:A2', 'AA:A3']);
      // Whatever a client says after our answer is here by now, and is neither stored nor answered with an error.
      await new Promise((resolve) => setTimeout(resolve, 50));
      t.equal(stored.length, 4, 'each once');
      t.same(problems(), []);
      for (const one of stored) {
        const bytes = Buffer.from(one, 'latin1');
        t.ok(bytes.includes(encoded(comment, encoding)), 'the Chinese text is in the bytes stored, in this encoding');
        const decoded = decodeMessage(bytes);
        t.match(decoded, { ok: true, charset: encoding.toUpperCase() });
        t.match(decoded.ok && decoded.text, comment);
      }
    });
}

/** A client sees a refusal as one, and goes on. */
export function checkRefusals(t: Test, client: ForeignClient): void {
  t.test(`${client.name}: AR and AE are seen as what they are, and nothing is stored of these`, async (t) => {
    const { port, stored, behave } = await startListener(t, { profile });
    const where = { host: '127.0.0.1', port };
    t.same(await client.send(where, [message('R1', 'UNICODE UTF-8', 'T')], 'utf-8'), ['AR:R1']);
    behave(async () => {
      throw new QianzhiError('QUE-4002');
    });
    t.same(await client.send(where, [message('E1', 'UNICODE UTF-8')], 'utf-8'), ['AE:E1']);
    behave(async () => ({}));
    t.same(
      await client.send(where, [message('E1', 'UNICODE UTF-8')], 'utf-8'),
      ['AA:E1'],
      'and sent again it is taken',
    );
    t.equal(stored.length, 1);
  });
}
