import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkPack } from '../../adapters/formats/wst500-cda/pack/check-pack.ts';
import { compileProfile } from '../../adapters/hl7v2/profile/check.ts';
import { type ReplayStage, replay } from '../../agent/mapping/replay.ts';
import { startComparing } from '../../agent/mapping/replay-documents.ts';
import { openScratch } from '../../agent/store/sqlite/replay/replay-scratch.ts';
import { openReplayView } from '../../agent/store/sqlite/replay/replay-view.ts';
import { readAsset } from '../../agent/support/assets.ts';
import { openWorkedStore, sha } from '../faults/damage/worked-store.ts';
import { chooseSeed } from '../faults/seed.ts';
import { quickFolder } from '../quick-folder.ts';
import { table, tried } from './figures.ts';
import { dealPatients, playLaboratory } from './laboratory.ts';

/** Replay of a long history: the same to the byte, and no more memory at its end than at its beginning. */
const proof = process.env.QIANZHI_PROOF === '1';
const messages = Number(process.env.QIANZHI_MESSAGES ?? (proof ? 200_000 : 1_500));
const connections = 8;
t.setTimeout(proof ? 7_200_000 : 600_000);

const profile = readAsset('config/dialects/cn-default.yaml');
const pack = readAsset('config/provinces/cn-wst500/pack.yaml');

t.test(`${messages} stored messages, mapped and rendered again`, async (t) => {
  const seed = chooseSeed();
  const root = quickFolder('replay');
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'data'));
  const bytes = await fill(root, seed);

  const folder = join(root, 'data');
  const site = { orgCode: '12100000MB0000001P', name: '示例市人民医院' };
  const keyReference = `file:${join(root, 'data.key')}`;
  const view = openReplayView(folder, keyReference);
  const scratch = openScratch(folder, view.record);
  const platforms = [{ name: 'province', format: 'wst500-cda', pack: checkPack(pack, {}) }];
  const comparing = startComparing({ folder, keyReference, site, platforms });
  const stage: ReplayStage = {
    view,
    scratch,
    readers: new Map([['lis', compileProfile(profile)]]),
    compare: comparing.compare,
    timeZone: 'Asia/Shanghai',
    setIdOf: (key) => sha(key).slice(0, 32),
  };
  const memory: number[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  const figures = await replay(stage, () => memory.push(process.memoryUsage.rss() / 1e6));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await comparing.close();
  scratch.close();
  view.close();

  t.equal(figures.messages, messages, 'every message was taken');
  t.same([figures.different, figures.damaged], [0, 0], 'every record came out as it did then');
  t.equal(figures.documents.different, 0, 'and every document, to the byte');
  t.ok(figures.documents.same > messages * 0.9, 'documents were there to compare');

  const warm = memory.slice(Math.floor(memory.length / 4));
  t.comment(tried('stored messages replayed as then', `${messages} messages`, figures.different));
  t.comment(
    table(`replay, seed ${seed}`, [
      ['messages · documents the same', `${figures.same} · ${figures.documents.same}`],
      ['messages a second', Math.round(messages / seconds)],
      ['CPU a message', `${((user + system) / messages).toFixed(0)} µs`],
      ['RSS after a quarter, at most after it', `${warm[0]?.toFixed(0)} · ${Math.max(...warm).toFixed(0)} MB`],
      [
        'received, database',
        `${(bytes / 1e6).toFixed(0)} · ${(statSync(join(folder, 'qianzhi.db')).size / 1e6).toFixed(0)} MB`,
      ],
    ]),
  );
});

/** Reports and corrections of a laboratory, mapped, rendered and delivered as they come. */
async function fill(root: string, seed: number): Promise<number> {
  const store = openWorkedStore(root);
  const plays = dealPatients(connections * 50, connections, seed).map((patients, at) =>
    playLaboratory(patients, at, seed, 0.3),
  );
  let bytes = 0;
  for (let i = 0; i < messages; i++) {
    const { value } = plays[i % connections]!.next();
    await store.accept(value.bytes, value.controlId);
    bytes += value.bytes.length;
    if (i % 200 === 199 || i === messages - 1) {
      await store.work();
      for (let claimed = await store.claim(200); claimed.length > 0; claimed = await store.claim(200)) {
        await store.settle(claimed.map(({ n }) => ({ n, outcome: 'accepted' })));
      }
    }
  }
  store.close();
  return bytes;
}
