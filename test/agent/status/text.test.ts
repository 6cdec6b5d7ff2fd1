import t from 'tap';
import { createRateMeter } from '../../../agent/status/rates.ts';
import { languageOf, texts } from '../../../agent/status/text.ts';
import { ago, duration, instant, rate, size, whole } from '../../../agent/status/web/format.ts';

t.test('both languages say everything, and no text is empty or a leftover of the other language', async (t) => {
  const say = (value: unknown): string =>
    typeof value === 'function' ? String((value as (a: number, b: number) => string)(3, 4)) : String(value);
  const chinese = /[\u4e00-\u9fff]/;
  for (const key of Object.keys(texts.zh) as Array<keyof typeof texts.zh>) {
    t.not(say(texts.zh[key]), '', key);
    t.not(say(texts.en[key]), '', key);
    // The switch is written in the language it leads to.
    if (key === 'otherLanguage' || key === 'switchLanguage') continue;
    t.notMatch(say(texts.en[key]), chinese, `en ${key}`);
    if (key !== 'affected') t.match(say(texts.zh[key]), chinese, `zh ${key}`);
  }
});

t.test('any Chinese browser gets Chinese, every other English', async (t) => {
  t.same(['zh', 'zh-CN', 'ZH-hans-cn', 'en-US', 'de'].map(languageOf), ['zh', 'zh', 'zh', 'en', 'en']);
});

t.test('ages are coarse and never negative', async (t) => {
  const zh = [-5000, 1000, 59_000, 60_000, 3_600_000, 5_400_000, 172_800_000].map((ms) => ago(texts.zh, ms));
  t.same(zh, ['刚刚', '刚刚', '59 秒前', '1 分钟前', '1 小时前', '1 小时 30 分前', '2 天前']);
  t.equal(duration(texts.en, 1_680_000), '28 min');
});

t.test('a moment is told in the site’s time zone', async (t) => {
  const ms = Date.UTC(2026, 10, 21, 18, 41, 7);
  t.match(instant(ms, 'Asia/Shanghai'), { date: '2026-11-22', time: '02:41:07', offset: 'GMT+08:00' });
  t.match(instant(ms, 'no such zone').time, /^\d\d:\d\d:\d\d$/);
});

t.test('numbers are grouped and sizes have the unit a person would say', async (t) => {
  t.same([0, 999, 1284, 1_234_567].map(whole), ['0', '999', '1,284', '1,234,567']);
  t.same([0, 0.44, 12.4].map(rate), ['0', '0.4', '12']);
  t.same([512, 2140, 182 * 1024 ** 3].map(size), ['512 B', '2.1 KB', '182 GB']);
});

t.test('a rate is that of the last five minutes, and unknown before anything happened', async (t) => {
  const meter = createRateMeter();
  t.equal(meter.perMinute(0), undefined);
  for (let second = 0; second < 300; second++) meter.add(2, second * 1000);
  t.ok(Math.abs((meter.perMinute(299_000) ?? 0) - 120) < 5);
  t.equal(meter.perMinute(299_000 + 400_000), 0);
  t.equal(meter.lastMs(), 299_000);
});
