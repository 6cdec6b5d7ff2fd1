import t from 'tap';
import type { ClinicalRecord } from '../../../../agent/clinical/records/types.ts';
import { oneByOne, type Step, story } from './hourly.ts';
import { exam, lab } from './records.ts';

t.test('an examination corrected in one section only is held, unless the profile says what that means', async (t) => {
  const told: Array<[ClinicalRecord, Step?]> = [
    [exam('findings 斑片影', 'impression 肺炎')],
    [exam('impression 肺炎吸收期')],
  ];
  const { last } = story({}, ...told);
  t.match(last, { do: 'hold', code: 'MAP-3007', where: 'sections' });
  t.same(story({ corrections: 'snapshot' }, ...told).sections, ['impression 肺炎吸收期']);
  t.same(story({ corrections: 'delta' }, ...told).sections, ['findings 斑片影', 'impression 肺炎吸收期']);
});

t.test('a supplementary section adds where changes are told, and is held where it could replace', async (t) => {
  const told: Array<[ClinicalRecord, Step?]> = [[exam('findings 腺体', 'impression 腺癌')], [exam('免疫组化 CK7+')]];
  t.same(story({ corrections: 'delta' }, ...told).sections, ['findings 腺体', 'impression 腺癌', '免疫组化 CK7+']);
  for (const corrections of ['unknown', 'snapshot'] as const) {
    t.same(story({ corrections }, ...told).all, ['publish', 'hold MAP-3007'], corrections);
  }
});

t.test('an examination without its deleted section is issued again, and retracted without any', async (t) => {
  const one = story(
    {},
    [exam('findings a', 'impression b')],
    [exam('findings a', 'impression b'), { itemActions: { findings: 'remove-item' } }],
  );
  t.same(one.sections, ['impression b']);
  const none = story(
    {},
    [exam('impression b')],
    [exam('impression b'), { itemActions: { impression: 'remove-item' } }],
  );
  t.same(none.all, ['publish', 'retract']);
});

t.test('an examination under the number of a laboratory report is held, in whatever mode', async (t) => {
  for (const corrections of ['unknown', 'snapshot', 'delta'] as const) {
    t.same(
      story({ corrections }, [lab(['K 4'])], [exam('impression b')]).all,
      ['publish', 'hold MAP-3011'],
      corrections,
    );
  }
});

t.test('an examination of another patient does not take a laboratory report its number', async (t) => {
  const other: Step = { patientKey: 'P2' };
  t.same(story({}, [lab(['K 4'])], [exam('impression b'), other]).all, ['publish', 'hold MAP-3011']);
  t.same(
    story({}, [lab(['K 4'])], [exam('impression b'), { ...other, reportTime: '20240520080000' }]).all,
    ['publish', 'hold MAP-3011'],
    'an older one is not lost either',
  );
  t.same(
    story({}, [lab(['K 4'])], [exam('impression b'), { reportAction: 'hold' }]).all,
    ['publish', 'hold MAP-3011'],
    'nor an interim one',
  );
  t.same(
    story(oneByOne, [lab(['K 4'])], [exam('impression b'), other]).all,
    ['wait MAP-3028', 'hold MAP-3011'],
    'nor while tests are collected',
  );
});

t.test('a withdrawal of an examination withdraws no laboratory report of its number', async (t) => {
  const withdrawn: Step = { reportAction: 'retract' };
  t.same(story({}, [lab(['K 4'])], [exam(), withdrawn]).all, ['publish', 'hold MAP-3011']);
  t.same(story({}, [exam('impression b')], [lab(['K 4']), withdrawn]).all, ['publish', 'hold MAP-3011']);
  t.same(
    story({}, [exam('impression b')], [lab([]), withdrawn]).all,
    ['publish', 'retract'],
    'one without results does not say what it withdraws',
  );
});
