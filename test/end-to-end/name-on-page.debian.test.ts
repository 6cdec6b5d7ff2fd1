import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { launchChromium, skipChromium } from '../agent/status/chromium.ts';
import { readDocument } from './read-document.ts';
import { gb18030, patient, report, write } from './reports.ts';
import { startRig } from './rig.ts';

t.setTimeout(600_000);

// The second bytes of 珅 (AB 7C) and 玘 (AB 5E) are the field and the component separator of HL7.
const name = '珅玘';
const bytesOfName = Buffer.from([0xab, 0x7c, 0xab, 0x5e]);

t.test('珅玘 in GB18030 is right in the answer, in the document and on the page', { skip: skipChromium }, async (t) => {
  const rig = await startRig(t);
  const sender = { ...gb18030, application: name };
  const spaced = { ...patient(4), name: '珅　 玘' };
  const said = [
    write(sender, report('NP01', { patient: patient(1, name) })),
    write(sender, report('NP02', { patient: patient(2, '王东') })),
    write(sender, report('NP03', { patient: patient(3, `欧阳${name}`) })),
    write(sender, report('NP04', { patient: spaced })),
  ];
  for (const { bytes, controlId } of said) {
    t.ok(bytes.includes(bytesOfName), 'the bytes that a naive reader splits at');
    const socket = connect(rig.mllp.port, rig.mllp.host);
    socket.write(Buffer.concat([Buffer.from([0x0b]), bytes, Buffer.from([0x1c, 0x0d])]));
    const [ack] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    t.match(ack.toString('latin1'), `\rMSA|AA|${controlId}`);
    const receiver = Buffer.concat([Buffer.from('|'), bytesOfName, Buffer.from('|')]);
    t.ok(ack.includes(receiver), 'MSH-5 of the answer is MSH-3 of the message, byte for byte');
  }
  await rig.settled(said.length);
  const [document] = await rig.documents('NP01');
  t.equal(readDocument(document!.bytes).name, name);

  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const page = await (await browser.newContext({ locale: 'zh-CN' })).newPage();
  await page.goto(rig.status);
  const card = page.locator('section', { has: page.locator('#messages-title') });
  const rows = () => card.locator('tbody th').allInnerTexts();
  const find = async (by: string, term: string, answer: string): Promise<string[]> => {
    await card.locator('.search select').selectOption(by);
    await card.locator('.search input').fill(term);
    await page.keyboard.press('Enter');
    await card.getByText(answer).waitFor();
    return rows();
  };
  await card.locator('tbody tr').first().waitFor();
  t.same(await find('name', name, '查到 2 条消息'), ['4', '1'], 'spaced by the sender or not, and nobody else');
  t.same(await find('name', '王东', '查到 1 条消息'), ['2']);
  t.same(await find('report', 'NP03', '查到 1 条消息'), ['3']);
  t.same(await find('patient', patient(1, name).residentId, '查到 1 条消息'), ['1']);
  t.same(await find('name', '王', '没有查到消息。'), []);
  t.notMatch(await page.content(), name, 'what was typed stands nowhere on the page');
});
