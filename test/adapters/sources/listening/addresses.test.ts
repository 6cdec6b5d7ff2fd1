import t from 'tap';
import { allowList, isLoopback, isNetwork, normalAddress } from '../../../../adapters/sources/listening/addresses.ts';

t.test('addresses are compared in one form', async (t) => {
  t.equal(normalAddress('::ffff:10.0.0.5'), '10.0.0.5');
  t.equal(normalAddress('::FFFF:10.0.0.5'), '10.0.0.5');
  t.equal(normalAddress('fe80::1%eth0'), 'fe80::1');
});

t.test('an allow-list takes addresses and networks of both families', async (t) => {
  const allowed = allowList(['10.1.2.0/24', '192.168.7.9', '2001:db8::/32', '::ffff:172.16.0.1']);
  for (const yes of ['10.1.2.255', '::ffff:10.1.2.3', '192.168.7.9', '2001:db8:1::5', '172.16.0.1'])
    t.ok(allowed(yes), yes);
  for (const no of ['10.1.3.0', '192.168.7.10', '2001:db9::1', '', 'x', '::1']) t.notOk(allowed(no), no);
});

t.test('what is not an address or a network is refused', async (t) => {
  for (const bad of ['', 'lis.local', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::/129', '10.0.0.0/8/8', '1.2.3.4/-1'])
    t.notOk(isNetwork(bad), bad);
  for (const good of ['10.0.0.0/8', '0.0.0.0/0', '::/0', '::1', ' 10.0.0.1 ']) t.ok(isNetwork(good), good);
});

t.test('loopback is 127/8 and ::1', async (t) => {
  for (const yes of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) t.ok(isLoopback(yes), yes);
  for (const no of ['0.0.0.0', '::', '10.0.0.1']) t.notOk(isLoopback(no), no);
});
