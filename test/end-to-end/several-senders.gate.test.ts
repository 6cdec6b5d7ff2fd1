import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { type MllpClient, makeMllpClient } from '../demo/mllp-client.ts';
import { eventually, folderOf, startAgentRig } from '../faults/disk/agent-rig.ts';
import { choosePort } from '../platform/ports.ts';
import { chemistry, report, utf8, type Written, write } from './reports.ts';

t.setTimeout(600_000);
const entry = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

const analyser = { ...utf8, application: 'BC-6800' };
const other = { ...utf8, application: '生化仪' };
const minute = 60_000;

t.test(
  'senders are told apart on a port that reports came through before: one goes on with them, one begins anew',
  async (t) => {
    const root = folderOf(t);
    const source = { name: 'lab', kind: 'hl7-mllp', profile: 'cn-default', port: await choosePort([]) };
    const rig = await startAgentRig(t, { root, sources: [source] });
    const configFile = join(root, 'qianzhi.yaml');
    let client: MllpClient;
    const begin = async () => {
      rig.start();
      t.ok(await rig.ready());
      client = makeMllpClient({ host: '127.0.0.1', port: source.port });
    };
    const end = async () => {
      client.close();
      await rig.stop();
    };
    const say = async ({ bytes, controlId }: Written) => t.equal(await client.send(bytes, controlId), 'AA');
    const uploaded = async (count: number) => {
      t.ok(await eventually(() => rig.province.received().length >= count), `${count} documents at the province`);
      return rig.province.received().map(({ report, version, operation }) => [report, version, operation]);
    };
    const corrected = (number: string, value: string) =>
      report(number, { status: 'C', results: chemistry(value), reportedMs: report(number).reportedMs + 10 * minute });

    await begin();
    const first = write(analyser, report('A1'));
    await say(first);
    await say(write(other, report('B1')));
    await uploaded(2);
    await end();

    const senders = [
      { name: 'bc6800', profile: 'cn-default', applications: ['BC-6800'], continues: 'lab' },
      { name: 'chemistry', profile: 'cn-default', applications: ['生化仪'] },
    ];
    const config = parse(readFileSync(configFile, 'utf8')) as { sources: object[]; platforms: object[] };
    writeFileSync(configFile, stringify({ ...config, sources: [{ ...source, senders }] }));
    await begin();
    const warned = async () =>
      (await rig.status())?.problems.filter(({ code }) => code === 'HL7-2122').map(({ component }) => component);
    t.ok(await eventually(async () => (await warned())?.includes('chemistry') === true), 'a person is told in time');
    t.same(await warned(), ['chemistry']);
    await say(first);
    await say(write(analyser, corrected('A1', '4.05'), 'A1-corrected'));
    await say(write(other, corrected('B1', '4.06'), 'B1-corrected'));
    await say(write(utf8, report('C1')));
    t.same((await uploaded(5)).toSorted(), [
      ['A1', 1, 'publish'],
      ['A1', 2, 'replace'],
      ['B1', 1, 'publish'],
      ['B1', 1, 'publish'],
      ['C1', 1, 'publish'],
    ]);
    const setIds = (of: string) =>
      new Set(rig.province.received().flatMap(({ report, setId }) => (report === of ? [setId] : []))).size;
    t.equal(setIds('A1'), 1, 'the correction is one of the report that came before');
    t.equal(setIds('B1'), 2, 'without `continues` it is another report: what the guide warns of');

    const rows = (await rig.messages()).toReversed();
    t.same(
      rows.map(({ source }) => source),
      ['lab', 'lab', 'bc6800', 'chemistry', 'lab'],
      'sent again, the first report is known under its new name too',
    );
    const counted = async () => {
      const today = (await rig.status())?.store.receivedToday ?? [];
      return today.map(({ source, count, retransmissions }) => [source, count, retransmissions]).toSorted();
    };
    await eventually(async () => (await counted()).reduce((sum, [, messages]) => sum + Number(messages), 0) === 5);
    t.same(await counted(), [
      ['bc6800', 1, 1],
      ['chemistry', 1, 0],
      ['lab', 3, 0],
    ]);
    const rhythms = async () => (await rig.status())?.rhythms ?? [];
    const told = async () => (await rhythms()).flatMap(({ types }) => types).reduce((sum, { count }) => sum + count, 0);
    await eventually(async () => (await told()) === 5);
    t.match(
      (await rhythms()).map(({ source, types }) => [source, types]),
      [
        ['lab', [{ type: 'ORU^R01', count: 3 }]],
        ['bc6800', [{ type: 'ORU^R01', count: 1 }]],
        ['chemistry', [{ type: 'ORU^R01', count: 1 }]],
      ],
      'each has its rhythm and its counts by type',
    );
    const [shown] = (await rig.status())?.sources ?? [];
    t.match(shown?.under, [
      { name: 'bc6800', senders: [{ messagesToday: 2, acksToday: { AA: 2 } }] },
      { name: 'chemistry', senders: [{ messagesToday: 1, acksToday: { AA: 1 } }] },
    ]);
    await end();
    await begin();
    t.same(await warned(), [], 'after its first message it is as it is');
    await end();

    const run = promisify(execFile);
    const shownConfig = await run(process.execPath, [entry, 'config', 'show', '--config', configFile, '--json']);
    t.match(JSON.parse(shownConfig.stdout).sources, [
      { name: 'lab', senders: [{ name: 'bc6800', continues: 'lab' }, { name: 'chemistry' }] },
    ]);
    const valid = await run(process.execPath, [entry, 'config', 'validate', '--config', configFile, '--lang', 'en']);
    t.match(valid.stdout, 'Valid: sources 1 (senders told apart 2), platforms 1.');
    const replayed = await run(process.execPath, [entry, 'replay', '--config', configFile, '--json'], { cwd: root });
    t.match(JSON.parse(replayed.stdout), { messages: 5, different: 0, documents: { different: 0 } });
  },
);
