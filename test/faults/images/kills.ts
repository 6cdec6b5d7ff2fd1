import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { datasetOffset } from '../../../adapters/dicom/part10.ts';
import { spoolFolder } from '../../../agent/images/running.ts';
import { uploadState } from '../../../agent/store/sqlite/schema.ts';
import { makeRandom } from '../../demo/people.ts';
import { type Orthanc, startOrthanc } from '../../platform/orthanc/orthanc.ts';
import { choosePort } from '../../platform/ports.ts';
import { type AgentRig, eventually, startAgentRig } from '../disk/agent-rig.ts';
import { bookFaults, setAsideCount, spoolFaults } from './books.ts';
import { type Sent, sha256, startDevice, startDropper } from './senders.ts';

export interface KillPlan {
  kills: number;
  seed: number;
  /** Between the files that are dropped, on average. */
  dropEveryMs: number;
  drainMs: number;
}

export interface KillResult {
  sent: Sent;
  /** What was wrong, in words; nothing of it may be. */
  wrong: string[];
  orthancStops: number;
  /** Kills before the agent said that it was ready. */
  early: number;
  setAside: number;
  /** Seconds from the start of the agent until so far. */
  took: { kills: number; senders: number; upload: number; all: number };
}

const title = 'QIANZHI';

/**
 * The agent as it is installed is killed at any moment while three devices push, files are dropped and images are uploaded
 * to Debian's Orthanc, which is stopped and started between. Then everything is counted.
 */
export async function killAgent(t: Test, root: string, plan: KillPlan): Promise<KillResult> {
  const random = makeRandom(plan.seed);
  let orthanc = await startOrthanc({ folder: join(root, 'orthanc') });
  t.teardown(() => orthanc.stop());
  const port = await choosePort();
  const inbox = join(root, 'inbox');
  const archive = join(root, 'archive');
  for (const folder of [inbox, archive]) mkdirSync(folder);
  const profile = join(root, 'dicom.yaml');
  writeFileSync(profile, 'patient_id: in-house\nsex: { M: "1" }\nstudy: { stable_seconds: 1 }\n');
  const rig = await startAgentRig(t, {
    root,
    sources: [
      { name: 'pacs', kind: 'dicom-scp', profile, port, ae_titles: [title], calling_ae_titles: ['DEVICE'] },
      {
        name: 'dropped',
        kind: 'dicom-folder',
        profile,
        folder: inbox,
        archive,
        scan_interval_seconds: 0.2,
        min_age_seconds: 0.2,
      },
    ],
    provincePlatform: { format: 'imaging-index', pack: 'imaging-index' },
    platforms: [{ name: 'cloud', kind: 'dicomweb', url: orthanc.url, tls: orthanc.tls }],
  });
  rig.start();
  if (!(await rig.ready())) throw new Error('the agent does not start');

  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const took = { kills: 0, senders: 0, upload: 0 };
  const sent: Sent = { acknowledged: new Map(), dropped: new Map(), studies: new Set(), repeated: 0, bytes: 0 };
  // Each with a chance of its own: whose turn it is must not change what the others do.
  const making = (name: string, n: number) => ({
    name: `${plan.seed}.${name}`,
    folder: join(root, name),
    random: makeRandom(plan.seed * 10 + n),
    sent,
  });
  const senders = [
    ...(['storescu', 'dcmsend', 'storescu'] as const).map((program, i) =>
      startDevice({ ...making(`device${i + 1}`, i + 1), program, port, title }),
    ),
    startDropper({ ...making('folder', 9), folder: inbox, pauseMs: plan.dropEveryMs }),
  ];

  let orthancStops = 0;
  let early = 0;
  let up = true;
  for (let kill = 1; kill <= plan.kills; kill++) {
    // Down for two kills of five; up again before the last ones, so that uploads are under way when they come.
    const wanted = plan.kills - kill < 2 || kill % 5 < 3;
    if (up && !wanted) await orthanc.stop();
    if (!up && wanted) orthanc = await startOrthanc({ folder: join(root, 'orthanc') });
    if (up && !wanted) orthancStops += 1;
    up = wanted;
    // Every fourth kill hits a process that is starting.
    const starting = kill % 4 === 0;
    if (!starting && !(await rig.ready())) throw new Error(`the agent is not ready again after kill ${kill - 1}`);
    if (starting) early += 1;
    await sleep(random() * (starting ? 900 : 1_800));
    const starts = rig.starts();
    rig.kill();
    if (!(await eventually(() => rig.starts() > starts))) throw new Error('the agent was not started again');
  }
  if (!(await rig.ready())) throw new Error('the agent is not ready again after the last kill');
  took.kills = seconds();
  await Promise.all(senders.map((sender) => sender.finish()));
  took.senders = seconds();

  const wrong: string[] = [];
  const total = sent.acknowledged.size + sent.dropped.size;
  const arrived = await eventually(
    async () => (await orthanc.count()) >= total && (await unsent(rig)) === 0,
    plan.drainMs,
  );
  if (!arrived) wrong.push(`after ${plan.drainMs / 1000} s ${await orthanc.count()} of ${total} have arrived`);
  took.upload = seconds();
  const issued = await eventually(() => issues(rig).size >= sent.studies.size, 20_000);
  if (!issued) wrong.push(`${issues(rig).size} of ${sent.studies.size} studies were told to the province`);
  // An image too many, or a second effect, would come now.
  await sleep(1_500);
  if (rig.deaths.length !== plan.kills) wrong.push(`${rig.deaths.length} deaths by ${plan.kills} kills`);
  await rig.stop();

  if ((await orthanc.count()) !== total) wrong.push(`${await orthanc.count()} images arrived of ${total}`);
  wrong.push(...(await compare(orthanc, sent)), ...folderFaults(inbox, archive, sent), ...issueFaults(rig));
  wrong.push(...storeFaults(rig.data, sent));
  const setAside = setAsideCount(spoolFolder(rig.data));
  return { sent, wrong, orthancStops, early, setAside, took: { ...took, all: seconds() } };
}

const unsent = async (rig: AgentRig): Promise<number | undefined> =>
  (await rig.status())?.platforms.find(({ takes }) => takes === 'images')?.unsent;

/** Every image that was answered for or dropped is there with the same dataset. */
async function compare(orthanc: Orthanc, sent: Sent): Promise<string[]> {
  const wanted = [...sent.acknowledged, ...[...sent.dropped].map(([uid, { dataset }]) => [uid, dataset] as const)];
  const wrong = { missing: 0, changed: 0 };
  for (const [uid, dataset] of wanted) {
    const file = await orthanc.instanceFile(uid);
    const from = file && datasetOffset(file);
    if (file === undefined || from === undefined) wrong.missing += 1;
    else if (sha256(file.subarray(from)) !== dataset) wrong.changed += 1;
  }
  return Object.entries(wrong).flatMap(([what, n]) => (n > 0 ? [`${n} images are ${what} at the platform`] : []));
}

/** Every dropped file lies in the archive, once and whole, and none in the folder. */
function folderFaults(inbox: string, archive: string, sent: Sent): string[] {
  const filesIn = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const wanted = [...sent.dropped.values()].map(({ file }) => file).sort();
  // A kill between a name's being kept free and the move leaves the empty file.
  const there = filesIn(archive)
    .filter(({ length }) => length > 0)
    .map(sha256)
    .sort();
  const left = filesIn(inbox).length;
  return [
    ...(left > 0 ? [`${left} files are left in the folder`] : []),
    ...(JSON.stringify(there) === JSON.stringify(wanted)
      ? []
      : [`the archive has ${there.length} files, dropped were ${wanted.length}`]),
  ];
}

/** study → versions of its index that the province has. */
function issues(rig: AgentRig): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { setId, version } of rig.province.received()) found.set(setId, [...(found.get(setId) ?? []), version]);
  return found;
}
const issueFaults = (rig: AgentRig): string[] =>
  [...issues(rig).values()]
    .filter((versions) => new Set(versions).size !== versions.length)
    .map((versions) => `an issue of a study has arrived twice: ${versions.join()}`);

/** Each image has one row and is delivered; the sums say so; the spool has a file for each and nothing else. */
function storeFaults(data: string, sent: Sent): string[] {
  const db = new DatabaseSync(join(data, 'qianzhi.db'), { readOnly: true });
  try {
    const number = (sql: string) => (db.prepare(sql).get() as { n: number }).n;
    const counts = {
      pacs: number("SELECT count(*) AS n FROM instance i JOIN name s ON s.id = i.source WHERE s.name = 'pacs'"),
      dropped: number("SELECT count(*) AS n FROM instance i JOIN name s ON s.id = i.source WHERE s.name = 'dropped'"),
      delivered: number(`SELECT count(*) AS n FROM upload WHERE state = ${uploadState.delivered}`),
      inBooks: number(`SELECT ifnull(sum(n), 0) AS n FROM image_balance WHERE state = ${uploadState.delivered}`),
    };
    const [pushed, dropped] = [sent.acknowledged.size, sent.dropped.size];
    const wanted = { pacs: pushed, dropped, delivered: pushed + dropped, inBooks: pushed + dropped };
    return [
      ...(JSON.stringify(counts) === JSON.stringify(wanted)
        ? []
        : [`the store counts ${JSON.stringify(counts)} of ${JSON.stringify(wanted)}`]),
      ...bookFaults(db),
      ...spoolFaults(db, spoolFolder(data)),
    ];
  } finally {
    db.close();
  }
}
