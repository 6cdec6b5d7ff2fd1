import assert from 'node:assert/strict';
import type { State } from '../../../agent/store/contract.ts';
import type { MappingView } from '../../../agent/store/sqlite/mapping-view.ts';
import type { Reader } from '../../../agent/store/sqlite/reader.ts';
import type { WriteRequest } from '../../../agent/store/sqlite/requests.ts';
import type { StoreModel } from './model.ts';
import { booksOf } from './model-books.ts';

const DAY_MS = 86_400_000;
const SHANGHAI_MS = 8 * 3_600_000;
export const dayOf = (ms: number): number => Math.floor((ms + SHANGHAI_MS) / DAY_MS);
export const sources = ['lis', 'his'];
export const lanes = ['P0', 'P1', 'P2'];
/** The platform that is there from the start. */
export const first = 'province';

export interface Checked {
  model: StoreModel;
  reader: Reader;
  view: MappingView;
  platforms: string[];
  ask(...questions: WriteRequest[]): unknown[];
}

/** Invariant 3, and what the page says, after every step. */
export function checkStore({ model, reader, view, platforms, ask }: Checked): void {
  const rows = [];
  for (let before: number | undefined; ; before = rows.at(-1)?.seq) {
    const page = reader.messages.newest(200, before);
    rows.push(...page);
    if (page.length < 200) break;
  }
  assert.deepEqual(
    rows.map(({ seq }) => seq),
    [...model.messages.keys()].reverse(),
    'what was acknowledged is there',
  );
  const sums = new Map<string, number>();
  const add = (key: string) => sums.set(key, (sums.get(key) ?? 0) + 1);
  for (const row of rows) {
    const message = model.messages.get(row.seq);
    assert.ok(message);
    const books = booksOf(model, message);
    const shown = new Map<string, State>(row.states.map((s) => [s.platform, s.state]));
    assert.equal(shown.size, row.states.length, 'one state a platform');
    assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(books), `the books of message ${row.seq}`);
    for (const [platform, state] of books) add(`${message.day} ${message.source} ${platform} ${state}`);
  }
  checkSums(model, reader, sums);
  checkPatients(model, view);
  for (const platform of platforms) {
    assert.equal(view.unsent(platform), model.open(platform).length, 'unsent');
    const numbers = [...model.flight(platform)].filter((n) => model.documents.get(n)?.state !== 'received');
    const wrong = numbers.filter((n) => {
      const d = model.documents.get(n);
      return d !== undefined && model.withdrawn(d);
    });
    const questions = [
      { op: 'withdrawn', numbers },
      { op: 'next-due', platform },
    ] satisfies WriteRequest[];
    const [told, next] = ask(...questions);
    for (const n of wrong) assert.ok((told as number[]).includes(n), `${n} is withdrawn and not told`);
    assert.equal(next, model.nextDue(platform), 'next due');
  }
}
/** What is remembered of patients, and whose each report is. */
function checkPatients(model: StoreModel, view: MappingView): void {
  for (const key of lanes) {
    assert.deepEqual(view.patient(key), model.patients.get(key), `the patient ${key}`);
    const mine = [...model.reports.values()].filter((r) => r.patientKey === key);
    assert.deepEqual(view.reportsOf(key), mine, `the reports of ${key}`);
  }
}
/** By source and day: the real figures equal the model's, and add up to what came in. */
function checkSums(model: StoreModel, reader: Reader, expected: Map<string, number>): void {
  const messages = [...model.messages.values()];
  for (const day of new Set(messages.map((m) => m.day))) {
    const figures = reader.figures(day * DAY_MS - SHANGHAI_MS + 1, 0, 'normal');
    for (const source of sources) {
      const mine = messages.filter((m) => m.day === day && m.source === source);
      const today = figures.today.filter((r) => r.source === source);
      for (const r of today) {
        const key = `${day} ${source} ${r.platform} ${r.state}`;
        assert.equal(r.count, expected.get(key) ?? 0, `the balance of ${key}`);
        expected.delete(key);
      }
      const unmapped = mine.filter(({ parts }) => !parts).length;
      const counted = today.filter((r) => r.platform === '' || r.platform === first).reduce((n, r) => n + r.count, 0);
      assert.equal(counted + unmapped, mine.length, 'the sums equal what came in');
      const received = figures.receivedToday.find((r) => r.source === source);
      assert.equal(received?.count ?? 0, mine.length);
      const again = model.retransmissions.get(`${day} ${source}`) ?? 0;
      if (received) assert.equal(received.retransmissions, again);
    }
  }
  assert.deepEqual([...expected.keys()], [], 'nothing is missing in the balance');
}
