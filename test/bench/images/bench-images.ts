import { mkdirSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { startOrthanc } from '../../platform/orthanc/orthanc.ts';
import { measureDisk } from '../disk.ts';
import { end, startWorker } from '../process.ts';
import { preparePrograms } from '../programs.ts';
import { makeImages, makeLarge } from './generate.ts';
import { prepareImageAgent, startImageAgent } from './image-agent.ts';
import type { ImagePlan } from './image-plan.ts';
import { type ImageReport, judgeImages } from './image-report.ts';
import { fetchDimse, peerPrograms, startDimse, startOrthancScp, startStorescp } from './peers.ts';
import type { SealingCost, SealingJob } from './sealing.ts';
import { type Received, type Receiver, type ReceiverName, sendTo } from './sender.ts';
import { measureUpload, prepareOrthanc, type Uploaded } from './upload.ts';

export interface ImageRun {
  /** Of this run alone. */
  folder: string;
  plan: ImagePlan;
  say(text: string): void;
  profile?: string;
}

/**
 * Images received and uploaded, beside storescp, Orthanc and dcmjs-dimse. Every process runs with TCP_NODELAY=1, without
 * which Debian's dcmtk waits 40 ms for each instance (reference/dicom.md §1.2).
 */
export async function benchImages({ folder, plan, say, profile }: ImageRun): Promise<ImageReport> {
  if (!peerPrograms)
    throw new Error('needs Debian’s dcmtk and Orthanc (apt-get install dcmtk orthanc orthanc-dicomweb nginx-light)');
  process.env.TCP_NODELAY = '1';
  const startedMs = performance.now();
  const loadBefore = loadavg();
  const notes: string[] = [];
  const programs = await preparePrograms(folder);
  say('the images');
  const images = join(folder, 'images');
  makeImages(images, plan.images);
  const imageBytes = statSync(join(images, 'IM00000.dcm')).size;
  const modules = join(folder, 'dimse');
  if (plan.dimse) say('dcmjs-dimse is fetched');
  const dimse = plan.dimse && (await fetchDimse(modules));
  if (!dimse) notes.push('dcmjs-dimse was not fetched: its rows are missing');

  const disk: ImageReport['disk'] = [];
  const received = new Map<ReceiverName, Received[]>();
  const uploaded: Uploaded[] = [];
  const kept = <T>(name: ReceiverName, all: Map<ReceiverName, T[]>, sample: T) =>
    void all.set(name, [...(all.get(name) ?? []), sample]);
  let row = 0;
  const inFolder = async (name: string, work: (at: string) => Promise<void>) => {
    const at = join(folder, `row-${++row}`);
    mkdirSync(at, { recursive: true });
    disk.push(measureDisk(folder, 300));
    say(name);
    try {
      await work(at);
    } finally {
      rmSync(at, { recursive: true, force: true });
    }
  };
  const receive = async (receiver: Receiver, from: string, count: number): Promise<Received> => {
    try {
      return await sendTo(receiver, from, count);
    } finally {
      await receiver.stop();
    }
  };
  const agentOptions = { ...(profile === undefined ? {} : { profile }) };
  const agentOf = (site: Parameters<typeof startImageAgent>[0], name: 'agent' | 'agent-uploading') =>
    startImageAgent(site, programs.agent, name, profile);

  const peers: Array<[ReceiverName, (at: string) => Promise<Receiver>]> = [
    ['storescp', (at) => startStorescp(at)],
    ['orthanc', (at) => startOrthancScp(at)],
    ...(dimse
      ? [
          ['dcmjs-dimse', (at: string) => startDimse(modules, at)] satisfies [ReceiverName, unknown] as [
            ReceiverName,
            (at: string) => Promise<Receiver>,
          ],
        ]
      : []),
  ];
  for (let round = 1; round <= plan.rounds; round++) {
    say(`round ${round} of ${plan.rounds}`);
    for (const [name, start] of peers) {
      await inFolder(`${name}, ${round}`, async (at) =>
        kept(name, received, await receive(await start(join(at, 'files')), images, plan.images)),
      );
    }
    await inFolder(`us, the cloud down, then up, ${round}`, async (at) => {
      const cloud = await prepareOrthanc(at);
      const site = await prepareImageAgent(join(at, 'agent'), cloud.platform);
      kept('agent', received, await receive(await agentOf(site, 'agent'), images, plan.images));
      uploaded.push(
        await measureUpload(site, programs.agent, { orthanc: cloud.folder, count: plan.images, ...agentOptions }),
      );
    });
    await inFolder(`us, the cloud up, ${round}`, async (at) => {
      const cloud = await startOrthanc({ folder: join(at, 'orthanc') });
      try {
        const site = await prepareImageAgent(join(at, 'agent'), cloud);
        kept('agent-uploading', received, await receive(await agentOf(site, 'agent-uploading'), images, plan.images));
      } finally {
        await cloud.stop();
      }
    });
  }

  say('one large instance');
  const largeFolder = join(folder, 'large');
  const largeBytes = makeLarge(largeFolder, plan.frames);
  const large: ImageReport['large'] = { bytes: largeBytes, received: {} };
  for (const [name, start] of peers) {
    // Its memory for 1 GB is 7 GB, and then it fails (reference/dicom.md §1.6).
    if (name === 'dcmjs-dimse' && largeBytes > 250e6) continue;
    await inFolder(`${name}, large`, async (at) => {
      large.received[name] = await receive(await start(join(at, 'files')), largeFolder, 1);
    });
  }
  await inFolder('us, large', async (at) => {
    const cloud = await prepareOrthanc(at);
    const site = await prepareImageAgent(join(at, 'agent'), cloud.platform);
    large.received.agent = await receive(await agentOf(site, 'agent'), largeFolder, 1);
    large.uploaded = await measureUpload(site, programs.agent, { orthanc: cloud.folder, count: 1, ...agentOptions });
  });
  rmSync(largeFolder, { recursive: true });

  say('sealing');
  const { flags, environment } = { flags: programs.flags, environment: programs.agent.environment };
  const sealer = await startWorker<SealingJob, SealingCost>({ script: 'images/sealing.ts', flags, environment });
  const sealingFolder = join(folder, 'sealing');
  mkdirSync(sealingFolder);
  const sealing = await sealer.run({ folder: sealingFolder, megabytes: plan.sealingMb });
  await end(sealer.child);

  const found = {
    at: new Date().toISOString(),
    conditions: {
      node: process.version,
      processor: cpus()[0]?.model ?? '',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1e9),
      loadBefore,
      loadAfter: loadavg(),
      rounds: plan.rounds,
      images: plan.images,
      imageBytes,
      form: plan.form,
      seconds: (performance.now() - startedMs) / 1000,
    },
    notes,
    received: Object.fromEntries(received) as ImageReport['received'],
    uploaded,
    large,
    sealing,
    disk,
  };
  return { ...found, goals: judgeImages(found) };
}
