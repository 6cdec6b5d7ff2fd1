import t from 'tap';
import { z } from 'zod';
import { encodeText } from '../../../adapters/hl7v2/charset.ts';
import { readMsh } from '../../../adapters/hl7v2/msh.ts';
import {
  chooseSender,
  knownSenders,
  type SenderEntry,
  sendersAt,
  sendersKey,
} from '../../../adapters/hl7v2/senders.ts';

const header = (application: string | Uint8Array, facility: string | Uint8Array = '') =>
  readMsh(Buffer.concat(['MSH|^~\\&|', application, '|', facility, '|R||2026||ORU^R01|1|P|2.4\r'].map(bytesOf)));
const gb18030 = (text: string) => encodeText(text, 'GB18030');
const bytesOf = (part: string | Uint8Array): Uint8Array => (typeof part === 'string' ? Buffer.from(part) : part);

const chosen = (entries: SenderEntry[], msh: ReturnType<typeof readMsh>, address?: string) => {
  const sender = chooseSender(sendersAt(knownSenders(entries), address), msh);
  return typeof sender === 'object' ? sender.name : sender;
};

t.test('all criteria of an entry must fit, one of each; the first entry that fits is taken', async (t) => {
  const entries = [
    { name: 'both', applications: ['BC-6800', 'BC-7500'], facilities: ['Mindray'] },
    { name: 'application', applications: ['BC-6800'] },
    { name: 'facility', facilities: ['Mindray'] },
  ];
  t.equal(chosen(entries, header('BC-6800', 'Mindray')), 'both');
  t.equal(chosen(entries, header('BC-7500', 'Mindray')), 'both');
  t.equal(chosen(entries, header('BC-6800', 'Other')), 'application');
  t.equal(chosen(entries, header('CL-2000', 'Mindray')), 'facility');
  t.equal(chosen(entries, header('CL-2000', 'Other')), undefined);
});

t.test('a name is compared as a whole, by its first component, without blanks at its ends', async (t) => {
  const entries = [{ name: 'lis', applications: ['LIS'] }];
  for (const same of ['LIS', ' LIS ', 'LIS^1.2.3^ISO', 'LIS ^x', '\tLIS', 'LIS~LIS2'])
    t.equal(chosen(entries, header(same)), 'lis', same);
  for (const other of ['', 'lis', 'LIS2', 'XLIS', 'L IS', '"LIS"', 'X^LIS', 'LIS&A', 'LIS\\T\\'])
    t.equal(chosen(entries, header(other)), undefined, other);
  t.equal(chosen([{ name: 'a', applications: ['A&B'] }], header('A&B')), 'a', 'subcomponents are part of it, as sent');
});

t.test('delimiters are those of the message', async (t) => {
  const msh = readMsh(Buffer.from('MSH$:~\\&$LIS:1$HOSP:2$R$$2026$$ORU:R01$1$P$2.4\r'));
  t.equal(chosen([{ name: 'lis', applications: ['LIS'], facilities: ['HOSP'] }], msh), 'lis');
});

t.test('Chinese names are known in GB18030 and in UTF-8, whatever the header declares', async (t) => {
  // In GB18030 the second byte of 區 is ^, of 匼 it is \, of 億 it is |.
  const entries = [
    { name: 'lab', applications: ['检验科'] },
    { name: 'odd', applications: ['億區匼'], facilities: ['医院'] },
  ];
  t.equal(chosen(entries, header('检验科')), 'lab');
  t.equal(chosen(entries, header(gb18030('检验科'))), 'lab');
  t.equal(chosen(entries, header(gb18030('检验科室'))), undefined);
  t.equal(chosen(entries, header(gb18030('检验'))), undefined);
  t.equal(chosen(entries, header(gb18030('億區匼^1'), gb18030('医院'))), 'odd');
  t.equal(chosen(entries, header('億區匼', '医院')), 'odd');
  t.equal(chosen([{ name: 'old', applications: ['Müller'] }], header(Buffer.from('Müller', 'latin1'))), 'old');
});

t.test('addresses: single ones and networks, IPv4 in IPv6 too; without a header only they tell', async (t) => {
  const entries = [
    { name: 'named', addresses: ['10.1.2.7'], applications: ['LIS'] },
    { name: 'here', addresses: ['10.1.2.7', '10.1.3.0/24', 'fd00::/8'] },
  ];
  t.equal(chosen(entries, header('LIS'), '10.1.2.7'), 'named');
  t.equal(chosen(entries, header('LIS'), '10.1.3.9'), 'here');
  t.equal(chosen(entries, header('HIS'), '10.1.4.9'), undefined);
  t.equal(chosen(entries, header('LIS')), 'in-part', 'no address is known: it cannot be one of its');
  t.equal(chosen(entries, undefined, '::ffff:10.1.2.7'), 'here');
  t.equal(chosen(entries, undefined, 'fd00::5'), 'here');
});

t.test('an entry with several criteria of which one fits and another does not is no stranger’s', async (t) => {
  const device = [{ name: 'bc', addresses: ['10.1.2.7'], applications: ['BC-6800'] }];
  t.equal(chosen(device, header('BC-6800'), '10.1.2.7'), 'bc');
  t.equal(chosen(device, header('BC-6800Plus'), '10.1.2.7'), 'in-part', 'another name at its address');
  t.equal(chosen(device, header(''), '10.1.2.7'), 'in-part', 'no name at its address');
  t.equal(chosen(device, header('BC-6800'), '10.1.2.8'), 'in-part', 'its name at another address');
  t.equal(chosen(device, header('LIS'), '10.1.2.8'), undefined);
  t.equal(chosen(device, undefined, '10.1.2.7'), undefined, 'what cannot be read is nobody’s');

  const ward = [{ name: 'ward', applications: ['LIS'], facilities: ['W3'] }];
  t.equal(chosen(ward, header('LIS', 'W4')), 'in-part');
  t.equal(chosen(ward, header('HIS', 'W3')), 'in-part');
  t.equal(chosen(ward, header('HIS', 'W4')), undefined);

  const one = [
    { name: 'here', addresses: ['10.1.2.7'] },
    { name: 'lis', applications: ['LIS'] },
  ];
  t.equal(chosen(one, header('HIS'), '10.1.2.8'), undefined, 'one criterion fits or does not');

  const gateway = ['A', 'B'].map((name) => ({ name, addresses: ['10.1.2.7'], applications: [name] }));
  t.equal(chosen(gateway, header('B'), '10.1.2.7'), 'B', 'what another entry fits in full is its');
  t.equal(chosen(gateway, header('C'), '10.1.2.7'), 'in-part');
  t.equal(chosen([...gateway, { name: 'rest', addresses: ['10.1.2.7'] }], header('C'), '10.1.2.7'), 'rest');
});

t.test('an entry needs a criterion; without connections there are no addresses', async (t) => {
  const problems = (given: Record<string, unknown>, addresses = true) =>
    z
      .strictObject(sendersKey({ addresses }))
      .safeParse({ senders: [{ name: 'a', profile: 'cn-default', ...given }] })
      .error?.issues.map(({ code, path }) => `${path.join('.')} ${code}`);
  t.same(problems({ applications: ['A'] }), undefined);
  t.same(problems({ addresses: ['10.0.0.0/8'] }), undefined);
  t.same(problems({}), ['senders.0 custom']);
  t.same(problems({ applications: [] }), ['senders.0.applications too_small']);
  t.same(problems({ applications: [' A'] }), ['senders.0.applications.0 invalid_format']);
  t.same(problems({ addresses: ['10.0.0.0/33'] }), ['senders.0.addresses.0 custom']);
  t.same(problems({ addresses: ['10.0.0.1'], applications: ['A'] }, false), ['senders.0 unrecognized_keys']);
  t.same(problems({ applications: ['A'], name: 'A B' }), ['senders.0.name invalid_format']);
});
