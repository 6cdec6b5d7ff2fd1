import { Hl7Message } from '@medplum/core';
import { Hl7Client } from '@medplum/hl7';
import NodeHl7Client, { Message } from 'node-hl7-client';
import t from 'tap';
import { decodeMessage } from '../../../../adapters/hl7v2/charset.ts';
import { oru, startListener } from './listener.ts';

t.test('@medplum/hl7 gets its AA, in UTF-8 and in GB18030, several on one connection', async (t) => {
  const { port, stored } = await startListener(t);
  for (const encoding of ['utf-8', 'gb18030']) {
    const client = new Hl7Client({ host: '127.0.0.1', port, encoding, keepAlive: true });
    for (const id of ['A1', 'A2', 'A3']) {
      const answer = await client.sendAndWait(
        Hl7Message.parse(oru(`${encoding}-${id}`, 'NTE|1||珅玘东質，血红蛋白正常\r')),
      );
      t.equal(answer.getSegment('MSA')?.getField(1)?.toString(), 'AA');
      t.equal(answer.getSegment('MSA')?.getField(2)?.toString(), `${encoding}-${id}`);
    }
    await client.close();
    const last = Buffer.from(stored.at(-1) ?? '', 'latin1');
    t.match(decodeMessage(last), { ok: true, text: /珅玘东質，血红蛋白正常/, charset: encoding.toUpperCase() });
  }
  t.equal(stored.length, 6);
});

t.test('node-hl7-client gets its AA', async (t) => {
  const { port, stored } = await startListener(t);
  const client = new NodeHl7Client({ host: '127.0.0.1', version: '2.5.1' });
  const answered = new Promise<string[]>((resolve) => {
    const connection = client.createConnection({ port, version: '2.5.1' }, async (response) => {
      const message = response.getMessage();
      resolve([message.get('MSA.1').toString(), message.get('MSA.2').toString()]);
    });
    t.teardown(() => connection.close());
    void connection.sendMessage(new Message({ text: oru('N1') }));
  });
  t.same(await answered, ['AA', 'N1']);
  t.equal(stored.length, 1);
});
