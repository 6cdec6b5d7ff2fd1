import t from 'tap';
import { compareTimes, isCalendarDate, localTime, normaliseTime } from '../../../../agent/clinical/records/time.ts';

const zone = 'Asia/Shanghai';

t.test('times as senders write them become local times of day, minute or second', (t) => {
  const cases: Array<[string, string | undefined]> = [
    ['20240520', '20240520'],
    ['202405201020', '202405201020'],
    ['20240520102030', '20240520102030'],
    ['20240520102030.4567', '20240520102030'],
    ['20180604143425489', '20180604143425'],
    [' 2024-05-20 10:20:30 ', '20240520102030'],
    ['2024/5/2 9:05', '202405020905'],
    ['2024-05-20', '20240520'],
    ['2024052010', '20240520'],
  ];
  for (const [given, wanted] of cases) t.equal(normaliseTime(given, zone), wanted, given);
  t.end();
});

t.test('a time with an offset is converted to the zone', (t) => {
  t.equal(normaliseTime('20260124124738000+0800', zone), '20260124124738');
  t.equal(normaliseTime('20240520002000+0000', zone), '20240520082000');
  t.equal(normaliseTime('202405201800-0500', zone), '202405210700');
  t.equal(normaliseTime('2024-05-20T00:20:00Z', zone), '20240520082000');
  t.equal(normaliseTime('20240520', zone), '20240520');
  t.end();
});

t.test('what is no date, or coarser than a day, is nothing', (t) => {
  for (const given of [
    '',
    '无',
    '同上',
    '2024',
    '202405',
    '20240231',
    '20241301',
    '20240520256000',
    '20240520106000',
    '202405201060',
    '20240520102030+9900',
    '1990-13-01',
    '20240520 10',
  ]) {
    t.equal(normaliseTime(given, zone), undefined, given);
  }
  t.ok(isCalendarDate('20240229'));
  t.notOk(isCalendarDate('20230229'));
  t.end();
});

t.test('a moment is written in the local time of its zone', (t) => {
  t.equal(localTime(Date.UTC(2024, 4, 19, 16, 0, 0), zone), '20240520000000');
  t.equal(localTime(Date.UTC(2024, 4, 19, 16, 0, 0), 'UTC'), '20240519160000');
  t.end();
});

t.test('times order; absent ones, equal ones and a day against its hours do not', (t) => {
  t.ok(compareTimes('20240520', '20240521') < 0);
  t.ok(compareTimes('20240521', '20240520235959') > 0);
  t.equal(compareTimes('20240520', '20240520235959'), 0);
  t.equal(compareTimes(undefined, '20240520'), 0);
  t.equal(compareTimes('20240520', undefined), 0);
  t.end();
});

t.test('local time is what the zone says, second by second around a change of the clocks', (t) => {
  const said = (ms: number, timeZone: string): string =>
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
      .format(ms)
      .replaceAll(/\D/g, '');
  const changes: Array<[string, number]> = [
    ['Asia/Shanghai', Date.UTC(1991, 8, 14, 17)],
    ['America/New_York', Date.UTC(2026, 2, 8, 7)],
    ['America/New_York', Date.UTC(2026, 10, 1, 6)],
    ['Australia/Lord_Howe', Date.UTC(2026, 3, 4, 15)],
    ['Asia/Kathmandu', Date.UTC(2026, 0, 1)],
  ];
  for (const [name, at] of changes) {
    const wrong: number[] = [];
    for (let ms = at - 5_400_000; ms < at + 5_400_000; ms += 7_777) {
      if (localTime(ms, name) !== said(ms, name)) wrong.push(ms);
    }
    t.same(wrong, [], name);
  }
  t.end();
});
