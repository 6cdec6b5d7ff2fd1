import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { Accepted, Rendered, Verdict } from '../../../agent/store/contract.ts';
import { type MappingView, openMappingView } from '../../../agent/store/sqlite/mapping-view.ts';
import { openForReading } from '../../../agent/store/sqlite/open.ts';
import { openReader, type Reader } from '../../../agent/store/sqlite/reader.ts';
import { type Claimed, packBatch, packRendered, type WriteRequest } from '../../../agent/store/sqlite/requests.ts';
import { type Answer, openWriter, type Writer } from '../../../agent/store/sqlite/writer.ts';
import { phi } from '../../../agent/support/phi.ts';
import { quickFolder } from '../../quick-folder.ts';
import { checkStore, dayOf, first, sources } from './check.ts';
import { isOpen, type ModelPart, type ModelRendered, StoreModel } from './model.ts';
import { sayBatch } from './model-batches.ts';
import { render } from './model-rendering.ts';

/** A step in numbers, read against whatever state it meets: a list of steps with some taken out is a list of steps. */
export type Step = readonly [name: StepName, a: number, b: number];
export type StepName = keyof StoreWalk['steps'];

const joiner = 'city';

/** Small numbers out of a step's one: the same step says the same wherever it stands. */
function drawsOf(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return Math.floor((((state ^ (state >>> 13)) >>> 0) / 4_294_967_296) * below);
  };
}

/** The real store, in process and without threads, beside the model; every step is made at both and compared. */
export class StoreWalk {
  readonly #root = quickFolder('walk');
  #folder = join(this.#root, '0');
  #opened = 0;
  #nowMs = Date.UTC(2024, 4, 20, 6);
  #platforms = [first];
  #writer!: Writer;
  #view!: MappingView;
  #reader!: Reader;
  #closeReader: () => void = () => {};
  model = new StoreModel();
  /** An older state of the folder, for a store that loses its tail. */
  #older: { folder: string; model: StoreModel } | undefined;
  #highestSeq = 0;
  /** Every key that was ever seen, with what it stood for; outlasts crashes and lost tails (invariant 4). */
  readonly #keys = new Map<string, string>();
  #made = 0;

  constructor() {
    this.#open();
  }

  #open(): void {
    mkdirSync(this.#folder, { recursive: true });
    const keyReference = `file:${join(this.#root, 'keys', 'data.key')}`;
    const options = { folder: this.#folder, keyReference, platforms: this.#platforms, timeZone: 'Asia/Shanghai' };
    const clock = { now: () => this.#nowMs, monotonic: () => this.#nowMs };
    this.#writer = openWriter({ ...options, demo: false, sources, clock, disk: { ballastBytes: 4096 } });
    const [write, read] = [new MessageChannel().port1, new MessageChannel().port1];
    this.#view = openMappingView({ ...options, ports: { write, read } });
    const { db, vault, close } = openForReading(this.#folder, keyReference);
    this.#reader = openReader(db, vault, options);
    this.#closeReader = close;
    for (const platform of this.#platforms) this.model.join(platform);
    this.model.restarted();
  }
  #copy(): string {
    const to = join(this.#root, String(++this.#opened));
    mkdirSync(to);
    for (const file of readdirSync(this.#folder)) copyFileSync(join(this.#folder, file), join(to, file));
    return to;
  }
  #closeAll(): void {
    this.#view.close();
    this.#closeReader();
    this.#writer.close();
  }
  end(): void {
    this.#closeAll();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** One group commit; answers in the order of the requests. */
  #group(requests: WriteRequest[]): Answer[] {
    const answers: Answer[] = [];
    for (const [i, request] of requests.entries()) {
      this.#writer.post(request, (answer) => {
        answers[i] = answer;
      });
    }
    this.#writer.runGroup();
    assert.equal(answers.filter(Boolean).length, requests.length, 'every request is answered');
    return answers;
  }
  #ok(...requests: WriteRequest[]): unknown[] {
    return this.#group(requests).map((answer) => {
      assert.ok('ok' in answer, `refused: ${JSON.stringify(answer)}`);
      return answer.ok;
    });
  }

  #acceptance(draw: (below: number) => number): { request: WriteRequest; judge(answer: Accepted): void } {
    const source = sources[draw(2)] as string;
    const known = [...this.model.messages.values()].filter((m) => m.source === source || draw(4) === 0);
    const again = draw(4) === 0 ? known[draw(known.length)] : undefined;
    const content = again?.content ?? `message ${++this.#made} ${'x'.repeat(draw(600))}`;
    const control = again && draw(2) ? again.control : draw(8) === 0 ? '' : `C${draw(12) ? this.#made : draw(9)}`;
    const day = dayOf(this.#nowMs);
    const message = {
      source,
      bytes: Buffer.from(content),
      controlId: Buffer.from(control),
      receivedMs: this.#nowMs,
    };
    return {
      request: { op: 'accept', message },
      judge: (answer) => {
        const { known: seq, reused } = this.model.accept(source, content, control, day);
        assert.deepEqual([answer.outcome === 'retransmission', answer.controlIdReused], [seq !== undefined, reused]);
        if (seq !== undefined) return assert.equal(answer.seq, seq);
        assert.ok(answer.seq > this.#highestSeq, 'a number is never given out twice');
        this.#highestSeq = answer.seq;
        this.model.stored({ seq: answer.seq, source, day, content, control });
      },
    };
  }

  #map(
    seqs: number[],
    draw: (below: number) => number,
    through: number | undefined,
    keepOf: (seq: number) => number[] | undefined = () => undefined,
  ): WriteRequest {
    return { op: 'mapping', batch: packBatch(sayBatch(this.model, seqs, draw, this.#nowMs, through, keepOf)) };
  }

  #rendered(jseq: number, draw: (below: number) => number): { real: Rendered; model: ModelRendered } {
    const { action } = this.model.entry(jseq);
    const what = draw(10);
    if (what === 0 && action === 'publish') {
      return { real: { kind: 'filtered', rule: 'source' }, model: { jseq, made: 'filtered' } };
    }
    if (what < 3) return { real: { kind: 'held', code: 'MAP-3009', where: 'item' }, model: { jseq, made: 'held' } };
    const text = `document ${++this.#made} of ${jseq} ${'y'.repeat(draw(400))}`;
    const bytes = phi(new Uint8Array(Buffer.from(text)));
    const words = { type: 'C0007', mediaType: 'application/xml', reportNumber: phi('R'), findings: [] };
    return { real: { kind: 'document', bytes, ...words }, model: { jseq, made: { text } } };
  }
  #render(platform: string, jseqs: number[], through: number | undefined, draw: (below: number) => number) {
    const made = jseqs.map((jseq) => this.#rendered(jseq, draw));
    const dueMs = draw(4) === 0 ? this.#nowMs + draw(600_000) : 0;
    render(
      this.model,
      platform,
      made.map((m) => m.model),
      dueMs,
    );
    if (through !== undefined) this.model.platform(platform).cursor = through;
    const results = made.map(({ real, model }) => ({ jseq: model.jseq, rendered: packRendered(real) }));
    const request: WriteRequest = { op: 'rendering', platform, through, results, notBeforeMs: dueMs };
    return request;
  }
  #platform(a: number): string {
    return this.#platforms[a % this.#platforms.length] as string;
  }
  #verdict(n: number, draw: (below: number) => number): Verdict {
    const retryAtMs = this.#nowMs + (draw(3) ? 0 : draw(300_000));
    const receipt = draw(3) === 0 ? `receipt ${n}` : undefined;
    const [accepted, received] = ['accepted' as const, 'received' as const];
    const verdicts: Verdict[] = [
      { n, outcome: accepted, receipt },
      { n, outcome: accepted },
      { n, outcome: 'retry', code: 'NET-1006', retryAtMs },
      { n, outcome: received, receipt, retryAtMs },
      { n, outcome: 'refused', code: 'PLT-1305' },
      { n, outcome: 'wait-for-parent', retryAtMs },
    ];
    return verdicts[draw(verdicts.length)] as Verdict;
  }

  readonly steps = {
    /** One to three messages in one group: twins in one commit are among them. */
    accept: (a: number) => {
      const draw = drawsOf(a);
      const all = Array.from({ length: 1 + draw(3) }, () => this.#acceptance(draw));
      if (draw(3) === 0 && all[0]) all.push(all[0]);
      const answers = this.#ok(...all.map(({ request }) => request));
      for (const [i, { judge }] of all.entries()) judge(answers[i] as Accepted);
    },
    map: (a: number, b: number) => {
      const waiting = [...this.model.messages.values()].filter(({ parts }) => !parts);
      const inbox = [...this.#view.inbox(this.#view.mappedThrough(), 1 + (b % 4))];
      const wanted = waiting.slice(0, inbox.length).map(({ seq, content }) => [seq, content]);
      const found = inbox.map((m) => [m.seq, 'raw' in m ? Buffer.from(m.raw.reveal()).toString() : m.damaged]);
      assert.deepEqual(found, wanted, 'the inbox holds what was accepted, in order, byte for byte');
      assert.equal(inbox.length > 0, waiting.length > 0);
      const last = inbox.at(-1);
      if (!last) return;
      const seqs = inbox.map(({ seq }) => seq);
      // An acknowledgement shares the group and goes first.
      const company = b % 3 === 0 ? this.#acceptance(drawsOf(b)) : undefined;
      const request = this.#map(seqs, drawsOf(a), last.seq);
      const answers = this.#ok(request, ...(company ? [company.request] : []));
      company?.judge(answers[1] as Accepted);
    },
    mapAgain: (a: number, b: number) => {
      const source = sources[b % 2] as string;
      const held = [...this.model.messages.values()].filter(
        (m) => m.source === source && m.parts?.some((p) => p.kind === 'quarantined'),
      );
      const found = this.#view.quarantined(source, 0, 1000);
      const keepOf = (m: (typeof held)[number]) =>
        (m.parts ?? []).flatMap((p, at) => (p.kind === 'quarantined' ? [] : [at]));
      assert.deepEqual(
        found.map((f) => [f.message.seq, f.keep.toSorted()]),
        held.map((m) => [m.seq, keepOf(m)]),
      );
      const one = found[a % Math.max(1, found.length)];
      if (one) this.#ok(this.#map([one.message.seq], drawsOf(a), undefined, () => one.keep));
    },
    /** What waited and is due now, some of it in one batch. */
    due: (a: number, b: number) => {
      const due = [...this.model.messages.values()].filter((m) =>
        m.parts?.some((p) => this.model.duePart(p, this.#nowMs)),
      );
      const count = 1 + (b % 3);
      const found = [...this.#view.due(this.#nowMs, count)];
      const again = (p: ModelPart) => p.kind === 'quarantined' || this.model.duePart(p, this.#nowMs);
      assert.deepEqual(
        found.map((f) => [f.message.seq, f.keep.toSorted()]),
        due.slice(0, count).map((m) => [m.seq, (m.parts ?? []).flatMap((p, at) => (again(p) ? [] : [at]))]),
        'due, in order of arrival',
      );
      const keep = new Map(found.map((f) => [f.message.seq, f.keep]));
      if (found.length > 0) this.#ok(this.#map([...keep.keys()], drawsOf(a), undefined, (seq) => keep.get(seq)));
    },
    render: (a: number, b: number) => {
      const platform = this.#platform(b);
      const { cursor } = this.model.platform(platform);
      const entries = [...this.#view.journal(platform, 1 + (a % 5))];
      assert.deepEqual(
        entries.map(({ jseq, seq, version, action }) => ({ jseq, seq, version, action })),
        this.model.journal
          .slice(cursor, cursor + 1 + (a % 5))
          .map(({ jseq, seq, version, action }) => ({ jseq, seq, version, action })),
      );
      const jseqs = entries.map(({ jseq }) => jseq);
      const last = jseqs.at(-1);
      if (last !== undefined) this.#ok(this.#render(platform, jseqs, last, drawsOf(a)));
    },
    /** What is held, one after the other as the product does it, or several in one transaction. */
    renderAgain: (a: number, b: number) => {
      const platform = this.#platform(b);
      const held = [...this.model.platform(platform).made].filter(([, made]) => made === 'held').map(([jseq]) => jseq);
      const found = this.#view.held(platform, 0, 1000).map(({ jseq }) => jseq);
      assert.deepEqual(
        found,
        held.sort((x, y) => x - y),
      );
      const from = a % Math.max(1, found.length);
      const some = found.slice(from, from + 1 + (b % 3));
      if (some.length > 0) this.#ok(this.#render(platform, some, undefined, drawsOf(a)));
    },
    claim: (a: number, b: number) => {
      const platform = this.#platform(b);
      const [max, maxBytes] = [1 + (a % 6), a % 4 ? 100_000 : 300];
      const nowMs = this.#nowMs;
      const [claimed] = this.#ok({ op: 'claim', platform, max, maxBytes, nowMs }) as [Claimed[]];
      const numbers = claimed.map((c) => c.n);
      const expected = this.model.claim(platform, numbers, max, maxBytes, nowMs);
      assert.deepEqual(
        claimed.map((c) => [c.n, c.operation, c.attempt, c.received]),
        expected.map((d) => [d.n, d.operation, d.attempts, d.state === 'received']),
      );
      assert.equal(new Set(claimed.map((c) => c.lane)).size, claimed.length, 'one document a lane');
      const stored = this.#reader.documents(claimed.map((c) => c.n));
      for (const [i, d] of expected.entries()) {
        const key = claimed[i]?.key as string;
        const read = stored[i] as { bytes: Uint8Array };
        assert.equal(Buffer.from(read.bytes).toString(), d.text, 'the bytes are those that were rendered');
        assert.equal(d.key ?? key, key, 'a document keeps its key');
        assert.equal(this.#keys.get(key) ?? d.text, d.text, 'a key never stands for other content');
        d.key = key;
        this.#keys.set(key, d.text);
        // The invariant itself, not by way of the model's states.
        if (d.state !== 'received') assert.equal(this.model.withdrawn(d), false, 'withdrawn, and sent again');
      }
    },
    settle: (a: number, b: number) => {
      const platform = this.#platform(b);
      const draw = drawsOf(a);
      const some = [...this.model.flight(platform)].filter(() => draw(3) > 0);
      const verdicts = some.map((n) => this.#verdict(n, draw));
      this.model.settle(platform, verdicts);
      const company = draw(3) === 0 ? this.#acceptance(draw) : undefined;
      const request: WriteRequest = { op: 'settle', platform, verdicts, nowMs: this.#nowMs };
      const answers = this.#ok(request, ...(company ? [company.request] : []));
      company?.judge(answers[1] as Accepted);
    },
    /** Late, twice, of unknown numbers; and one that cannot be written, which then has no effect at all. */
    odd: (a: number, b: number) => {
      const platform = this.#platform(b);
      const draw = drawsOf(a);
      const sent = [...this.model.documents.values()].filter((d) => d.platform === platform && d.attempts > 0);
      const verdicts = [this.#verdict(1_000_000 + draw(9), draw)];
      const late = sent[draw(sent.length)];
      if (late) verdicts.push(this.#verdict(late.n, draw), this.#verdict(late.n, draw));
      const nowMs = this.#nowMs;
      if (late && draw(3) === 0) {
        const broken: Verdict = { n: late.n, outcome: 'retry', code: 'NET-1006', retryAtMs: Number.NaN };
        const [answer] = this.#group([{ op: 'settle', platform, verdicts: [...verdicts, broken], nowMs }]);
        const closed = !isOpen(late);
        const after = this.model.clone();
        after.settle(platform, verdicts);
        const then = after.documents.get(late.n);
        if (!closed && then && isOpen(then) && !this.model.withdrawn(late)) {
          assert.deepEqual(answer, { failed: 'MAP-3013' });
          return;
        }
        assert.deepEqual(answer, { ok: undefined });
      } else this.#ok({ op: 'settle', platform, verdicts, nowMs });
      this.model.settle(platform, verdicts);
    },
    tick: (a: number) => {
      this.#nowMs += a % 7 === 0 ? 9 * 3_600_000 : a % 120_000;
      this.#writer.tick();
    },
    reopen: () => this.#reopen(),
    /** The process dies: what was posted and not committed has never been. */
    crash: (a: number) => {
      const draw = drawsOf(a);
      if (draw(2)) {
        this.#writer.post(this.#acceptance(draw).request, (answer) => assert.deepEqual(answer, { failed: 'QUE-4010' }));
      }
      const dead = this.#folder;
      this.#folder = this.#copy();
      this.#closeAll();
      rmSync(dead, { recursive: true });
      this.#open();
    },
    join: (a: number) => {
      if (a % 3 === 0) this.#platforms = [first, joiner];
      this.#reopen();
    },
    remember: () => {
      if (this.#older) rmSync(this.#older.folder, { recursive: true });
      this.#older = { folder: this.#copy(), model: this.model.clone() };
    },
    /** The tail of the database is lost, its side file is not: noticed, and no number or key comes again. */
    loseTail: () => {
      if (!this.#older) return;
      this.#closeAll();
      const { folder, model } = this.#older;
      copyFileSync(join(this.#folder, 'high-water'), join(folder, 'high-water'));
      const lost = [...this.model.messages.keys()].filter((seq) => !model.messages.has(seq));
      rmSync(this.#folder, { recursive: true });
      this.#older = undefined;
      this.#folder = folder;
      model.highestN = this.model.highestN;
      const attemptsLost = this.model.attempts > model.attempts;
      if (attemptsLost) model.attemptsForgotten(this.model.attempts);
      this.model = model;
      this.#open();
      const told = this.#writer.state().notices.some(({ code }) => code === 'QUE-4006');
      if (lost.length > 0) assert.ok(told, 'a lost tail is told');
      else if (!attemptsLost) assert.equal(told, false, 'nothing was lost');
    },
  };
  #reopen(): void {
    this.#closeAll();
    this.#open();
  }

  step([name, a, b]: Step): void {
    this.steps[name](a, b);
    this.check();
  }

  check(): void {
    const ask = (...questions: WriteRequest[]) => this.#ok(...questions);
    checkStore({ model: this.model, reader: this.#reader, view: this.#view, platforms: this.#platforms, ask });
  }
}
