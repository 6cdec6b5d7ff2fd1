import t from 'tap';
import { suggest } from '../../config/suggest.ts';

t.test('suggests what was probably meant', async (t) => {
  const keys = ['name', 'org_code', 'time_zone', 'language'];
  t.equal(suggest('nmae', keys), 'name');
  t.equal(suggest('orgCode', keys), 'org_code');
  t.equal(suggest('org-code', keys), 'org_code');
  t.equal(suggest('timezone', keys), 'time_zone');
  t.equal(suggest('langauge', keys), 'language');
});

t.test('and stays silent when nothing is near', async (t) => {
  t.equal(suggest('watermark', ['name', 'port']), undefined);
  t.equal(suggest('x', []), undefined);
});
