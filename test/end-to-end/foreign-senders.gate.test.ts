import { Hl7Message } from '@medplum/core';
import { Hl7Client } from '@medplum/hl7';
import NodeHl7Client, { Message } from 'node-hl7-client';
import t, { type Test } from 'tap';
import { foreignClients } from '../adapters/sources/hl7-mllp/foreign-clients.ts';
import { readDocument } from './read-document.ts';
import { chemistry, gb18030, laboratory, patient, report, utf8, write } from './reports.ts';
import { type Rig, startRig } from './rig.ts';

t.setTimeout(600_000);

/** The document of a report arrived once and says exactly what was sent. */
async function arrived(
  t: Test,
  rig: Rig,
  number: string,
  name: string,
  results: Record<string, string>,
): Promise<void> {
  const found = await rig.documents(number);
  t.equal(found.length, 1);
  const { sidecar, bytes } = found[0]!;
  t.match(sidecar, { operation: 'publish', type: 'C0007', version: 1, attempt: 1 });
  const said = readDocument(bytes);
  t.equal(said.name, name);
  t.equal(said.reportNumber, number);
  t.same(said.results, results);
  t.same(
    said.rows.map(([code, title, value, unit]) => [code, title, `${value} ${unit}`]),
    [
      ['K', '钾', results.K],
      ['CREA', '肌酐', results.CREA],
    ],
  );
}

t.test('foreign senders understand their AA and their document arrives in the province', async (t) => {
  const rig = await startRig(t);

  await t.test('node-hl7-client 4, in UTF-8: it writes no GB18030', async (t) => {
    const client = new NodeHl7Client({ host: rig.mllp.host, version: '2.4' });
    const answers: string[][] = [];
    let answered = () => {};
    const connection = client.createConnection({ port: rig.mllp.port, version: '2.4' }, async (response) => {
      const message = response.getMessage();
      answers.push([message.get('MSA.1').toString(), message.get('MSA.2').toString()]);
      answered();
    });
    t.teardown(() => connection.close());
    for (const [number, value] of [
      ['N4001', '6.21'],
      ['N4002', '4.10'],
    ] as const) {
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      const { text } = write(utf8, report(number, { results: chemistry(value), patient: patient(2, '测试甲') }));
      await connection.sendMessage(new Message({ text }));
      await answer;
    }
    t.same(answers, [
      ['AA', 'CN4001'],
      ['AA', 'CN4002'],
    ]);
    await arrived(t, rig, 'N4001', '测试甲', { K: '6.21 mmol/L', CREA: '88 μmol/L' });
    await arrived(t, rig, 'N4002', '测试甲', { K: '4.10 mmol/L', CREA: '88 μmol/L' });
  });

  for (const [sender, number] of [
    [utf8, 'M5001'],
    [gb18030, 'M5002'],
  ] as const) {
    await t.test(`@medplum/hl7 5.0.10, in ${sender.encoding}, two messages on one connection`, async (t) => {
      const client = new Hl7Client({ ...rig.mllp, encoding: sender.encoding, keepAlive: true });
      t.teardown(() => client.close());
      for (const part of ['A', 'B']) {
        const { text, controlId } = write(
          sender,
          report(number + part, { results: chemistry('5.30'), patient: patient(3, '欧阳珅玘') }),
        );
        const answer = await client.sendAndWait(Hl7Message.parse(text));
        t.equal(answer.getSegment('MSA')?.getField(1)?.toString(), 'AA');
        t.equal(answer.getSegment('MSA')?.getField(2)?.toString(), controlId);
        await arrived(t, rig, number + part, '欧阳珅玘', { K: '5.30 mmol/L', CREA: '88 μmol/L' });
      }
    });
  }

  for (const [name, number, charsets] of [
    ['hl7v2-net', 'P6001', [utf8, laboratory('gb18030', 'GB18030')]],
    ['simple-hl7', 'S7001', [utf8]],
    ['mllp-node', 'L8001', [utf8]],
  ] as const) {
    const client = foreignClients.find((one) => one.name.startsWith(name))!;
    await t.test(client.name, async (t) => {
      for (const [n, sender] of charsets.entries()) {
        const drafts = ['A', 'B'].map((part) =>
          write(
            sender,
            report(`${number}${n}${part}`, { results: chemistry('4.80'), patient: patient(6, '欧阳珅玘') }),
          ),
        );
        const said = await client.send(
          rig.mllp,
          drafts.map(({ text }) => text),
          sender.encoding,
        );
        t.same(
          said,
          drafts.map(({ controlId }) => `AA:${controlId}`),
        );
        for (const part of ['A', 'B'])
          await arrived(t, rig, `${number}${n}${part}`, '欧阳珅玘', { K: '4.80 mmol/L', CREA: '88 μmol/L' });
      }
    });
  }

  for (const [what, sender, number] of [
    ['UTF-8, declared', utf8, 'O1001'],
    ['GB18030, declared GBK', gb18030, 'O1002'],
    ['GB18030, nothing declared', laboratory('gb18030', ''), 'O1003'],
    ['UTF-8, nothing declared', laboratory('utf-8', ''), 'O1004'],
  ] as const) {
    await t.test(`our own client: ${what}`, async (t) => {
      const { bytes, controlId } = write(
        sender,
        report(number, { results: chemistry('3.49', '104'), patient: patient(4, '陈𠮷人') }),
      );
      t.equal(await rig.client.send(bytes, controlId), 'AA');
      await arrived(t, rig, number, '陈𠮷人', { K: '3.49 mmol/L', CREA: '104 μmol/L' });
    });
  }

  await t.test('珅 and 玘, whose second GB18030 bytes are | and ^, are nowhere split or garbled', async (t) => {
    const who = patient(5, '郑珅玘');
    const { bytes, controlId } = write(
      gb18030,
      report('O2001', { patient: who, visit: { patientClass: 'O', number: 'JZ2', department: ['0301', '珅玘科'] } }),
    );
    t.ok(bytes.includes(Buffer.of(0xab, 0x7c)) && bytes.includes(Buffer.of(0xab, 0x5e)), 'they are in the bytes');
    t.equal(await rig.client.send(bytes, controlId), 'AA');
    await arrived(t, rig, 'O2001', '郑珅玘', { K: '6.21 mmol/L', CREA: '88 μmol/L' });
    const text = (await rig.documents('O2001'))[0]!.bytes.toString();
    t.equal(readDocument(Buffer.from(text)).residentId, who.residentId);
    t.equal(text.match(/<name>珅玘科<\/name>/g)?.length, 2, 'department: the ordering one and that of the visit');
    // Neither a replacement character, nor GB18030 read as Latin-1, nor UTF-8 read as Latin-1.
    t.notMatch(text, /[\ufffd\u0080-\u009f«¬Ã]/);
    t.notMatch(text, /[|^~]/, 'no delimiter is left over');
  });

  t.equal(rig.received().length, 19, 'one document for each report, and no other');
  t.equal(new Set(rig.received().map(({ sidecar }) => sidecar.key)).size, 19);
});
