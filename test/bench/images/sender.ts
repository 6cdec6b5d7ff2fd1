import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cpuSeconds, peakRssMb } from '../process.ts';
import { resetPeak } from './peak.ts';

export interface Receiver {
  name: ReceiverName;
  pid: number;
  port: number;
  /** Instances that it says to have. */
  stored(): Promise<number>;
  stop(): Promise<void>;
}
export type ReceiverName = 'storescp' | 'orthanc' | 'dcmjs-dimse' | 'agent' | 'agent-uploading';

export interface Received {
  perSecond: number;
  seconds: number;
  /** CPU of the receiver, milliseconds an instance. */
  cpuMs?: number;
  peakRssMb?: number;
}

/**
 * Debian's dcmsend, one association, longest PDU. The time is that of the association, from its acceptance to its
 * release: dcmsend reads all headers first. Throws unless every instance is answered with success and is there.
 */
export async function sendTo(receiver: Receiver, folder: string, count: number): Promise<Received> {
  resetPeak(receiver.pid);
  const before = cpuSeconds(receiver.pid);
  const child = spawn(
    'dcmsend',
    ['-v', '-pdu', '131072', '-aec', 'QIANZHI', '-aet', 'DEVICE', '+sd', '127.0.0.1', String(receiver.port), folder],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const gone = once(child, 'exit');
  let fromMs = Number.NaN;
  let toMs = Number.NaN;
  let success = 0;
  const other: string[] = [];
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      if (line.includes('Association Accepted')) fromMs = performance.now();
      else if (line.includes('Response (Success)')) success += 1;
      else if (line.includes('Releasing Association')) toMs = performance.now();
      else if (/^[EFW]:/.test(line)) other.push(line);
    }
  };
  await Promise.all([read(child.stdout), read(child.stderr), gone]);
  const stored = await receiver.stored();
  if (success !== count || stored !== count) {
    throw new Error(
      `${receiver.name}: ${success} of ${count} answered, ${stored} stored\n${other.slice(0, 5).join('\n')}`,
    );
  }
  const after = cpuSeconds(receiver.pid);
  const seconds = (toMs - fromMs) / 1000;
  return {
    perSecond: count / seconds,
    seconds,
    ...(before === undefined || after === undefined ? {} : { cpuMs: ((after - before) * 1000) / count }),
    peakRssMb: peakRssMb(receiver.pid),
  };
}
