import t from 'tap';
import { createBucket, rateBySchedule } from '../../../agent/delivery/bandwidth.ts';
import { datasetOf, sha256 } from '../images/rig.ts';
import { deliveryRig, untilFigures } from './image-rig.ts';

/** Local time of Shanghai on a day of November 2026; the 23rd is a Monday. */
const at = (day: number, clock: string): number => Date.parse(`2026-11-${day}T${clock}:00+08:00`);
const minutes = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const window = (from: string, to: string, bytesPerSecond: number, days?: number[]) => ({
  fromMinute: minutes(from),
  toMinute: minutes(to),
  bytesPerSecond,
  ...(days && { days }),
});

t.test('office hours have a limit of their own, by the clock of the site', (t) => {
  const schedule = {
    bytesPerSecond: 5_000_000,
    windows: [window('12:00', '13:00', 2_000_000, [1, 2, 3, 4, 5]), window('08:00', '17:30', 100_000, [1, 2, 3, 4, 5])],
  };
  const rate = rateBySchedule(schedule, 'Asia/Shanghai');
  t.equal(rate(at(23, '07:59')), 5_000_000);
  t.equal(rate(at(23, '08:00')), 100_000);
  t.equal(rate(at(23, '12:30')), 2_000_000, 'the first that holds');
  t.equal(rate(at(23, '17:29')), 100_000);
  t.equal(rate(at(23, '17:30')), 5_000_000);
  t.equal(rate(at(22, '10:00')), 5_000_000, 'Sunday');
  t.equal(rate(at(23, '08:00')), 100_000, 'a clock that was set back');
  t.equal(rateBySchedule(schedule, 'Europe/Lisbon')(at(23, '10:00')), 5_000_000, 'night there');
  t.equal(rateBySchedule({ windows: [] }, 'Asia/Shanghai')(at(23, '10:00')), Infinity);
  t.end();
});

t.test('a window past midnight belongs to the day it began on', (t) => {
  const rate = rateBySchedule({ windows: [window('22:00', '06:00', 0, [5])] }, 'Asia/Shanghai');
  t.equal(rate(at(27, '21:59')), Infinity);
  t.equal(rate(at(27, '22:00')), 0, 'Friday night');
  t.equal(rate(at(28, '05:59')), 0, 'Saturday morning');
  t.equal(rate(at(28, '06:00')), Infinity);
  t.equal(rate(at(28, '22:30')), Infinity, 'Saturday night');
  t.equal(rate(at(27, '05:00')), Infinity, 'Friday morning');
  t.equal(rateBySchedule({ windows: [window('00:00', '24:00', 7)] }, 'Asia/Shanghai')(at(25, '23:59')), 7, 'all day');
  t.end();
});

t.test('a bucket lets through what its rate allows, however many draw from it', (t) => {
  let now = 0;
  const bucket = createBucket(() => now);
  // Two requests that each wait as told before they draw again, for a hundred seconds.
  const next = [0, 0];
  let sent = 0;
  while (now < 100_000) {
    const who = next[0]! <= next[1]! ? 0 : 1;
    now = next[who]!;
    sent += 50_000;
    next[who] = now + bucket.take(50_000, 100_000);
  }
  t.ok(sent >= 9_900_000 && sent <= 10_200_000, `${sent} of 10 MB`);
  now = 1_000_000;
  t.equal(bucket.take(20_000, 100_000), 0, 'after a rest a quarter of a second’s worth goes at once');
  t.ok(bucket.take(100_000, 100_000) > 900);
  t.equal(bucket.take(1e9, Infinity), 0, 'without a limit nobody waits');
  t.end();
});

t.test('a limited upload goes out in small pieces at the rate, and arrives whole', async (t) => {
  const rig = await deliveryRig(t);
  const said = { uid: '1.2.3', pixels: 100_000 };
  await rig.take(said);
  await rig.indexAll();
  let now = 0;
  const pieces: number[] = [];
  const send = rig.platform.send.bind(rig.platform);
  rig.platform.send = (instances, signal) =>
    send(
      instances.map((instance) => ({
        ...instance,
        async *open() {
          for await (const piece of instance.open()) {
            pieces.push(piece.length);
            yield piece;
          }
        },
      })),
      signal,
    );
  // A clock that runs a thousand times as fast: the waits are short and what was allowed can be judged.
  const start = performance.now();
  const monotonic = () => {
    now = (performance.now() - start) * 1000;
    return now;
  };
  rig.start({ rateAt: () => 40_000, clock: { now: Date.now, monotonic } });
  await untilFigures(rig, { delivered: 1 });
  t.same(rig.platform.seen.get(1), [sha256(datasetOf(said))]);
  t.ok(pieces.length >= 10 && pieces.every((length) => length <= 10_000));
});

t.test('a closed window holds everything back, or all but urgent studies', async (t) => {
  const rig = await deliveryRig(t);
  rig.rules.urgency = { modalities: ['CT'] };
  await rig.take({ uid: '1.1', study: '1', modality: 'MR' });
  await rig.take({ uid: '2.1', study: '2', modality: 'CT' });
  await rig.indexAll();
  let rate = 0;
  let looks = 0;
  const rateAt = () => {
    looks += 1;
    return rate;
  };
  const closed = rig.start({ rateAt });
  while (looks < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(rig.platform.requests, []);
  await closed.stop();
  looks = 0;
  rig.start({ rateAt, urgentAlways: true });
  await untilFigures(rig, { delivered: 1, waiting: 1 });
  looks = 0;
  while (looks < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(rig.platform.requests, [[2]]);
  rate = 1e9;
  await untilFigures(rig, { delivered: 2 });
});
