import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import t from 'tap';
import { phi } from '../../../agent/support/phi.ts';
import { quickRig, record } from './rig.ts';

t.setTimeout(600_000);

t.test('no patient value can be read in any file of the store, in any charset', async (t) => {
  const rig = await quickRig();
  const canaries = ['珅玘金丝雀', '999999199001011231', 'CANARY-VISIT-77', '13900001111', 'CTRL-CANARY-9'];
  const message = canaries.join('|');
  await rig.accept(message, 'lis', 'CTRL-CANARY-9');
  await rig.accept('x'.repeat(5000) + message);
  await rig.view.commitMapping({
    messages: [
      {
        seq: 1,
        type: 'ORU^R01',
        parts: [
          record(`lis ${canaries[2]}`, 1, { patient: canaries[1], text: message }),
          { kind: 'waiting', code: 'MAP-3026', reportKey: `lis ${canaries[2]}`, awaits: canaries[1]! },
        ],
        lookups: canaries.map((value) => ({ kind: 'name' as const, value: phi(value) })),
      },
    ],
    reports: [],
    patients: [
      {
        patientKey: canaries[1]!,
        patient: { identifiers: [{ kind: 'in-house', value: canaries[1]!, source: 'PID-3' }], name: canaries[0]! },
        toldAt: {},
        encounters: [{ visitNumber: canaries[2]!, encounter: { diagnoses: [] } }],
        retired: [],
      },
    ],
    through: 1,
  });
  await rig.render(`<name>${message}</name>`);
  const [doc] = await rig.claim();
  await rig.store.settle('province', [{ n: doc!.n, outcome: 'accepted', receipt: canaries[2] }]);
  const scan = () => {
    for (const file of readdirSync(rig.options.folder)) {
      const bytes = readFileSync(join(rig.options.folder, file));
      for (const canary of canaries) {
        for (const charset of ['utf8', 'gb18030', 'utf16le', 'utf16be']) {
          if (bytes.includes(iconv.encode(canary, charset))) t.fail(`${charset} canary in ${file}`);
        }
      }
    }
  };
  scan();
  t.ok(statSync(join(rig.options.folder, 'qianzhi.db-wal')).size > 0, 'the WAL was there to be scanned');
  await rig.close();
  scan();
});
