import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { foreignClients, pythonHl7 } from '../adapters/sources/hl7-mllp/foreign-clients.ts';
import { until } from '../demo/running.ts';
import { gb18030, laboratory, report, utf8, write } from './reports.ts';
import { startRig } from './rig.ts';

t.setTimeout(600_000);
const run = promisify(execFile);
const interfaces = spawnSync('tshark', ['-D'], { encoding: 'utf8' });
const loopback = /^\d+\. (lo\d*)\b/m.exec(interfaces.stdout ?? '')?.[1];
const skip =
  interfaces.error !== undefined
    ? 'tshark (Debian tshark) is not installed'
    : loopback === undefined
      ? 'tshark may not capture on the loopback interface here'
      : false;

const hasPython = spawnSync('/usr/bin/python3', ['-c', 'import hl7']).status === 0;

/** Captures a port on loopback into a file; the function it gives ends the capture. */
async function capture(t: Test, file: string, port: number): Promise<() => Promise<void>> {
  const tshark = spawn('tshark', ['-q', '-i', loopback!, '-f', `tcp port ${port}`, '-w', file], { stdio: 'ignore' });
  const exit = once(tshark, 'exit');
  const stop = async () => {
    tshark.kill('SIGINT');
    await exit;
  };
  t.teardown(stop);
  // A file is no proof yet: it captures once a connection of ours makes the file grow.
  let before = 0;
  const knocks = async () => {
    const size = existsSync(file) ? statSync(file).size : 0;
    if (before > 0 && size > before) return true;
    before ||= size;
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => socket.destroy());
      socket.on('error', () => {}).on('close', () => resolve());
    });
    return false;
  };
  t.ok(await until(knocks), 'tshark is capturing');
  return stop;
}

t.test('the HL7 dissector of tshark finds nothing malformed on the wire, whoever sends', { skip }, async (t) => {
  const rig = await startRig(t);
  const { port } = rig.mllp;
  const file = join(t.testdirName, 'lo.pcapng');
  const stop = await capture(t, file, port);

  const messages = [write(utf8, report('TS001')), write(gb18030, report('TS002')), write(utf8, report('TS003'))];
  for (const { bytes, controlId } of messages) t.equal(await rig.client.send(bytes, controlId), 'AA');
  await rig.documents('TS003');
  // And what others write, each in every charset it can: their messages, and what one of them says to our answers.
  const foreign = [...foreignClients, ...(hasPython ? [pythonHl7] : [])];
  const spoken = foreign.flatMap((client) => client.charsets.map((charset) => ({ client, ...charset })));
  for (const [n, { client, encoding, label }] of spoken.entries()) {
    const { text, controlId } = write(laboratory(encoding, label), report(`TF${n}`));
    t.same(await client.send(rig.mllp, [text], encoding), [`AA:${controlId}`], `${client.name}, ${encoding}`);
  }
  // An MSH of three letters, answered AE. It also shows that the dissector speaks up when there is a reason.
  const refused = connect(port, '127.0.0.1');
  refused.write(Buffer.from('\x0bMSH\r\x1c\r', 'latin1'));
  const [answer] = (await once(refused, 'data')) as [Buffer];
  t.match(answer.toString('latin1'), /\rMSA\|AE\|/);
  refused.destroy();
  rig.client.close();
  // What the kernel still holds when a capture ends may be lost.
  await new Promise((done) => setTimeout(done, 500));
  await stop();

  const dissect = async (filter: string, ...fields: string[]): Promise<string[][]> => {
    const { stdout } = await run('tshark', [
      ...['-r', file, '-d', `tcp.port==${port},hl7`, '-o', 'hl7.display_llp:TRUE'],
      ...['-Y', filter, '-T', 'fields', '-E', 'separator=/t'],
      ...fields.flatMap((field) => ['-e', field]),
    ]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  };
  const sent = await dissect(
    `tcp.dstport == ${port} && hl7.message.type`,
    'hl7.message.type',
    'hl7.event.type',
    'hl7.llp.eob',
  );
  const [reports, others] = [sent.filter(([type]) => type === 'ORU'), sent.filter(([type]) => type !== 'ORU')];
  t.same(
    reports.map(([type, trigger]) => [type, trigger]),
    Array(messages.length + spoken.length).fill(['ORU', 'R01']),
    'each request is one HL7 message',
  );
  t.same(
    reports.slice(0, messages.length).map(([, , end]) => end),
    messages.map(() => '0x1c0d'),
    'in one frame; where a last segment has no end, as with some others, the dissector names none of the frame either',
  );
  const acknowledging = spoken.filter(({ client }) => client.name.startsWith('hl7v2-net'));
  t.same(
    others.map(([type]) => type),
    acknowledging.map(() => 'ACK'),
    'hl7v2-net acknowledges our acknowledgement, and we answer nothing to that',
  );
  const ours = `tcp.srcport == ${port} && tcp.len > 0`;
  const answers = await dissect(ours, 'hl7.message.type', 'hl7.llp.sob', 'hl7.llp.eob');
  t.same(
    answers,
    Array(4 + spoken.length).fill(['ACK', '0x0b', '0x1c0d']),
    'each answer is one ACK in one frame of its own',
  );
  const malformed = await dissect(
    'hl7.malformed || _ws.malformed || _ws.expert.severity >= "Error"',
    'tcp.dstport',
    'hl7.malformed',
    '_ws.expert.message',
  );
  t.same(
    malformed,
    [[String(port), '', 'Malformed Packet (Exception occurred)']],
    'nothing but the one request that is: hl7.malformed nowhere',
  );
});
