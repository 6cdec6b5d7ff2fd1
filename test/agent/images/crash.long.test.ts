import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { forgetDelivered } from '../../../agent/images/forget.ts';
import { indexInstances } from '../../../agent/images/index-instances.ts';
import { issueStudies } from '../../../agent/images/studies.ts';
import { takeInInstances } from '../../../agent/images/take-in.ts';
import type { Spool } from '../../../agent/store/spool.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { quickFolder } from '../../quick-folder.ts';
import { datasetOf, type ImageRig, imageRig, type Said, sha256 } from './rig.ts';

t.setTimeout(600_000);

/** What was promised to the outside at some moment: it must hold in every start after it. */
interface Promised {
  /** n → hash of the dataset, of each instance that was acknowledged. */
  acknowledged: Map<number, string>;
  /** Those the platform has accepted and whose verdict was durable. */
  delivered: Set<number>;
  issues: number;
  forgotten: number;
}
const nothing = (): Promised => ({ acknowledged: new Map(), delivered: new Set(), issues: 0, forgotten: 0 });
const copyOf = (p: Promised): Promised => ({
  ...p,
  acknowledged: new Map(p.acknowledged),
  delivered: new Set(p.delivered),
});

/** A copy of the folder after each step of spool and store, which is before the next: as `kill -9` there leaves it. */
class Cuts {
  readonly made: Array<{ folder: string; at: string; promised: Promised }> = [];
  readonly #root = quickFolder('cuts');
  readonly #from: string;
  readonly #now: Promised;
  constructor(from: string, now: Promised) {
    this.#from = from;
    this.#now = now;
  }
  cut(at: string): void {
    const folder = join(this.#root, String(this.made.length));
    cpSync(this.#from, folder, { recursive: true });
    this.made.push({ folder, at, promised: copyOf(this.#now) });
  }
  /** The same object, with a cut after each of its steps. */
  around<T extends object>(what: string, target: T): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value = object[key as keyof T] as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const name = `${what}.${String(key)}`;
          const result = (value as (...a: unknown[]) => unknown).apply(object, args);
          if (!(result instanceof Promise)) return result;
          return result.then((done) => {
            this.cut(`after ${name}`);
            // What a file in the making is made with is cut as well.
            return name === 'spool.begin' ? this.around('writing', done as object) : done;
          });
        };
      },
    });
  }
}

const all: Said[] = [
  { uid: '1.1', study: '2.1', pixels: 300_000 },
  { uid: '1.2', study: '2.1' },
  { uid: '1.2', study: '2.1' },
  { uid: '1.2', study: '2.1', pixels: 77 },
];

/** The life of some instances, from their coming to their being forgotten. */
async function live(rig: ImageRig, cuts: Cuts, now: Promised): Promise<void> {
  const spool = cuts.around<Spool>('spool', rig.spool);
  const store = cuts.around('store', rig.store);
  const view = cuts.around('view', rig.view);
  const intake = takeInInstances({ source: 'pacs', spool, store });
  for (const said of all) {
    const incoming = await intake.begin({
      sopClassUid: '1',
      sopInstanceUid: phi(said.uid),
      transferSyntaxUid: '1',
      receivedMs: rig.now(),
      preamble: Buffer.from(''),
    });
    await incoming.write(datasetOf(said));
    const { n } = await incoming.commit();
    now.acknowledged.set(n, sha256(datasetOf(said)));
    cuts.cut('acknowledged');
  }
  await indexInstances({ ...rig.index, store: view, spool });
  const claimed = await store.claimInstances('cloud', { instances: 9, bytes: 1e9, nowMs: rig.now() });
  for (const { n } of claimed) {
    await store.settleInstances('cloud', [{ n, outcome: 'accepted' }], rig.now());
    now.delivered.add(n);
  }
  rig.tick(60_000);
  now.issues += await issueStudies({ store: view, clock: { now: rig.now, monotonic: rig.now }, log: silentLog });
  await store.resendInstances({ n: 3 }, 'cloud');
  await store.claimInstances('cloud', { instances: 9, bytes: 1e9, nowMs: rig.now() });
  await store.settleInstances('cloud', [{ n: 3, outcome: 'accepted' }], rig.now());
  now.delivered.add(3);
  rig.tick(1000);
  const clock = { now: rig.now, monotonic: rig.now };
  now.forgotten = await forgetDelivered({ spool, store, clock, log: silentLog, keepMs: 1000 });
  cuts.cut('at the end');
}

t.test(
  'killed between any two steps: nothing acknowledged is lost, nothing half is left, nothing happens twice',
  async (t) => {
    const folder = quickFolder('life');
    const keys = `file:${join(folder, 'keys', 'data.key')}`;
    mkdirSync(join(folder, 'store'));
    const rig = await imageRig(join(folder, 'store'), { keyReference: keys });
    const now = nothing();
    const cuts = new Cuts(join(folder, 'store'), now);
    await live(rig, cuts, now);
    await rig.close();
    t.same([now.acknowledged.size, now.issues, now.forgotten], [3, 1, 3]);
    t.ok(cuts.made.length > 25, `${cuts.made.length} moments`);

    for (const { folder: cut, at, promised: then } of cuts.made) {
      const again = await imageRig(cut, { keyReference: keys });
      again.tick(rig.now() - again.now());
      const problems: string[] = [];
      const say = (what: string) => void problems.push(what);
      if (again.reconciled.lost > 0) say('a row lost its file');
      await again.indexAll();
      const rows = [...(await again.store.instancesOf(0, 99)), ...(await again.store.instancesOf(1, 99))];
      const files = readdirSync(join(again.options.folder, 'spool'), { recursive: true, withFileTypes: true });
      const kept = rows.filter((r) => r.fileKept).length;
      // What was finished and never got its row lies aside: nobody can tell it from a file whose row was lost.
      const lying = files.filter((f) => f.isFile() && !f.parentPath.endsWith('aside')).length;
      if (lying !== kept) say(`${lying} files lie for ${kept} rows`);

      // Everything that was acknowledged is there; what was not delivered then can be sent, byte for byte.
      for (const n of then.acknowledged.keys()) if (!rows.some((r) => r.n === n)) say(`${n} is lost`);
      for (const n of then.delivered) {
        const state = rows.find((r) => r.n === n)?.states[0]?.state;
        if (state !== 'delivered') say(`${n} was delivered and is ${state}`);
      }
      const conflict = rows.find((r) => r.states[0]?.state === 'conflict');
      if (conflict) await again.store.resendInstances({ n: conflict.n }, 'cloud');
      const claimed = await again.claimImages();
      for (const c of claimed) {
        const wanted = then.acknowledged.get(c.n);
        if (wanted !== undefined && sha256(await again.content(c.file)) !== wanted) say(`${c.n} is not what it was`);
      }
      const deliverable = rows.filter((r) => r.states[0]?.state !== 'delivered').length;
      if (claimed.length !== deliverable) say(`${claimed.length} of ${deliverable} can be sent`);

      // The senders repeat what was not acknowledged; everything ends as it would have.
      for (const said of all) await again.take(said);
      await again.indexAll();
      again.tick(60_000);
      await again.issue();
      const issues = [...again.view.inbox(0, 99)].map((m) =>
        JSON.parse(Buffer.from('raw' in m ? m.raw.reveal() : '{}').toString()),
      ) as Array<{ issue: number; instances: number }>;
      if (issues.some((m, i) => m.issue !== i + 1)) say(`issues ${issues.map((m) => m.issue)}`);
      if (issues.at(-1)?.instances !== 2) say('the last issue does not say all');
      if (issues.length < then.issues) say('an issue is lost');
      const [study] = await again.store.studies(9);
      if (study?.instances !== 2) say(`${study?.instances} instances in the study`);
      t.same(problems, [], at);
      await again.close();
    }
  },
);
