import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { type ReplayFigures, replay } from '../../../agent/mapping/replay.ts';
import { compareDocuments } from '../../../agent/mapping/replay-documents.ts';
import { openScratch } from '../../../agent/store/sqlite/replay/replay-scratch.ts';
import { openReplayView } from '../../../agent/store/sqlite/replay/replay-view.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { compilePack } from '../../adapters/formats/wst500-cda/compile-pack.ts';
import { makeHistory } from '../../faults/damage/history.ts';
import { openWorkedStore, sha } from '../../faults/damage/worked-store.ts';

const profile = readAsset('config/dialects/cn-default.yaml');
const pack = readAsset('config/provinces/cn-wst500/pack.yaml');
t.setTimeout(600_000);

/** A store with finals, corrections, interims, withdrawals, unknown codes and registrations. */
async function madeStore(t: { testdir(): string }): Promise<{ root: string; messages: number }> {
  const root = t.testdir();
  mkdirSync(join(root, 'data'), { recursive: true });
  const { acked } = await makeHistory(root);
  const store = openWorkedStore(root);
  await store.work();
  store.close();
  return { root, messages: acked.size };
}

/** SQLite's own two files come and go with a connection. */
const files = (root: string): string[] =>
  readdirSync(join(root, 'data'))
    .filter((name) => !/-(wal|shm)$/.test(name))
    .sort();

async function replayed(
  root: string,
  rules: { profile?: string; pack?: string; hospital?: string } = {},
): Promise<ReplayFigures> {
  const folder = join(root, 'data');
  const view = openReplayView(folder, `file:${join(root, 'data.key')}`);
  const scratch = openScratch(folder, view.record);
  const platforms = [{ name: 'province', renderer: compilePack(rules.pack ?? pack, {}) }];
  const site = { orgCode: '12100000MB0000001P', name: rules.hospital ?? '示例市人民医院' };
  try {
    return await replay({
      view,
      scratch,
      readers: new Map([['lis', compileProfile(rules.profile ?? profile)]]),
      compare: (entries) => compareDocuments({ view, platforms, site }, entries),
      timeZone: 'Asia/Shanghai',
      setIdOf: (key) => sha(key).slice(0, 32),
    });
  } finally {
    scratch.close();
    view.close();
  }
}

t.test('with the rules of then everything comes out as it did, to the byte', async (t) => {
  const { root, messages } = await madeStore(t);
  const before = files(root);
  const figures = await replayed(root);
  t.match(figures, { messages, same: messages, different: 0, damaged: 0, documents: { different: 0 }, examples: [] });
  t.ok(figures.documents.same > 20, `${figures.documents.same} documents compared`);
  t.same(await replayed(root), figures, 'a second time the same: it changed nothing');
  t.same(files(root), before, 'and leaves no file behind');
});

t.test('with other rules it says what would differ', async (t) => {
  const { root } = await madeStore(t);
  const otherDocument = await replayed(root, { hospital: '示例市第二人民医院' });
  t.equal(otherDocument.different, 0, 'the records are the same');
  t.ok(otherDocument.documents.different > 20, 'documents name another hospital');
  t.ok(otherDocument.examples.every(({ platform }) => platform === 'province'));

  const finals = await replayed(root, { profile: profile.replaceAll('    P: hold\n', '    P: publish\n') });
  t.ok(finals.different > 0, 'interim reports would be published');
  t.ok(finals.examples.length > 0);

  // What was published late, and would never be now, is decided in two goes: it counts once, and as different.
  for (const other of [
    profile.replaceAll('    F: publish\n', '    F: hold\n'),
    profile.replace('      - ORU^R01\n', ''),
  ]) {
    const held = await replayed(root, { profile: other });
    t.equal(held.same + held.different + held.damaged, held.messages, 'each message counts once');
    t.ok(held.different >= new Set(held.examples.filter((e) => e.platform === undefined).map((e) => e.seq)).size);
    t.ok(held.different > 0 && held.examples.length > 0);
  }
});
