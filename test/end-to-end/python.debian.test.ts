import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { pythonHl7 } from '../adapters/sources/hl7-mllp/foreign-clients.ts';
import { readDocument } from './read-document.ts';
import { chemistry, gb18030, patient, report, utf8, write } from './reports.ts';
import { startRig } from './rig.ts';

t.setTimeout(600_000);
const run = promisify(execFile);
const skip =
  spawnSync('mllp_send', ['--version']).error === undefined ? false : 'mllp_send (Debian python3-hl7) is not installed';

t.test('mllp_send and MLLPClient of python3-hl7 get their AA and the documents arrive', { skip }, async (t) => {
  const rig = await startRig(t);
  const file = join(t.testdirName, 'reports.hl7');
  const sent = [
    { message: write(utf8, report('PY001', { patient: patient(21, '测试乙') })), name: '测试乙', potassium: '6.21' },
    {
      message: write(gb18030, report('PY002', { patient: patient(22, '郑珅玘'), results: chemistry('3.90') })),
      name: '郑珅玘',
      potassium: '3.90',
    },
    {
      message: write(utf8, report('PY003', { patient: patient(21, '测试乙'), results: chemistry('4.00') })),
      name: '测试乙',
      potassium: '4.00',
    },
  ];
  // --loose: a text file as people keep them, lines ended by CR LF, several messages in a row.
  const loose = sent.map(({ message }) =>
    Buffer.from(message.bytes.toString('latin1').replaceAll('\r', '\r\n'), 'latin1'),
  );
  writeFileSync(file, Buffer.concat(loose));

  const { host, port } = rig.mllp;
  const { stdout } = await run('mllp_send', ['--loose', '--file', file, '--port', String(port), host], {
    encoding: 'latin1',
  });
  t.same(
    [...stdout.matchAll(/\rMSA\|([^|\r]*)\|([^|\r]*)/g)].map(([, code, id]) => [code, id]),
    sent.map(({ message }) => ['AA', message.controlId]),
    'an answer in one read for each message',
  );
  for (const [n, { name, potassium }] of sent.entries()) {
    const [document] = await rig.documents(`PY00${n + 1}`);
    const said = readDocument(document!.bytes);
    t.equal(said.name, name);
    t.same(said.results, { K: `${potassium} mmol/L`, CREA: '88 μmol/L' });
  }
  t.equal(rig.received().length, 3);

  for (const [sender, encoding, number] of [
    [utf8, 'utf-8', 'PY010'],
    [gb18030, 'gb18030', 'PY011'],
  ] as const) {
    const reports = ['A', 'B'].map((part) => write(sender, report(number + part, { patient: patient(23, '欧阳玘') })));
    t.same(
      await pythonHl7.send(
        rig.mllp,
        reports.map(({ text }) => text),
        encoding,
      ),
      reports.map(({ controlId }) => `AA:${controlId}`),
      `MLLPClient in ${encoding}, two on one connection`,
    );
    for (const part of ['A', 'B']) {
      const [document] = await rig.documents(number + part);
      t.equal(readDocument(document!.bytes).name, '欧阳玘');
    }
  }
});
