import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { registry } from '../../../../adapters/registry.ts';
import { archive } from '../../../../agent/cli/archive.ts';
import { startAgent } from '../../../../agent/runtime.ts';
import { silentLog } from '../../../../agent/support/log.ts';
import { loadConfig } from '../../../../config/load.ts';
import { speak } from '../../../agent/cli/program-of-test.ts';
import { quickFolder } from '../../../quick-folder.ts';
import { until } from './dropped.ts';

t.setTimeout(120_000);

/** The block of the folder as config/examples/qianzhi.yaml shows it, with the comment marks taken off. */
function exampleBlock(): string {
  const example = readFileSync(new URL('../../../../config/examples/qianzhi.yaml', import.meta.url), 'utf8');
  const [, block = ''] = /\n( {2}# - name: lis-files\n(?: {2}# {2}.*\n| {2}# {20,}.*\n)*)/.exec(example) ?? [];
  return block.replaceAll(/^ {2}# /gm, '  ').replace(/^ {4}marker: .*\n/m, '');
}

t.test(
  'the example’s folder in a real agent: results are mapped, sealed, answered, and opened again beside it',
  async (t) => {
    const folder = quickFolder('hl7-folder-agent');
    mkdirSync(join(folder, 'hl7-in'));
    const text = `config_version: 1
site: { name: 示例医院, org_code: "123456789012345678" }
data: { folder: ./data, key: "file:./keys/data.key" }
status: { port: 0 }
sources:
${exampleBlock()}platforms:
  - name: province
    kind: https
    format: wst500-cda
    pack: cn-wst500
    url: https://127.0.0.1:9/
    tls: { ca: ./certs/ca.pem, cert: ./certs/client.pem, key: ./certs/client.key }
`;
    const file = join(folder, 'qianzhi.yaml');
    writeFileSync(file, text);
    const agent = await startAgent({
      config: loadConfig(file, registry, {}),
      registry,
      demo: false,
      log: silentLog,
    });
    t.teardown(() => agent.stop(2000));
    t.match(agent.status().sources, [{ name: 'lis-files', kind: 'hl7-folder' }]);

    const message = [
      'MSH|^~\\&|LIS|HOSP|HIP|PROV|20260115103000||ORU^R01^ORU_R01|F1|P|2.5.1',
      'PID|1||T0001^^^^PI||张^三||19800101|M',
      'PV1|1|O',
      'OBR|1|O1|R1|2093-3^胆固醇|||20260115100000||||||||||||||||20260115102000||LAB|F',
      'OBX|1|NM|K^钾||6.21|mmol/L|3.5-5.3|H|||F',
      '',
    ].join('\r');
    writeFileSync(join(folder, 'hl7-in', 'x.tmp'), message);
    renameSync(join(folder, 'hl7-in', 'x.tmp'), join(folder, 'hl7-in', '张三.hl7'));
    const messages = async () => {
      const answer = await fetch(new URL('/api/v1/messages?limit=10', agent.addresses.status));
      return ((await answer.json()) as { messages: Array<{ source: string; type?: string; seq: number }> }).messages;
    };
    await until(() => readdirSync(join(folder, 'hl7-in')).length === 0);
    let rows = await messages();
    while (!rows[0]?.type) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      rows = await messages();
    }
    t.match(rows, [{ source: 'lis-files', type: 'ORU^R01' }]);
    t.match(readFileSync(join(folder, 'hl7-acks', '张三.hl7.ack'), 'utf8'), /\rMSA\|AA\|F1\r$/);
    await until(() => agent.status().sources[0]?.senders[0]?.messagesToday === 1);

    const said = await speak(
      ['archive', 'open', join(folder, 'hl7-done'), '--out', join(folder, 'opened'), '--config', file],
      [archive],
      registry,
    );
    t.equal(said.exit, 0, said.talk);
    t.equal(readFileSync(join(folder, 'opened', '张三.hl7'), 'utf8'), message);
  },
);
