import { readFileSync } from 'node:fs';
import iconv from 'iconv-lite';
import t from 'tap';
import {
  equalsGolden,
  goldenFolder,
  missingGolden as skip,
} from '../adapters/formats/wst500-cda/golden-differences.ts';
import { readDocument } from './read-document.ts';
import { type Accepted, startRig } from './rig.ts';

t.setTimeout(600_000);
const golden = { report: 'LR20240520001', controlId: 'LIS20240520102600001' };
const read = (charset: string) => readFileSync(new URL(`hl7_oru_r01_lab.${charset}.hl7`, goldenFolder));
/** The same bytes but for the numbers of report and message, so that it is another report of equal content. */
const renumbered = (bytes: Buffer, report: string, controlId: string): Buffer =>
  Buffer.from(
    bytes.toString('latin1').replaceAll(golden.report, report).replaceAll(golden.controlId, controlId),
    'latin1',
  );
/** The document without what is derived from the report number. */
const neutral = ({ bytes, sidecar }: Accepted): string => {
  const { documentId, setId } = readDocument(bytes);
  return bytes
    .toString('utf8')
    .replaceAll(documentId!, '<document id>')
    .replaceAll(setId!, '<set id>')
    .replaceAll(sidecar.report, '<report>');
};

t.test('the golden laboratory messages, through the running agent', { skip }, async (t) => {
  const rig = await startRig(t);
  const utf8 = read('utf8');
  const gb18030 = read('gb18030');
  t.not(Buffer.compare(utf8, gb18030), 0);

  await t.test('as they are, in UTF-8, they give the golden C0007', async (t) => {
    t.equal(await rig.client.send(utf8, golden.controlId), 'AA');
    const [document] = await rig.documents(golden.report);
    equalsGolden(t, document!.bytes, 'cn-wst500');
  });

  await t.test('in GB18030 under another report number they give the golden C0007', async (t) => {
    const number = 'LR20240520009';
    t.equal(await rig.client.send(renumbered(gb18030, number, 'LIS9'), 'LIS9'), 'AA');
    const [document] = await rig.documents(number);
    t.equal(readDocument(document!.bytes).reportNumber, number);
    const asGolden = document!.bytes.toString('utf8').replaceAll(number, golden.report);
    equalsGolden(t, Buffer.from(asGolden), 'cn-wst500');
  });

  await t.test('both charsets give the same bytes but for what is derived from the report number', async (t) => {
    const [fromUtf8, fromGb18030] = rig.received();
    t.equal(neutral(fromGb18030!), neutral(fromUtf8!));
    t.ok(neutral(fromUtf8!).includes('<set id>') && neutral(fromUtf8!).includes('<report>'));
  });

  await t.test('the same report in the other charset is the same report: nothing new', async (t) => {
    t.equal(await rig.client.send(renumbered(gb18030, golden.report, 'LIS10'), 'LIS10'), 'AA');
    const rows = await rig.settled(3);
    t.match(rows[2]!.states, [{ state: 'absorbed', rule: 'duplicate' }]);
    t.equal(rig.received().length, 2);
  });

  await t.test('with other clinical content they would not be equal', async (t) => {
    const other = iconv.encode(utf8.toString('utf8').replace('||12.5|', '||12.6|'), 'gb18030');
    const labelled = Buffer.from(other.toString('latin1').replace('UNICODE UTF-8', 'GBK'), 'latin1');
    const number = 'LR20240520008';
    t.equal(await rig.client.send(renumbered(labelled, number, 'LIS8'), 'LIS8'), 'AA');
    const [changed] = await rig.documents(number);
    t.not(neutral(changed!), neutral(rig.received()[0]!));
  });
});
