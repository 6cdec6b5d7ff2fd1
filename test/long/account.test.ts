import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { settleAccount } from './account.ts';
import { dealPatients, playLaboratory, type ReportVersion } from './laboratory.ts';

interface Planted {
  version: ReportVersion;
  key?: string;
  setVersion?: number;
  lane?: string;
}

/** A province's folder with these documents in this order of acceptance. */
function province(folder: string, documents: Planted[]): string {
  const received = join(folder, 'received');
  mkdirSync(received);
  documents.forEach(({ version, key, setVersion, lane }, at) => {
    const name = `${String(at + 1).padStart(6, '0')}.xml`;
    writeFileSync(join(received, name), `<value xsi:type="REAL" value="${version.marker}"/>`);
    const sidecar = {
      n: at + 1,
      key: key ?? `key-${at}`,
      operation: version.version === 1 ? 'publish' : 'replace',
      type: 'C0007',
      setId: `set-${version.report}`,
      version: setVersion ?? version.version,
      report: version.report,
      lane: lane ?? `lane-${version.patient}`,
      attempt: 1,
    };
    writeFileSync(join(received, `${name}.json`), JSON.stringify(sidecar));
  });
  return received;
}

/** The first messages of one connection with two patients: corrections among them. */
function sent(count: number): ReportVersion[] {
  const laboratory = playLaboratory(dealPatients(2, 1, 7)[0]!, 0, 7, 0.5);
  return Array.from({ length: count }, () => laboratory.next().value as ReportVersion);
}

t.test('an account of what arrived as sent finds nothing', async (t) => {
  const versions = sent(40);
  t.ok(versions.some(({ version }) => version > 2));
  const account = settleAccount(
    province(
      t.testdir(),
      versions.map((version) => ({ version })),
    ),
    [versions],
  );
  t.match(account, { documents: 40, missing: [], strange: [], twice: [], disordered: [], refused: [] });
});

t.test('a lost version is missed, one that nobody sent is strange', async (t) => {
  const versions = sent(10);
  const folder = province(
    t.testdir(),
    versions.slice(1).map((version) => ({ version })),
  );
  t.same(settleAccount(folder, [versions]).missing, [versions[0]!.marker]);
  t.equal(settleAccount(folder, [versions.slice(2)]).strange.length, 1);
});

t.test('a document under a second key took effect twice', async (t) => {
  const versions = sent(5);
  const again = { version: versions[4]!, key: 'another', setVersion: 9 };
  const folder = province(t.testdir(), [...versions.map((version) => ({ version })), again]);
  t.same(settleAccount(folder, [versions]).twice, [`6: content ${versions[4]!.marker}`]);
});

t.test('versions that changed places are out of order', async (t) => {
  const versions = sent(40);
  const at = versions.findIndex(({ version }) => version === 2);
  const first = versions.findIndex(({ report, version }) => report === versions[at]!.report && version === 1);
  const swapped = [...versions];
  [swapped[at], swapped[first]] = [versions[first]!, versions[at]!];
  const plant = (list: ReportVersion[]) => list.map((version) => ({ version }));
  const found = settleAccount(province(t.testdir(), plant(swapped)), [versions]).disordered;
  t.ok(found.some((line) => line.includes(`version 1 of ${versions[at]!.report}`)));
  t.ok(found.some((line) => line.includes('overtaken')));
});

t.test('a lane that serves two patients is out of order', async (t) => {
  const versions = sent(20);
  t.ok(new Set(versions.map(({ patient }) => patient)).size === 2);
  const folder = province(
    t.testdir(),
    versions.map((version) => ({ version, lane: 'one' })),
  );
  t.ok(settleAccount(folder, [versions]).disordered.length > 0);
});
