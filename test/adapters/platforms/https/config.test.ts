import t from 'tap';
import { httpsConfig } from '../../../../adapters/platforms/https/config.ts';

t.test('only https addresses, and no switch that turns checks off', (t) => {
  const tls = { ca: 'a', cert: 'b', key: 'c' };
  const ok = (url: string, more: object = {}) => httpsConfig.safeParse({ url, tls: { ...tls, ...more } }).success;
  t.ok(ok('https://platform.example:8443/base'));
  for (const url of ['http://platform.example', 'ftp://a', 'https://u:p@a.example', 'https://a.example?x=1', 'x']) {
    t.notOk(ok(url), url);
  }
  t.notOk(ok('https://a.example', { insecure: true }));
  t.notOk(ok('https://a.example', { min_version: '1.1' }));
  t.same(httpsConfig.parse({ url: 'https://a.example', tls }), {
    url: 'https://a.example',
    tls: { ...tls, min_version: '1.3' },
    batch: { documents: 100, bytes: 524_288 },
    parent_wait_hours: 24,
  });
  t.end();
});
