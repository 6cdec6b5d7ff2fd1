import t from 'tap';
import { until } from '../demo/running.ts';
import { readDocument } from './read-document.ts';
import { patient } from './reports.ts';
import { startRig } from './rig.ts';
import { tellStory, told } from './story.ts';

t.setTimeout(600_000);

t.test('what happens to reports in a hospital arrives in order, version by version', async (t) => {
  const rig = await startRig(t);
  const whileWaiting = await tellStory(rig);
  await rig.documents(told.lastWord);
  const rows = await rig.settled(10);
  const received = rig.received();
  const read = (at: number) => readDocument(received[at]!.bytes);

  await t.test('order, versions and operations', async (t) => {
    t.same(
      received.map(({ sidecar: { n, report, version, operation } }) => [n, report, version, operation]),
      [
        [1, told.report, 1, 'publish'],
        [2, told.report, 2, 'replace'],
        [3, told.interim, 1, 'publish'],
        [4, told.report, 3, 'retract'],
        [5, told.specimen[0], 1, 'publish'],
        [6, told.specimen[1], 1, 'publish'],
        [7, told.lastWord, 1, 'publish'],
      ],
    );
    t.equal(new Set(received.map(({ sidecar }) => sidecar.lane)).size, 1, 'one patient, one lane');
    t.equal(new Set(received.map(({ sidecar }) => sidecar.key)).size, 7);
    t.ok(received.every(({ sidecar }) => sidecar.attempt === 1));
    const setIdsOf = (report: string) =>
      new Set(received.filter(({ sidecar }) => sidecar.report === report).map(({ sidecar }) => sidecar.setId));
    for (const report of new Set(received.map(({ sidecar }) => sidecar.report))) t.equal(setIdsOf(report).size, 1);
    t.equal(new Set(received.map(({ sidecar }) => sidecar.setId)).size, 5, 'five reports');
  });

  await t.test('a correction replaces the whole report and names the version before it', async (t) => {
    t.match(read(0), { version: '1', replaces: undefined, results: { K: `${told.first} mmol/L` } });
    t.match(read(1), { version: '2', results: { K: `${told.corrected} mmol/L`, CREA: '88 μmol/L' } });
    t.same(read(1).replaces, { id: read(0).documentId, version: '1' });
    t.equal(read(1).setId, read(0).setId);
    t.equal(read(1).setId, received[1]!.sidecar.setId);
    t.not(read(1).documentId, read(0).documentId);
  });

  await t.test('a retransmission is acknowledged and brings nothing new', async (t) => {
    t.equal(rows.length, 10, 'eleven were sent, one of them twice');
    const received = async () => {
      const status = (await (await fetch(new URL('/api/v1/status', rig.status))).json()) as {
        store: { receivedToday: Array<{ source: string; retransmissions: number }> };
      };
      return status.store.receivedToday.map(({ source, retransmissions }) => `${source} ${retransmissions}`);
    };
    // The page reads its figures every now and then.
    await until(async () => (await received()).length > 0);
    t.same(await received(), ['lis 1']);
  });

  await t.test('the same report under a new control id, and an older one, bring nothing new', async (t) => {
    t.match(rows[2]!.states, [{ state: 'absorbed', rule: 'duplicate' }]);
    t.match(rows[3]!.states, [{ state: 'absorbed', rule: 'older' }]);
  });

  await t.test('an interim waits, visibly and with its reason, until the final has absorbed it', async (t) => {
    t.match(whileWaiting[4]!.states, [{ state: 'waiting', code: 'MAP-3014' }]);
    const [, , , , interim, final] = rows;
    t.match(interim!.states, [{ state: 'absorbed', by: final!.seq }]);
    t.match(final!.states, [{ platform: 'province', state: 'delivered' }]);
    t.equal(rows.filter(({ states }) => states[0]?.state === 'delivered').length, 7);
  });

  await t.test('a withdrawal takes back without a word of clinical content', async (t) => {
    const { bytes, file } = received[3]!;
    t.match(file, /\.json$/);
    const body = JSON.parse(bytes.toString()) as Record<string, unknown>;
    t.same(Object.keys(body).sort(), ['effectiveTime', 'operation', 'replacesDocumentId', 'setId', 'type', 'version']);
    t.match(body, { operation: 'retract', setId: read(0).setId, version: 3, replacesDocumentId: read(1).documentId });
    const { name, residentId, patientId, phone } = patient(11, '郑珅玘');
    for (const value of [name, residentId, patientId, phone, '钾', '肌酐', told.corrected, told.first]) {
      t.notOk(bytes.includes(value));
    }
  });

  await t.test('two reports from one specimen are two documents', async (t) => {
    const [first, second] = [read(4), read(5)];
    t.same([first.specimenNumber, second.specimenNumber], [told.sharedSpecimen, told.sharedSpecimen]);
    t.same([first.reportNumber, second.reportNumber], told.specimen);
    t.same([first.results.K, second.results.K], ['4.01 mmol/L', '4.11 mmol/L']);
    t.not(first.setId, second.setId);
  });
});
