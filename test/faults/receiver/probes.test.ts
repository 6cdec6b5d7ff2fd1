import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { demoFolder, until } from '../../demo/running.ts';
import { readDocument } from '../../end-to-end/read-document.ts';
import { laboratory, patient, report, write } from '../../end-to-end/reports.ts';
import { startRig } from '../../end-to-end/rig.ts';
import { openStoredBytes } from '../stored-bytes.ts';

/**
 * Probes 4 and 5 of reference/engines.md §8.5 on the whole product: what a widespread engine got wrong.
 * Probe 4: a name in Latin-1 was acknowledged and its bytes destroyed. Probe 5: one frame without end was
 * read into memory for ever and nothing was logged.
 */
t.setTimeout(600_000);
const folder = demoFolder(t);
const rig = await startRig(t, folder);
const at = (...names: string[]) => join(folder, 'agent', ...names);

/** A report as a French laboratory would write it: `Bélanger^Hélène`, nothing that Latin-1 does not have. */
const french = (number: string, charset: string) => {
  const draft = report(number, {
    patient: patient(41, 'BELANGER'),
    visit: { patientClass: 'O', number: `JZ${number}`, department: ['0301', 'Médecine'] },
  });
  const text = write(laboratory('utf-8', charset), draft)
    .text.replace('|BELANGER|', '|Bélanger^Hélène|')
    .replace(/[^\x00-\xff]+/g, 'é');
  return { text, controlId: `C${number}` };
};

t.test('probe 4: the bytes are kept as received, and MSH-18 decides how they are read', async (t) => {
  const cases = [
    { ...french('LATIN1', '8859/1'), encoding: 'latin1' as const },
    { ...french('UTF8', 'UNICODE UTF-8'), encoding: 'utf8' as const },
  ];
  for (const { text, controlId, encoding } of cases) {
    t.match(text, '|Bélanger^Hélène|');
    t.equal(await rig.client.send(Buffer.from(text, encoding), controlId), 'AA');
  }
  for (const number of ['LATIN1', 'UTF8']) {
    const [document] = await rig.documents(number);
    t.equal(readDocument(document!.bytes).name, 'Bélanger', `the document of ${number} says the name`);
  }
  const store = openStoredBytes(at('data'), `file:${at('keys', 'data.key')}`);
  t.teardown(() => store.close());
  t.same(
    store.after(0).map(({ bytes }) => bytes?.toString('latin1')),
    cases.map(({ text, encoding }) => Buffer.from(text, encoding).toString('latin1')),
    'stored byte for byte',
  );
  t.match(store.after(0)[0]?.bytes?.toString('hex'), '42e96c616e676572', 'é is the one byte it was');
});

t.test('probe 4: bytes that are not in the declared charset are held for a person, never guessed', async (t) => {
  const { text, controlId } = french('LIES', 'UNICODE UTF-8');
  t.equal(await rig.client.send(Buffer.from(text, 'latin1'), controlId), 'AA', 'kept, so acknowledged');
  const rows = await rig.settled(3);
  t.match(rows[2]?.states, [{ state: 'quarantined', code: 'MLLP-2006' }]);
});

t.test(
  'probe 5: a frame over the limit gets AR, its connection is closed, the log says why, others live',
  async (t) => {
    const { text } = french('ENDLESS', '8859/1');
    const code = await rig.client.send(
      Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(17 << 20, 'x')]),
      'CENDLESS',
    );
    t.equal(code, 'AR');
    t.ok(await until(() => readFileSync(at('agent.log'), 'utf8').includes('"code":"MLLP-2004"')), 'the log');
    // The agent has ended this connection; a sender comes again on another.
    rig.client.close();
    const after = french('AFTER', '8859/1');
    t.equal(await rig.client.send(Buffer.from(after.text, 'latin1'), after.controlId), 'AA');
    t.equal((await rig.documents('AFTER')).length, 1);
    t.equal((await rig.settled(4)).length, 4, 'nothing of it was stored');
  },
);
