import t from 'tap';
import { faultCode, isStop, retryAfterMs } from '../../../../adapters/platforms/mutual-tls/faults.ts';

t.test('certificate alerts, wrapped errors and the unknown have a code', (t) => {
  const fault = (code: string, cause?: unknown) => Object.assign(new Error('x', { cause }), { code });
  t.equal(faultCode(fault('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'request'), 'TLS-1204');
  t.equal(faultCode(fault('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'), 'request'), 'TLS-1204');
  t.equal(faultCode(fault('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'request'), 'TLS-1204');
  t.equal(faultCode(fault('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'connect'), 'TLS-1210');
  t.equal(faultCode(fault('UND_ERR_X', fault('ECONNREFUSED')), 'connect'), 'NET-1002');
  t.equal(faultCode(new AggregateError([fault('EHOSTUNREACH')]), 'connect'), 'NET-1003');
  t.equal(faultCode('no error at all', 'connect'), 'TLS-1210');
  t.equal(faultCode(undefined, 'request'), 'NET-1006');
  t.ok(['TLS-1201', 'TLS-1205', 'TLS-1209', 'PLT-1301'].every(isStop));
  t.notOk(['TLS-1210', 'TLS-1208', 'NET-1002', 'PLT-1304'].some(isStop));
  t.end();
});

t.test('Retry-After in both forms, capped, and nonsense ignored', (t) => {
  const now = Date.UTC(2026, 4, 1, 0, 0, 0);
  t.equal(retryAfterMs('120', now), 120_000);
  t.equal(retryAfterMs('999999999', now), 3_600_000);
  t.equal(retryAfterMs('Fri, 01 May 2026 00:00:30 GMT', now), 30_000);
  t.equal(retryAfterMs('Thu, 30 Apr 2026 00:00:30 GMT', now), undefined);
  for (const text of [undefined, '', '-1', '1.5', 'soon', 'NaN', '1e3', '2026-05-01']) {
    t.equal(retryAfterMs(text, now), undefined);
  }
  t.end();
});
