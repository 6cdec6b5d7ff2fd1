import t from 'tap';
import { isPublicHoliday } from '../../../agent/intake/rhythm/public-holidays.ts';
import { mayMiss, readRhythm } from '../../../agent/intake/rhythm/rhythm.ts';
import {
  at,
  clinic,
  DAY,
  HOUR,
  MINUTE,
  pacs,
  play,
  type Sender,
  silentFrom,
  type Told,
  tuesdays,
} from './rhythm-weeks.ts';

t.setTimeout(600_000);

const minutes = (ms: number): number => Math.round(ms / MINUTE);
const sendsAt =
  (ms: number, sender: Sender): Sender =>
  (moment, random) =>
    sender(moment, random) + (moment.ms === ms ? 1 : 0);
/** Over twelve weeks each, one run for each seed. */
const falseAlarms = (sender: Sender, seeds: number[]): Told[] => seeds.flatMap((seed) => play(sender, { seed }).told);

t.test('12 weeks of a day clinic raise nothing: not at night, on Sundays, nor over the spring festival', async (t) => {
  t.same(falseAlarms(clinic, [1, 2, 3]), []);
});

t.test('12 weeks of a PACS whose days differ by a factor of three raise next to nothing', async (t) => {
  const seeds = [5, 6, 7, 8, 9, 10];
  const { length } = falseAlarms(pacs, seeds);
  t.comment(`false alarms of a PACS in ${seeds.length} times 12 weeks: ${length}`);
  t.ok(length <= 2, `${length} in ${seeds.length} times 12 weeks`);
});

t.test(
  '12 weeks of a device used on Tuesdays raise nothing on the other days, and next to nothing on Tuesdays',
  async (t) => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const told = falseAlarms(tuesdays, seeds);
    t.comment(`false alarms of the device in ${seeds.length} times 12 weeks: ${told.length}`);
    t.ok(told.length <= 1);
    t.same(
      told.map(({ atMs }) => Math.floor((atMs - at(0, 0)) / DAY) % 7).filter((weekday) => weekday !== 1),
      [],
    );
  },
);

t.test('a sender that stops on a Tuesday at 10:00 is told in time, until its next message', async (t) => {
  for (const [name, sender, within] of [
    ['clinic', clinic, 50],
    ['pacs', pacs, 70],
    ['tuesdays', tuesdays, 100],
  ] as const) {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [stop, again] = [at(10, 1, 10), at(10, 1, 14)];
      const { told } = play(sendsAt(again, silentFrom(sender, stop, again)), { seed, weeks: 11 });
      const found = told.find(({ atMs }) => atMs >= stop);
      const after = minutes((found?.atMs ?? Number.NaN) - stop);
      t.comment(`${name} ${seed}: told after ${after} minutes`);
      t.ok(after <= within, `${name} ${seed}: ${after} minutes`);
      t.equal(found?.overMs, again, 'and no longer with the next message');
    }
  }
});

t.test('one that dies on a Saturday after closing is not missed on Sunday, and told on Monday morning', async (t) => {
  const { told } = play(silentFrom(clinic, at(9, 5, 13)), { weeks: 11 });
  t.equal(told.length, 1);
  const afterOpening = (told[0]?.atMs ?? 0) - at(10, 0, 8);
  t.ok(afterOpening > 0 && afterOpening < 60 * MINUTE, `${minutes(afterOpening)} minutes after opening`);
});

t.test('a weekend in which the agent did not run is no silence of anybody, and hides none afterwards', async (t) => {
  const [from, until] = [at(8, 4, 18), at(9, 0, 9)];
  const down = (ms: number) => ms >= from && ms < until;
  const lost = silentFrom(pacs, from, until);
  t.same(play(lost, { seed: 4, down, weeks: 10 }).told, []);
  t.same(play(pacs, { seed: 4, down, weeks: 10 }).told, [], 'nor what waited for us');
  const { told } = play(silentFrom(pacs, from), { seed: 4, down, weeks: 10 });
  t.equal(told.length, 1, 'one that died meanwhile');
  const after = (told[0]?.atMs ?? 0) - until;
  t.ok(after > 15 * MINUTE && after < 90 * MINUTE, `told after ${minutes(after)} minutes of listening`);
});

t.test('time that did not run and a clock that jumps are no silence', async (t) => {
  const sleeps = (ms: number) => (ms - at(0, 0)) % DAY >= 12 * HOUR && (ms - at(0, 0)) % DAY < 18 * HOUR;
  t.same(
    play(silentFrom(clinic, at(9, 1, 12), at(9, 1, 18)), { weeks: 10, down: (ms) => ms > at(9, 0) && sleeps(ms) }).told,
    [],
  );
  for (const off of [-400 * DAY, -HOUR, HOUR, 26 * HOUR]) {
    const wrong = (ms: number) => (ms >= at(9, 2, 14) && ms < at(9, 2, 14, 40) ? off : 0);
    t.same(play(clinic, { weeks: 11, wrong }).told, [], `${off / HOUR} h`);
  }
});

t.test('nothing is told of a sender that is not known yet', async (t) => {
  t.same(play(silentFrom(pacs, at(0, 5)), { weeks: 2 }).told, [], 'seen for five days');
  t.same(play(silentFrom(tuesdays, at(3, 2)), { weeks: 6 }).told, [], 'seen on four days');
});

t.test('one hour with ten thousand messages makes nobody expect them again', async (t) => {
  const burst: Sender = (moment, random) =>
    clinic(moment, random) + (moment.ms >= at(5, 2, 3) && moment.ms < at(5, 2, 4) ? 200 : 0);
  t.same(play(burst).told, []);
  const nightly: Sender = (moment, random) =>
    clinic(moment, random) + (moment.hour >= 2 && moment.hour < 2.05 ? 2000 : 0);
  const { told } = play(silentFrom(nightly, at(10, 1, 10)), { weeks: 11 });
  t.equal(told.length, 1);
  t.ok((told[0]?.atMs ?? 0) - at(10, 1, 10) < 50 * MINUTE, 'a batch every night does not hide a silence by day');
});

t.test('a sender that was taken out of use is told for some weeks, not for ever', async (t) => {
  const { told } = play(silentFrom(clinic, at(3, 1, 10)), { weeks: 13 });
  t.equal(told.length, 1);
  const lasted = ((told[0]?.overMs ?? Number.NaN) - (told[0]?.atMs ?? 0)) / (7 * DAY);
  t.ok(lasted > 4 && lasted < 9, `${lasted.toFixed(1)} weeks`);
});

t.test('what is learned is small, survives as text, and rubbish is learned anew', async (t) => {
  const { rhythm } = play(pacs);
  const text = JSON.stringify(rhythm);
  t.ok(text.length < 3000, `${text.length} bytes`);
  t.same(readRhythm(text), rhythm);
  t.ok((mayMiss(rhythm) ?? 0) > 8);
  for (const bad of [
    '',
    '{',
    '{}',
    'null',
    text.replace('"cells":["', '"cells":["~'),
    text.replace(/"expected":/, '"expected":-'),
  ]) {
    t.equal(readRhythm(bad), undefined);
  }
});

t.test('public holidays are known by the lunar calendar too', async (t) => {
  const on = (date: string): boolean => {
    const [y = 0, m = 0, d = 0] = date.split('-').map(Number);
    return isPublicHoliday(y, m, d);
  };
  // First and last days of the spring festival as the State Council gave them out.
  const notices = ['2024-02-10', '2024-02-17', '2025-01-28', '2025-02-04', '2026-02-15', '2026-02-23'];
  for (const day of [...notices, '2026-01-01', '2026-05-01', '2026-06-19', '2026-09-25', '2026-10-01', '2026-10-07'])
    t.ok(on(day), day);
  for (const day of [
    '2026-01-05',
    '2026-02-13',
    '2026-02-26',
    '2026-03-03',
    '2026-05-06',
    '2026-06-18',
    '2026-08-15',
    '2026-10-09',
    '2026-12-25',
  ])
    t.notOk(on(day), day);
});
