import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { demoFolder } from '../../demo/running.ts';
import { startRig } from '../../end-to-end/rig.ts';
import { openStoredBytes } from '../stored-bytes.ts';

const tool = fileURLToPath(new URL('../../../../shared/tools/torture.mjs', import.meta.url));
t.setTimeout(600_000);

/** The tool's messages, byte for byte. */
const message = (id: string, extra = '', charset = '') =>
  `MSH|^~\\&|LIS|HOSP|RHIP|PROV|20260115103000||ORU^R01^ORU_R01|${id}|P|2.5.1||||||${charset}\rPID|1||330100123456^^^HOSP||ZHANG^SAN||19900101|M\rOBX|1|NM|WBC^WBC||6.21|10*9/L\r${extra}`;

interface Case {
  /** The tool's name of it. */
  name: string;
  /** MSA-1 and MSA-2 of every answer in order: no more, no fewer. */
  acks: string[];
  /** What must be stored because of it, once each. */
  stored: Array<string | Buffer>;
}

/** The right answer to every case of the tool. */
const cases: Case[] = [
  { name: '1 single', acks: ['AA:A1'], stored: [message('A1')] },
  { name: '2 two sequential', acks: ['AA:B1', 'AA:B2'], stored: ['B1', 'B2'].map((id) => message(id)) },
  {
    name: '3 three in one chunk',
    acks: ['AA:C1', 'AA:C2', 'AA:C3'],
    stored: ['C1', 'C2', 'C3'].map((id) => message(id)),
  },
  { name: '4 split mid-frame', acks: ['AA:D1'], stored: [message('D1')] },
  { name: '5 split between FS and CR', acks: ['AA:E1'], stored: [message('E1')] },
  { name: '6 byte by byte', acks: ['AA:F1'], stored: [message('F1')] },
  { name: '7 1.5 frames then rest', acks: ['AA:G1', 'AA:G2'], stored: [message('G1'), message('G2')] },
  // A frame that holds something gets an answer. What has no MSH is refused, with nothing to echo.
  { name: '8 malformed + good, one chunk', acks: ['AE:', 'AA:H2'], stored: [message('H2')] },
  { name: '9 malformed then good (2 chunks)', acks: ['AE:', 'AA:I2'], stored: [message('I2')] },
  // An empty frame is a keep-alive of some senders: an answer would be one they do not expect.
  { name: '10 empty frame + good', acks: ['AA:J2'], stored: [message('J2')] },
  { name: '11 junk before VT', acks: ['AA:K1'], stored: [message('K1')] },
  { name: '12 LF segment separators', acks: ['AA:L1'], stored: [message('L1').replace(/\r/g, '\n')] },
  { name: '13 CRLF separators', acks: ['AA:M1'], stored: [message('M1').replace(/\r/g, '\r\n')] },
  {
    name: '14 GBK body (0x5C/0x7C trail bytes)',
    acks: ['AA:N1'],
    stored: [
      Buffer.concat([
        Buffer.from(message('N1', 'NTE|1||', 'GB 18030-2000')),
        Buffer.from('d8adba43d554d5c5c8fdb0d7cfb8b0fb', 'hex'),
        Buffer.from('\r'),
      ]),
    ],
  },
  { name: '15 no trailing CR in body', acks: ['AA:O1'], stored: [message('O1').slice(0, -1)] },
  // Two messages in one frame are two messages, each stored and answered; the answers come in one frame.
  { name: '16 BHS batch of 2', acks: ['AA:P1', 'AA:P2'], stored: [message('P1'), message('P2')] },
  // Nothing to echo, but nothing to refuse either: by default a message without MSH-10 is kept.
  { name: '17 missing MSH-10', acks: ['AA:'], stored: [message('')] },
  // What a version means is for mapping to say; intake keeps it.
  { name: '18 unknown version 9.9', acks: ['AA:R1'], stored: [message('R1').replace('2.5.1', '9.9')] },
  {
    name: '19 10 MB OBX-5',
    acks: ['AA:S1'],
    stored: [message('S1', `OBX|2|ED|PDF||^application^pdf^Base64^${'QUJD'.repeat(2621440)}\r`)],
  },
];
const interleaved = { name: '20 interleaved partial frames', connA: ['AA:T1'], connB: ['AA:U1'] };

/** `1 single    acks=1 [AA:A1] first=12ms` → its list; undefined when the case did not run. */
function acksOf(output: string, name: string): string | undefined {
  const line = output.split('\n').find((found) => found.startsWith(name));
  return line === undefined ? undefined : /acks=\d+ \[[^\]]*\]/.exec(line)?.[0];
}

t.test(
  'every case of the torture tool is answered rightly, and everything goes all the way',
  { skip: existsSync(tool) ? false : 'shared/tools is not here' },
  async (t) => {
    const folder = demoFolder(t);
    const rig = await startRig(t, folder);
    // The tool waits 0.7 s for each answer: on a machine that was away for so long it is asked again. What it sends then
    // is the same to the byte, and stored no second time.
    let output = '';
    for (let tries = 0; tries < 4; tries++) {
      const child = spawn(process.execPath, [tool, String(rig.mllp.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      t.equal(code, 0);
      output = said;
      if (cases.every(({ name, acks }) => acksOf(output, name) === `acks=${acks.length} [${acks.join(' ')}]`)) break;
    }
    t.notMatch(output, /ABORT|CLOSED/, 'no connection was refused or closed');
    for (const { name, acks } of cases) t.equal(acksOf(output, name), `acks=${acks.length} [${acks.join(' ')}]`, name);
    t.match(output, `connA=[${interleaved.connA}] connB=[${interleaved.connB}]`, interleaved.name);
    const lines = output.split('\n').filter((line) => /^\d/.test(line));
    t.equal(lines.length, cases.length + 1, 'no case of the tool is left out here');

    const wanted = [...cases.flatMap(({ stored }) => stored), message('T1'), message('U1')].map((bytes) =>
      Buffer.from(bytes),
    );
    // Each has one state at the platform: none is still waiting without a reason, none has stopped the mapping.
    const rows = await rig.settled(wanted.length);
    t.equal(rows.length, wanted.length);
    for (const { seq, states } of rows)
      t.equal(states.length, 1, `message ${seq}: ${states[0]?.state} ${states[0]?.code}`);
    await rig.stop();

    const store = openStoredBytes(join(folder, 'agent', 'data'), `file:${join(folder, 'agent', 'keys', 'data.key')}`);
    const stored = store.after(0).map(({ bytes }) => bytes ?? Buffer.alloc(0));
    store.close();
    const sortedHex = (list: Buffer[]) => list.map((bytes) => bytes.toString('latin1')).sort();
    t.ok(sortedHex(stored).join('\0') === sortedHex(wanted).join('\0'), 'stored: each once, byte for byte, no more');
    for (const line of lines) t.comment(line.slice(0, 110));
  },
);
