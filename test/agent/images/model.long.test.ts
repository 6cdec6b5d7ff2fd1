import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { InstanceState, InstanceVerdict } from '../../../agent/store/image-contract.ts';
import { chooseSeed } from '../../faults/seed.ts';
import { quickFolder } from '../../quick-folder.ts';
import { datasetOf, type ImageRig, imageRig, type Said, sha256 } from './rig.ts';

t.setTimeout(600_000);

/** What one instance is to be, by the rules of the brief and not by the code. */
interface Instance {
  n: number;
  said: Said;
  content: string;
  indexed: boolean;
  readable: boolean;
  conflict: boolean;
  /** mayHold: the platform has it, or an attempt had no clear end. */
  states: Map<string, { state: InstanceState; sending: boolean; mayHold: boolean; dueMs: number; attempts: number }>;
}

const platforms = ['cloud', 'city'];

/** Small numbers out of a step's one: the same step says the same wherever it stands. */
function drawsOf(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return Math.floor((((state ^ (state >>> 13)) >>> 0) / 4_294_967_296) * below);
  };
}

/** The real store and spool beside the model: every step is made at both and compared. */
class ImageWalk {
  readonly #root = quickFolder('images');
  #folder = join(this.#root, '0');
  #opened = 0;
  rig!: ImageRig;
  readonly instances: Instance[] = [];
  readonly withdrawn = new Set<string>();
  #nowMs = Date.UTC(2026, 10, 22, 6);
  issued = 0;

  async open(): Promise<this> {
    mkdirSync(this.#folder, { recursive: true });
    const keyReference = `file:${join(this.#root, 'keys', 'data.key')}`;
    this.rig = await imageRig(this.#folder, { imagePlatforms: platforms, keyReference });
    this.rig.tick(this.#nowMs - this.rig.now());
    assert.equal(this.rig.reconciled.lost, 0, 'no row is without its file');
    for (const i of this.instances) {
      for (const s of i.states.values()) {
        if (s.sending && this.withdrawn.has(i.said.study!)) s.state = 'withdrawn';
        // What was on its way is free to go again.
        if (s.sending) {
          s.dueMs = 0;
          s.mayHold = true;
        }
        s.sending = false;
      }
    }
    return this;
  }
  async end(): Promise<void> {
    await this.rig.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
  #find(uid: string, content: string): Instance | undefined {
    return this.instances.find((i) => i.said.uid === uid && i.content === content);
  }

  readonly steps = {
    /** One to three at once, some of them known, some in conflict, some unreadable. */
    take: async (a: number) => {
      const draw = drawsOf(a);
      const all = Array.from({ length: 1 + draw(3) }, () => {
        const uid = `1.${draw(12)}`;
        const said: Said = {
          uid,
          study: `2.${uid.at(-1)}`,
          series: '3.1',
          pixels: 10 + draw(2),
          modality: draw(4) ? 'MR' : 'CT',
        };
        return { said, unreadable: draw(8) === 0 };
      });
      for (const { said, unreadable } of all) {
        const bytes = unreadable ? Buffer.from(`not a header ${said.uid} ${said.pixels}`) : datasetOf(said);
        const incoming = await this.rig.begin(said);
        await incoming.write(bytes);
        const content = sha256(bytes);
        const known = this.#find(said.uid, content);
        const other = this.instances.some((i) => i.said.uid === said.uid);
        const answer = await incoming.commit();
        if (known) {
          assert.deepEqual(answer, { n: known.n, outcome: 'duplicate' });
          continue;
        }
        assert.deepEqual(answer, { n: this.instances.length + 1, outcome: other ? 'conflict' : 'stored' });
        this.instances.push({
          n: answer.n,
          said,
          content,
          indexed: false,
          readable: !unreadable,
          conflict: other,
          states: new Map(
            platforms.map((p) => [
              p,
              { state: other ? 'conflict' : 'waiting', sending: false, mayHold: false, dueMs: 0, attempts: 0 },
            ]),
          ),
        });
      }
    },
    index: async () => {
      await this.rig.indexAll();
      for (const i of this.instances) {
        if (i.indexed) continue;
        i.indexed = true;
        for (const s of i.states.values()) {
          if (s.state !== 'waiting') continue;
          if (!i.readable) s.state = 'held';
          else if (this.withdrawn.has(i.said.study!)) s.state = 'withdrawn';
        }
      }
    },
    claim: async (a: number) => {
      const draw = drawsOf(a);
      const platform = platforms[draw(2)]!;
      const most = 1 + draw(6);
      const free = this.instances.filter((i) => {
        const s = i.states.get(platform)!;
        return i.indexed && s.state === 'waiting' && !s.sending && s.dueMs <= this.#nowMs;
      });
      const claimed = await this.rig.claimImages(most, 1e9, platform);
      assert.equal(claimed.length, Math.min(most, free.length), 'as many as may go');
      for (const c of claimed) {
        const i = free.find(({ n }) => n === c.n);
        assert.ok(i, `${c.n} was not to be handed out`);
        const s = i.states.get(platform)!;
        s.sending = true;
        s.attempts += 1;
        assert.equal(c.attempt, s.attempts);
        assert.equal(c.studyUid.reveal(), i.said.study);
        assert.equal(c.sopInstanceUid.reveal(), i.said.uid);
        assert.equal(sha256(await this.rig.content(c.file)), i.content, 'the bytes that came in');
      }
    },
    settle: async (a: number) => {
      const draw = drawsOf(a);
      const platform = platforms[draw(2)]!;
      const verdicts = this.instances.flatMap((i): InstanceVerdict[] => {
        const s = i.states.get(platform)!;
        // Also late verdicts, about what is not on its way.
        if (!s.sending && draw(6) > 0) return [];
        if (s.sending && draw(3) === 0) return [];
        const { n } = i;
        const kind = draw(4);
        const dueMs = this.#nowMs + draw(3) * 5_000;
        if (s.sending) {
          s.sending = false;
          if (kind !== 2) s.mayHold = true;
          if (kind <= 1) s.state = 'delivered';
          else if (kind === 2) s.state = 'held';
          else if (this.withdrawn.has(i.said.study!)) s.state = 'withdrawn';
          else s.dueMs = dueMs;
        }
        if (kind <= 1) return [{ n, outcome: 'accepted' }];
        if (kind === 2) return [{ n, outcome: 'refused', code: 'PLT-1305' }];
        return [{ n, outcome: 'retry', code: 'NET-1006', retryAtMs: dueMs }];
      });
      await this.rig.store.settleInstances(platform, [...verdicts, { n: 999, outcome: 'accepted' }], this.#nowMs);
    },
    withdraw: async (a: number) => {
      const studies = await this.rig.store.studies(100);
      const one = studies[a % Math.max(1, studies.length)];
      if (!one?.facts) return;
      const uid = one.facts.reveal().studyUid;
      const taken = !this.withdrawn.has(uid);
      assert.equal((await this.rig.store.withdrawStudy(one.study, taken)).changed, true);
      if (taken) this.withdrawn.add(uid);
      else this.withdrawn.delete(uid);
      for (const i of this.instances) {
        if (i.said.study !== uid || !i.indexed) continue;
        for (const s of i.states.values()) {
          if (taken && s.state === 'waiting' && !s.sending) s.state = 'withdrawn';
          else if (!taken && s.state === 'withdrawn') {
            s.state = 'waiting';
            s.dueMs = 0;
          }
        }
      }
    },
    resend: async (a: number) => {
      const draw = drawsOf(a);
      const one = this.instances[draw(this.instances.length)];
      if (!one) return;
      const platform = platforms[draw(2)]!;
      const s = one.states.get(platform)!;
      const may =
        ['delivered', 'held', 'conflict'].includes(s.state) &&
        !(one.indexed && one.readable && this.withdrawn.has(one.said.study!));
      assert.equal((await this.rig.store.resendInstances({ n: one.n }, platform)).resent, may ? 1 : 0);
      if (!may) {
        // Read again, and found unreadable again, at all platforms alike.
        return;
      }
      s.state = 'waiting';
      s.dueMs = 0;
      if (!one.readable) one.indexed = false;
    },
    issue: async () => {
      this.issued += await this.rig.issue();
    },
    tick: async (a: number) => {
      this.#nowMs = this.rig.tick(a % 90_000);
    },
    reopen: async () => {
      await this.rig.close();
      await this.open();
    },
    /** The process dies: what was being written has never been. */
    crash: async (a: number) => {
      const incoming = await this.rig.begin({ uid: `9.${a}` });
      await incoming.write(Buffer.alloc(300_000));
      const to = join(this.#root, String(++this.#opened));
      cpSync(this.#folder, to, { recursive: true });
      await incoming.discard();
      await this.rig.close();
      rmSync(this.#folder, { recursive: true });
      this.#folder = to;
      await this.open();
    },
  };

  /** Every instance has exactly one state at each platform, and the sums are what came in (invariant 3). */
  async check(): Promise<void> {
    const found = new Map<number, Record<string, InstanceState>>();
    const studies = await this.rig.store.studies(100);
    for (const study of [0, ...studies.map((s) => s.study)]) {
      for (const row of await this.rig.store.instancesOf(study, 200)) {
        assert.equal(row.states.length, platforms.length);
        found.set(row.n, Object.fromEntries(row.states.map(({ platform, state }) => [platform, state])));
      }
    }
    for (const i of this.instances) {
      const wanted = Object.fromEntries([...i.states].map(([p, s]) => [p, s.state]));
      assert.deepEqual(found.get(i.n), wanted, `states of ${i.n}`);
    }
    const figures = await this.rig.store.imageFigures(this.#nowMs);
    for (const { platform, ...counts } of figures.platforms) {
      const of = (state: InstanceState) => this.instances.filter((i) => i.states.get(platform)?.state === state).length;
      assert.deepEqual(
        [counts.waiting, counts.delivered, counts.held, counts.conflict, counts.withdrawn],
        [of('waiting'), of('delivered'), of('held'), of('conflict'), of('withdrawn')],
        `sums at ${platform}`,
      );
      const sum = studies.reduce(
        (n, s) => n + s.states.reduce((m, x) => m + (x.platform === platform ? x.count : 0), 0),
        0,
      );
      const unknown = (await this.rig.store.instancesOf(0, 200)).length;
      assert.equal(sum + unknown, this.instances.length, 'by study they are the same');
    }
    // What the platform has or may have of a study taken back is somebody's task (invariant 6).
    for (const platform of platforms) {
      const left = new Set(
        this.instances
          .filter((i) => i.indexed && i.readable && this.withdrawn.has(i.said.study!))
          .filter((i) => {
            const s = i.states.get(platform)!;
            return s.mayHold && s.state !== 'waiting';
          })
          .map((i) => i.said.study),
      );
      const told = figures.studyProblems.find((p) => p.platform === platform && p.code === 'DCM-2294');
      assert.equal(told?.count ?? 0, left.size, `taken back, and left at ${platform}`);
    }
    assert.equal(figures.files, this.instances.length);
    for (const s of studies) {
      const uid = s.facts?.reveal().studyUid;
      const mine = this.instances.filter((i) => i.said.study === uid && i.indexed && i.readable && !i.conflict);
      assert.equal(s.instances, mine.length, 'instances of a study');
    }
  }
}

type StepName = keyof ImageWalk['steps'];
const weights: Record<StepName, number> = {
  take: 8,
  index: 5,
  claim: 6,
  settle: 6,
  withdraw: 2,
  resend: 3,
  issue: 3,
  tick: 4,
  reopen: 1,
  crash: 1,
};
const step = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({
    weight,
    arbitrary: fc.tuple(fc.constant(name as StepName), fc.nat(1_000_000)),
  })),
);

t.test('whatever comes in whatever order: one state an instance and platform, and sums that are right', async (t) => {
  let issued = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 45 }), async (steps) => {
      const walk = await new ImageWalk().open();
      try {
        for (const [name, a] of steps) {
          await walk.steps[name](a);
          await walk.check();
        }
      } finally {
        issued += walk.issued;
        await walk.end();
      }
    }),
    { numRuns: process.env.QIANZHI_PROOF === '1' ? 200 : 12, seed: chooseSeed() },
  );
  t.ok(issued > 0, 'studies were issued in between');
});
