import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openSpool } from '../../../agent/store/spool.ts';
import { serveJobs } from '../process.ts';

export interface SealingJob {
  folder: string;
  megabytes: number;
}
/** CPU milliseconds a megabyte, user and system, of files of 0.5 MB that are synced and named; and what reading costs. */
export interface SealingCost {
  plain: number;
  sealed: number;
  read: number;
}

const bytes = randomBytes(525_000);
const pieces = [
  bytes.subarray(0, 131_072),
  bytes.subarray(131_072, 262_144),
  bytes.subarray(262_144, 393_216),
  bytes.subarray(393_216),
];

/** In the same process, one after the other: plain files, files of the spool, and the latter read again. */
async function measure({ folder, megabytes }: SealingJob): Promise<SealingCost> {
  const count = Math.max(1, Math.round((megabytes * 1e6) / bytes.length));
  const perMegabyte = async (work: (i: number) => Promise<void>): Promise<number> => {
    await work(0);
    const before = process.cpuUsage();
    for (let i = 1; i <= count; i++) await work(i);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / ((count * bytes.length) / 1e6);
  };
  const plain = await perMegabyte(async (i) => {
    const path = join(folder, `plain-${i}`);
    const file = await open(`${path}.part`, 'wx', 0o600);
    for (const piece of pieces) await file.write(piece);
    await file.datasync();
    await file.close();
    await rename(`${path}.part`, path);
    const parent = await open(folder, 'r');
    await parent.sync();
    await parent.close();
  });
  const spool = openSpool({ folder: join(folder, 'spool') });
  const files: Array<{ name: string; key: Uint8Array }> = [];
  const sealed = await perMegabyte(async () => {
    const writing = await spool.begin();
    for (const piece of pieces) await writing.write(piece);
    const { named, ...file } = await writing.finish();
    await named;
    files.push(file);
  });
  const read = await perMegabyte(async (i) => {
    for await (const piece of spool.read(files[i]!)) if (piece.length === 0) throw new Error('an empty piece');
  });
  return { plain, sealed, read };
}

serveJobs(measure);
