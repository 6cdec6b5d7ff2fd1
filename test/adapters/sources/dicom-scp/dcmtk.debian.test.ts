import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { createPki } from '../../../platform/pki.ts';
import { dcmtk, noDcmtk as skip } from './dcmtk.ts';
import { type ImageFile, writeImages } from './images.ts';
import { folderFor, type Listener, startListener, until } from './listener.ts';
import { anyDataset, connectDevice } from './scu.ts';
import { tapWire } from './wire.ts';

t.setTimeout(300_000);
const listenerFor = (t: Pick<Test, 'teardown'>, config: Record<string, unknown> = {}) =>
  startListener(t, { calling_ae_titles: ['STORESCU', 'DCMSEND', 'ECHOSCU', 'FINDSCU', 'CT1'], ...config });
const to = (port: number): string[] => ['-aec', 'QIANZHI', '127.0.0.1', String(port)];
const files = (images: ImageFile[]): string[] => images.map(({ file }) => file);

/** Each image is kept once, bit for bit. */
function allKept(t: Test, { intake }: Listener, images: ImageFile[]): void {
  const kept = new Map(intake.kept.map((one) => [one.origin.sopInstanceUid.reveal(), one]));
  t.equal(intake.kept.length, images.length);
  const wrong = images.filter(({ sopInstanceUid, dataset }) => {
    const one = kept.get(sopInstanceUid);
    return one === undefined || !readFileSync(one.file).subarray(-one.bytes).equals(dataset);
  });
  t.equal(wrong.length, 0, `${images.length} datasets as they were`);
  t.equal(intake.open(), 0);
}

t.test('echoscu is answered, under a title that is not ours it is rejected', { skip }, async (t) => {
  const { port, problems } = await listenerFor(t);
  t.match(await dcmtk('echoscu', '-v', ...to(port)), { code: 0, output: 'Received Echo Response (Success)' });
  t.match(await dcmtk('echoscu', '-aec', 'OTHER', '127.0.0.1', String(port)), {
    code: 1,
    output: 'Called AE Title Not Recognized',
  });
  t.match(await dcmtk('echoscu', '-aet', 'UNKNOWN', ...to(port)), {
    code: 1,
    output: 'Calling AE Title Not Recognized',
  });
  t.same(problems(), ['DCM-2201']);
});

for (const [program, ...options] of [['storescu', '-R'], ['dcmsend']])
  t.test(`${program}: forty images over one association arrive bit for bit`, { skip }, async (t) => {
    const listener = await listenerFor(t);
    const images = writeImages(folderFor(t, 'scp-images'), 40);
    const said = await dcmtk(program!, ...options, ...to(listener.port), ...files(images));
    t.equal(said.code, 0, said.output);
    allKept(t, listener, images);
    t.same(listener.problems(), []);
  });

t.test('storescu with small PDUs and another syntax: what it sends is what is kept', { skip }, async (t) => {
  const { port, intake } = await listenerFor(t, { max_pdu_bytes: 4096 });
  const wire = await tapWire(t, port);
  const images = writeImages(folderFor(t, 'scp-images'), 5);
  const said = await dcmtk('storescu', '--propose-implicit', '-pdu', '4096', ...to(wire.port), ...files(images));
  t.equal(said.code, 0, said.output);
  const sent = wire.datasets();
  t.equal(sent.length, 5);
  for (const [n, kept] of intake.kept.entries()) {
    t.equal(kept.origin.transferSyntaxUid, '1.2.840.10008.1.2');
    t.ok(readFileSync(kept.file).subarray(-kept.bytes).equals(sent[n]!));
  }
});

t.test('four associations at once, of storescu and dcmsend, arrive whole', { skip }, async (t) => {
  const listener = await listenerFor(t);
  const folder = folderFor(t, 'scp-images');
  const parts = [0, 1, 2, 3].map((n) => writeImages(folder, 25, 1 + 100 * n, 256));
  const said = await Promise.all(
    parts.map((part, n) =>
      n % 2 === 0
        ? dcmtk('storescu', '-R', ...to(listener.port), ...files(part))
        : dcmtk('dcmsend', ...to(listener.port), ...files(part)),
    ),
  );
  for (const { code, output } of said) t.equal(code, 0, output);
  allKept(t, listener, parts.flat());
  t.match(listener.source.status().senders, [{ messagesToday: 100, lastAck: '0000' }]);
});

t.test('storescu hears of a full disk, and that it is over', { skip }, async (t) => {
  const listener = await listenerFor(t);
  const images = writeImages(folderFor(t, 'scp-images'), 3);
  listener.intake.refuse('QUE-4002');
  const refused = await dcmtk('storescu', '-v', ...to(listener.port), ...files(images));
  t.match(refused.output, /Received Store Response \(Refused: Out ?of ?Resources/i);
  t.equal(listener.intake.kept.length, 0);
  listener.intake.refuse(undefined);
  t.equal((await dcmtk('storescu', ...to(listener.port), ...files(images))).code, 0);
  allKept(t, listener, images);
});

t.test('a storescu that aborts, and one killed in the middle, leave nothing half', { skip }, async (t) => {
  const listener = await listenerFor(t);
  const folder = folderFor(t, 'scp-images');
  const images = writeImages(folder, 2);
  t.equal((await dcmtk('storescu', '--abort', ...to(listener.port), ...files(images))).code, 0);
  allKept(t, listener, images);
  // More than the buffers between the two programs hold, or all of it could be under way when it is killed.
  const large = writeImages(folder, 1, 50, 5000);
  const neighbour = await connectDevice(t, listener.port);
  await neighbour.associate();
  // It cannot end before it is killed: the third piece of its dataset is not taken until then.
  let pieces = 0;
  let letGo = () => {};
  listener.intake.before((step) =>
    step === 'write' && ++pieces === 3
      ? new Promise((resolve) => {
          letGo = resolve;
        })
      : undefined,
  );
  const child = spawn('storescu', [...to(listener.port), ...files(large)], { stdio: 'ignore' });
  await until(() => pieces === 3);
  child.kill('SIGKILL');
  await once(child, 'exit');
  letGo();
  await until(() => listener.intake.open() === 0);
  t.equal(listener.intake.kept.length, 2);
  t.equal(listener.intake.discarded(), 1);
  t.equal(await neighbour.store(anyDataset(1000)), '0000');
});

t.test('findscu gets no context, and it shows', { skip }, async (t) => {
  const { port, problems } = await listenerFor(t);
  const said = await dcmtk('findscu', '-W', '-k', '0010,0010', ...to(port));
  t.not(said.code, 0);
  t.match(said.output, /No Acceptable Presentation Contexts/i);
  t.same(problems(), ['DCM-2244']);
});

t.test('storescu +tls with a certificate stores; without one, or in plain, it does not', { skip }, async (t) => {
  const pki = createPki(folderFor(t, 'scp-pki'));
  const tls = { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca };
  const listener = await listenerFor(t, { tls });
  const images = writeImages(folderFor(t, 'scp-images'), 10);
  const secure = ['+tls', pki.clientKey, pki.clientCert, '+cf', pki.ca];
  const said = await dcmtk('storescu', ...secure, ...to(listener.port), ...files(images));
  t.equal(said.code, 0, said.output);
  allKept(t, listener, images);
  t.same(listener.problems(), []);
  for (const options of [['+tla', '+cf', pki.ca], []])
    t.not((await dcmtk('storescu', ...options, ...to(listener.port), ...files(images))).code, 0, options.join(' '));
  t.same(listener.problems(), ['DCM-2249']);
  t.equal(listener.intake.kept.length, 10);
  const open = await listenerFor(t, { tls: { ...tls, client_certificates: 'none' } });
  const anonymous = await dcmtk('storescu', '+tla', '+cf', pki.ca, ...to(open.port), ...files(images));
  t.equal(anonymous.code, 0, anonymous.output);
  allKept(t, open, images);
});
