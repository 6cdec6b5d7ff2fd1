import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { v8Flags } from '../../../../installer/run-settings.ts';
import { table } from '../../../long/figures.ts';
import { canReadProcesses, residentMemory } from '../../../long/process-figures.ts';
import { connectDevice, type Device, pdata, pdu, pdv, storeRq } from './scu.ts';

const proof = process.env.QIANZHI_PROOF === '1';
const largeMb = proof ? 1024 : 300;
/** What an instance of any size may add to the process. */
const mostGrowthMb = 32;
t.setTimeout(proof ? 600_000 : 200_000);

const pieceBytes = 131_066;
/** A piece of the dataset; no two begin alike, so that none can be lost, doubled or exchanged. */
const piece = (n: number): Buffer => {
  const bytes = Buffer.alloc(pieceBytes, 'pixels ');
  bytes.writeUInt32LE(n, 0);
  return bytes;
};

/** Streams an instance of so many pieces; gives the digest of its dataset when it was answered. */
async function stream(device: Device, pieces: number): Promise<string> {
  const hash = createHash('sha256');
  device.send(pdata(1, 'command', storeRq()));
  for (let n = 0; n < pieces; n++) {
    const bytes = piece(n);
    hash.update(bytes);
    const more = device.socket.write(pdu(4, pdv(1, n === pieces - 1 ? 2 : 0, bytes)));
    if (!more) await once(device.socket, 'drain');
  }
  const { status } = await device.response();
  if (status !== '0000') throw new Error(status);
  return hash.digest('hex');
}

async function datasetDigest(file: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { start: statSync(file).size - bytes }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

t.test(
  `an instance of ${largeMb} MB costs the listener no more memory than small ones`,
  { skip: canReadProcesses ? false : 'this system does not tell what a process uses' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'qianzhi-scp-large-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const child: ChildProcess = fork(fileURLToPath(new URL('listener-process.ts', import.meta.url)), [folder], {
      execArgv: v8Flags,
    });
    t.teardown(() => child.kill());
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const device = await connectDevice(t, port);
    await device.associate();
    for (let n = 0; n < 20; n++) await stream(device, 8);
    const before = residentMemory(child.pid!)!;
    const startedMs = performance.now();
    const pieces = Math.ceil((largeMb * 1024 * 1024) / pieceBytes);
    const digest = await stream(device, pieces);
    const ms = performance.now() - startedMs;
    const after = residentMemory(child.pid!)!;
    const large = join(folder, '20.dcm');
    t.equal(await datasetDigest(large, pieces * pieceBytes), digest, 'every byte of it is there');
    t.comment(
      table('one instance', [
        ['size', `${largeMb} MB`],
        ['rate, synced before the response', `${Math.round((largeMb * 1000) / ms)} MB/s`],
        ['resident before', `${Math.round(before.nowMb)} MB`],
        ['most', `${Math.round(after.peakMb)} MB`],
      ]),
    );
    t.ok(after.peakMb - before.peakMb <= mostGrowthMb, `${Math.round(after.peakMb - before.peakMb)} MB more at most`);
  },
);
