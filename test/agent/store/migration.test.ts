import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { loadKek } from '../../../agent/security/kek.ts';
import { createVault, pack, wrapKey } from '../../../agent/security/vault.ts';
import { migrations } from '../../../agent/store/sqlite/schema.ts';
import { macFields } from '../../../agent/store/sqlite/writes/mapping-writes.ts';
import { quickRig, textOf } from './rig.ts';

t.setTimeout(600_000);

const day = 86_400_000;
const text = (value: unknown) => pack(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

/** A store as version 1 left it: one report published and not yet sent, one withdrawn before it was. */
function storeOfVersion1(): string {
  const root = mkdtempSync(join(tmpdir(), 'qianzhi-v1-'));
  const folder = join(root, 'data');
  mkdirSync(folder);
  const db = new DatabaseSync(join(folder, 'qianzhi.db'));
  db.exec(`PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;
    CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
    ${migrations[0]}; PRAGMA user_version=1`);
  const [storeId, indexKey] = [Buffer.alloc(16, 7), Buffer.alloc(32, 9)];
  const kek = loadKek(`file:${join(root, 'keys', 'data.key')}`, false);
  const meta = db.prepare('INSERT INTO meta VALUES(?,?)');
  meta.run('store_id', storeId);
  meta.run('agent_id', 'agent-of-version-1');
  meta.run('index_key', wrapKey(kek, storeId, 'index-key', indexKey));
  meta.run('demo', 0);
  const keys: Array<{ id: number; day: number; wrapped: Uint8Array }> = [];
  const vault = createVault(kek, storeId, indexKey, {
    byId: (id) => keys.find((k) => k.id === id),
    byDay: (of) => keys.find((k) => k.day === of),
    insert(of, wrapped) {
      const id = Number(db.prepare('INSERT INTO data_key(day, wrapped) VALUES(?,?)').run(of, wrapped).lastInsertRowid);
      keys.push({ id, day: of, wrapped });
      return id;
    },
  });
  const put = (sql: string, ...values: Array<string | number | Uint8Array | null>) => db.prepare(sql).run(...values);
  const sealed = (kind: 'body' | 'record' | 'report' | 'document', id: number, value: unknown) => {
    const s = vault.seal(kind, id, text(value), 20_000 * day);
    return [s.keyId, s.sealed] as const;
  };
  put("INSERT INTO epoch VALUES(1, 'n', 1)");
  put("INSERT INTO name VALUES(1, 'source', 'lis'), (2, 'platform', 'province')");
  put("INSERT INTO cursor VALUES('mapping', 2), ('render:2', 2), ('start:2', 0)");
  put('INSERT INTO patient VALUES(1, ?, 1)', vault.mac(macFields.patient, 'P1'));
  for (const seq of [1, 2]) {
    const report = `lis|R${seq}`;
    put("INSERT INTO message VALUES(?, 1, 1, 1, 5, 'ORU^R01')", seq);
    put('INSERT INTO body VALUES(?,?,?)', seq, ...sealed('body', seq, `bytes ${seq}`));
    put("INSERT INTO journal VALUES(?1, ?1, 0, 'publish', 'lab-report', ?1, 1, ?2, 1)", seq, `set${seq}`);
    put('INSERT INTO record VALUES(?,?,?)', seq, ...sealed('record', seq, { record: { kind: 'lab-report', seq } }));
    const state = {
      reportKey: report,
      setId: `set${seq}`,
      status: 'published',
      version: 1,
      patientKey: 'P1',
      waiting: [],
    };
    put(
      'INSERT INTO report VALUES(?,?,?,?,?)',
      seq,
      vault.mac(macFields.report, report),
      seq,
      ...sealed('report', seq, state),
    );
    put(
      `INSERT INTO outbox(n, platform, jseq, seq, report, version, set_id, lane, pos, operation, type, media, epoch,
        bytes, created_ms, due_ms, state, by_seq) VALUES(?1,2,?1,?1,?1,1,?2,1,?1,'publish','C0007','application/xml',1,9,1,0,?3,?4)`,
      seq,
      `set${seq}`,
      seq === 1 ? 0 : 4,
      seq === 1 ? null : 1,
    );
    put(
      'INSERT INTO document VALUES(?,?,?)',
      seq,
      ...sealed('document', seq, `{"reportNumber":"R${seq}"}\n<doc${seq}/>`),
    );
  }
  put("INSERT INTO message VALUES(3, 1, 1, 1, 5, 'ORU^R01')");
  put("INSERT INTO part(seq, part, state, code) VALUES(3, 0, 'waiting', 'MAP-3014')");
  db.close();
  return root;
}

t.test(
  'a store of version 1 opens: nothing is lost, and what it knew of reports is found by their patient',
  async (t) => {
    const rig = await quickRig(storeOfVersion1());
    t.teardown(rig.close);
    t.same(
      rig.view.reportsOf('P1').map((r) => [r.reportKey, r.version, r.current]),
      [1, 2].map((seq) => [`lis|R${seq}`, 1, { kind: 'lab-report', seq }]),
    );
    t.equal(rig.view.patient('P1'), undefined, 'no one has told of them yet');
    t.same([...rig.view.due(9e15, 10)], []);
    const claimed = await rig.claim();
    t.same(claimed.map(textOf), ['<doc1/>']);
    t.equal(claimed[0]?.key, 'agent-of-version-1-1.n-1', 'under the key it was made with');
    await rig.store.settle('province', [{ n: 1, outcome: 'accepted' }]);
    t.match(await rig.accept('new'), { seq: 4 });
    const patient = { patientKey: 'P1', patient: { identifiers: [] }, toldAt: {}, encounters: [], retired: [] };
    await rig.view.commitMapping({ messages: [], reports: [], patients: [patient] });
    t.same(rig.view.patient('P1'), patient);
    const version = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'), { readOnly: true });
    t.same({ ...version.prepare('PRAGMA user_version').get() }, { user_version: migrations.length });
    version.close();
  },
);
