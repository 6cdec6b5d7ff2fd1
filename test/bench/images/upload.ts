import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOrthanc } from '../../platform/orthanc/orthanc.ts';
import type { AgentSite } from '../agent.ts';
import { cpuSeconds, peakRssMb } from '../process.ts';
import type { Program } from '../programs.ts';
import { type RunningImageAgent, startImageAgent } from './image-agent.ts';
import { resetPeak } from './peak.ts';

export interface Uploaded {
  /** Between the first that Orthanc counts and the last. */
  perSecond: number;
  seconds: number;
  cpuMs?: number;
  peakRssMb?: number;
}

/** What lies in the agent's spool goes to Orthanc, which comes up now; the agent is started when it is up. */
export async function measureUpload(
  site: AgentSite,
  program: Program,
  { orthanc, count, profile }: { orthanc: string; count: number; profile?: string },
): Promise<Uploaded> {
  const platform = await startOrthanc({ folder: orthanc });
  try {
    const agent = await startImageAgent(site, program, 'agent', profile);
    resetPeak(agent.pid);
    const cpuBefore = cpuSeconds(agent.pid);
    try {
      const { fromMs, from, toMs } = await watchArrival(platform.count, count, agent);
      const cpuAfter = cpuSeconds(agent.pid);
      const seconds = (toMs - fromMs) / 1000;
      return {
        // Of one instance there is no rate.
        perSecond: (count - from) / seconds,
        seconds,
        ...(cpuBefore === undefined || cpuAfter === undefined
          ? {}
          : { cpuMs: ((cpuAfter - cpuBefore) * 1000) / count }),
        peakRssMb: peakRssMb(agent.pid),
      };
    } finally {
      await agent.stop();
    }
  } finally {
    await platform.stop();
  }
}

const limitMs = 600_000;

/** Until Orthanc counts all of them and the agent has booked them as delivered. */
async function watchArrival(
  arrived: () => Promise<number>,
  count: number,
  agent: RunningImageAgent,
): Promise<{ fromMs: number; from: number; toMs: number }> {
  const startedMs = performance.now();
  let fromMs = startedMs;
  let from = 0;
  for (let now = 0; now < count; await sleep(50)) {
    now = await arrived();
    // Where they come all at once, the time counts from the start of the agent.
    if (from === 0 && now > 0 && now < count) {
      fromMs = performance.now();
      from = now;
    }
    if (performance.now() - startedMs > limitMs) throw new Error(`${now} of ${count} instances uploaded`);
  }
  const toMs = performance.now();
  while (agent.delivered() < count && performance.now() - toMs < 60_000) await sleep(20);
  if (agent.delivered() !== count) throw new Error(`${agent.delivered()} of ${count} booked as delivered`);
  return { fromMs, from, toMs };
}

/** Where a platform is to come up: its address and certificates, made by starting it once. */
export async function prepareOrthanc(
  folder: string,
): Promise<{ folder: string; platform: { url: string; tls: { ca: string; cert: string; key: string } } }> {
  const at = join(folder, 'orthanc');
  const orthanc = await startOrthanc({ folder: at });
  await orthanc.stop();
  return { folder: at, platform: { url: orthanc.url, tls: orthanc.tls } };
}
