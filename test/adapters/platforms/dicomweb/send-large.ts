import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dicomwebConfig } from '../../../../adapters/platforms/dicomweb/config.ts';
import { openDicomweb } from '../../../../adapters/platforms/dicomweb/platform.ts';
import { systemClock } from '../../../../agent/support/clock.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { head, newUid, outgoing } from './instances.ts';

/**
 * Run by itself, so that its memory is that of a client alone: sends one instance of many frames, which is made as it
 * goes, and prints the result and the most memory it had.
 * Arguments: url, ca, cert, key, frames of 512 KiB.
 */
const [url, ca, cert, key, frames] = process.argv.slice(2);
const connection = await openDicomweb(
  { name: 'cloud', clock: systemClock, log: silentLog, agentId: 'agent-1' },
  dicomwebConfig.parse({ url, tls: { ca, cert, key } }),
);
const made = { study: newUid(), sop: newUid(), rows: 512, columns: 512, frames: Number(frames) };
const first = head(made);
const noise = randomBytes(256 * 1024);
const instance = outgoing(1, first, made);
instance.bytes = first.length + made.frames * 2 * noise.length;
instance.open = async function* () {
  yield first;
  for (let piece = 0; piece < made.frames * 2; piece++) yield noise;
};
const began = performance.now();
const result = await connection.send([instance], new AbortController().signal);
console.log(
  JSON.stringify({
    result,
    bytes: instance.bytes,
    sop: made.sop,
    ms: Math.round(performance.now() - began),
    // Not maxRSS: that begins with what the process had that started this one.
    mostMegabytes: Math.round(Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024),
  }),
);
await connection.close();
