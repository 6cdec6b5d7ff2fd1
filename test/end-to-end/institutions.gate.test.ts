import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { registry } from '../../adapters/registry.ts';
import { replay } from '../../agent/cli/replay.ts';
import { startAgent } from '../../agent/runtime.ts';
import { openReplayView } from '../../agent/store/sqlite/replay/replay-view.ts';
import { silentLog } from '../../agent/support/log.ts';
import { loadConfig } from '../../config/load.ts';
import { speak } from '../agent/cli/program-of-test.ts';
import { makeMllpClient } from '../demo/mllp-client.ts';
import { until } from '../demo/running.ts';
import { quickFolder } from '../quick-folder.ts';
import { type Message, person, report, sentBy } from '../stories/messages.ts';
import { readDocument } from './read-document.ts';

t.setTimeout(600_000);

const [own, tcm] = ['12100000MB0000001P', '12100000MB0000002K'];
const zhang = person('1001', '张晋');
const li = person('1001', '李珅', { birthDate: '19710216', sex: 'F' });

const profile = readFileSync(new URL('../../config/dialects/cn-default.yaml', import.meta.url), 'utf8');
const telling = (table: string): string =>
  profile
    .replace(/^patient:\n/m, 'organisation: { path: MSH-4.1 }\npatient:\n')
    .replace(/^tables:\n/m, `tables:\n  organisations: ${table}\n`);

const config = `config_version: 1
site:
  name: 示例市人民医院
  org_code: "${own}"
  institutions:
    - { name: 示例县中医院, org_code: "${tcm}" }
data: { folder: ./data, key: "file:./keys/data.key" }
status: { port: 0 }
sources:
  - { name: lis, kind: hl7-mllp, profile: ./lis.yaml, port: 0 }
platforms:
  - name: province
    kind: https
    format: wst500-cda
    pack: cn-wst500
    url: https://platform.example.invalid/
    tls: { ca: ./no.pem, cert: ./no.pem, key: ./no.pem }
`;

t.test(
  'the agent as configured: one number of two institutions, an unknown one held until it is listed, replayed alike',
  async (t) => {
    const folder = quickFolder('institutions');
    for (const name of ['data', 'keys']) mkdirSync(join(folder, name));
    const file = join(folder, 'qianzhi.yaml');
    writeFileSync(file, config);
    const start = async (table: string) => {
      writeFileSync(join(folder, 'lis.yaml'), telling(table));
      const agent = await startAgent({ config: loadConfig(file, registry, {}), registry, demo: false, log: silentLog });
      t.teardown(() => agent.stop(1_000));
      return agent;
    };
    /** What the documents say: institution, patient and report. */
    const documents = (): string[] => {
      const view = openReplayView(join(folder, 'data'), `file:${join(folder, 'keys', 'data.key')}`);
      try {
        return [...view.journal()].map(({ jseq }) => {
          const document = view.document('province', jseq);
          if (!document) return 'none yet';
          const bytes = document.reveal();
          const codes = [own, tcm].filter((code) => Buffer.from(bytes).includes(`"${code}"`));
          const { name, reportNumber } = readDocument(bytes);
          return `${codes.join(' and ')} ${name} ${reportNumber}`;
        });
      } finally {
        view.close();
      }
    };
    const shown = async (expected: string[]): Promise<void> => {
      await until(() => documents().join('\n') === expected.join('\n'));
      t.same(documents(), expected);
    };

    const agent = await start(`{ H: "${own}" }`);
    const { lis } = agent.addresses.sources;
    if (!lis) throw new Error('the laboratory has no listener');
    const client = makeMllpClient(lis);
    t.teardown(() => client.close());
    const says = async (controlId: string, message: Message): Promise<void> => {
      const text = message.write({ application: 'LIS', controlId, sent: '20260305120000' });
      t.equal(await client.send(Buffer.from(text), controlId), 'AA');
    };
    await says('C1', report('R1').of(zhang).final('K 6.2'));
    for (const message of sentBy('TCM', report('R1').of(li).final('K 3.9'))) await says('C2', message);
    await shown([`${own} 张晋 R1`]);
    t.ok(
      await until(() => agent.status().problems.some(({ code }) => code === 'MAP-3040')),
      'the other is held, and told',
    );
    client.close();
    await agent.stop(5_000);

    const again = await start(`{ H: "${own}", TCM: "${tcm}" }`);
    await shown([`${own} 张晋 R1`, `${tcm} 李珅 R1`]);
    await again.stop(5_000);

    const { exit, out } = await speak(['replay', '--config', file, '--json'], [replay], registry);
    t.match(JSON.parse(out), { messages: 2, same: 2, different: 0, documents: { same: 2, different: 0 } });
    t.equal(exit, 0);
  },
);
