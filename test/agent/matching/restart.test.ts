import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { matchBatch, matchingRevision } from '../../../agent/matching/match.ts';
import { merges, registers } from '../../stories/registrations.ts';
import { imageOf, li, type MatchingRig, matchingRig, reportOf, zhang } from './rig.ts';

t.setTimeout(600_000);

/** All that matching keeps, without what differs from sealing to sealing. */
function kept({ options }: MatchingRig): unknown {
  const db = new DatabaseSync(join(options.folder, 'qianzhi.db'), { readOnly: true });
  const all = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => JSON.stringify(row));
  try {
    return {
      at: all("SELECT at FROM cursor WHERE stage='matching'"),
      records: all('SELECT record, kind, seq, study, lane, since_ms, expects, waits FROM match_record ORDER BY record'),
      links: all('SELECT exam, imaging, state FROM match_link ORDER BY exam, imaging'),
      // MACs differ from store to store: who has one together with whom.
      keys: all(
        'SELECT group_concat(record) AS r FROM (SELECT * FROM match_key ORDER BY mac, kind, record) GROUP BY mac ORDER BY r',
      ),
    };
  } finally {
    db.close();
  }
}

/** A history with everything in it that changes a link; mapped, and matched as `match` says. */
async function history(rig: MatchingRig): Promise<void> {
  const unknown = { ...zhang, number: 'P0009', name: '无名氏', birthDate: '', residentId: '' };
  await rig.ris(reportOf('E1', 'A1'));
  await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1#A2' });
  await rig.ris(reportOf('E2', 'A2', li));
  await rig.pacs('1.2', { ...imageOf(unknown), accessionNumber: 'A3' });
  await rig.ris(reportOf('E3', 'A3', unknown));
  await rig.says('his', registers(zhang));
  await rig.says('his', merges(zhang, unknown));
  await rig.ris(reportOf('E1', 'A1').withdrawn());
  await rig.ris(reportOf('E4', 'A1'));
  await rig.ris(reportOf('E2', 'A2').corrected('检查所见 双肺清晰', '诊断意见 正常'));
}

t.test('killed between any two batches of matching it ends with the same links', async (t) => {
  const straight = await matchingRig();
  t.teardown(straight.close);
  await history(straight);
  const expected = kept(straight);

  let rig = await matchingRig();
  // Taken in and mapped by one process, matched entry by entry by others, each killed before the next.
  Object.assign(rig, { match: async () => 0 });
  await history(rig);
  t.same((kept(rig) as { at: string[] }).at, [], 'nothing is matched yet');
  const entries = [...rig.view.toMatch(matchingRevision, 100)].length;
  t.ok(entries >= 9, `${entries} entries`);
  let kills = 0;
  for (let done = -1; done !== 0; kills++) {
    const next = await rig.killed();
    await rig.close();
    rig = next;
    done = await matchBatch({ ...rig.matching, store: oneByOne(rig) });
  }
  t.equal(kills, entries + 1);
  t.same(kept(rig), expected);
  await rig.close();
});

const oneByOne = ({ view }: MatchingRig) => ({
  toMatch: (revision: number) => view.toMatch(revision, 1),
  commitMatching: view.commitMatching,
});

t.test('batches that were committed and are sent again change nothing', async (t) => {
  const rig = await matchingRig();
  t.teardown(rig.close);
  const sent: Array<Parameters<typeof rig.view.commitMatching>> = [];
  Object.assign(rig, {
    match: () =>
      matchBatch({
        ...rig.matching,
        store: {
          toMatch: rig.view.toMatch,
          async commitMatching(...commit) {
            sent.push(commit);
            await rig.view.commitMatching(...commit);
          },
        },
      }),
  });
  await history(rig);
  t.ok(sent.length >= 9, `${sent.length} commits`);
  const before = kept(rig);
  for (const commit of sent.slice(0, 3)) await rig.view.commitMatching(...commit);
  t.same(kept(rig), before);
});

t.test('rules of another revision match everything anew, from a journal of any age', async (t) => {
  const rig = await matchingRig();
  t.teardown(rig.close);
  await history(rig);
  const expected = kept(rig);
  t.equal([...rig.view.toMatch(matchingRevision, 100)].length, 0);
  const again = [...rig.view.toMatch(matchingRevision + 1, 100)];
  t.ok(again.length >= 9, `${again.length} entries`);
  await rig.view.commitMatching(matchingRevision + 1, []);
  t.same(kept(rig), { at: ['{"at":0}'], records: [], links: [], keys: [] });
  t.equal(await rig.match(), again.length, 'back to the rules of today');
  t.same(kept(rig), expected);
});

t.test('what cannot be read is matched with nothing, and its neighbours are', async (t) => {
  let rig = await matchingRig();
  Object.assign(rig, { match: async () => 0 });
  await rig.ris(reportOf('E1', 'A1'));
  await rig.ris(reportOf('E2', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  const killed = await rig.killed();
  await rig.close();
  rig = killed;
  t.teardown(() => rig.close());
  const db = new DatabaseSync(join(rig.options.folder, 'qianzhi.db'));
  db.exec('UPDATE record SET sealed = zeroblob(length(sealed)) WHERE jseq = 1');
  db.close();
  const log: string[] = [];
  const error = (event: string, fields?: object) => log.push(`${event} ${JSON.stringify(fields)}`);
  t.equal(await matchBatch({ ...rig.matching, log: { error } }), 3);
  t.same(log, ['not-matched {"seq":1,"code":"QUE-4003"}']);
  t.same(await rig.links(study), [{ seq: 2, state: 'linked' }]);
});

t.test('numbers and people lie nowhere in the clear', async (t) => {
  const rig = await matchingRig();
  t.teardown(rig.close);
  await rig.ris(reportOf('CANARYREPORT', 'CANARYACCESSION'));
  await rig.pacs('1.1', { ...imageOf({ ...zhang, name: '金丝雀' }), accessionNumber: 'CANARYACCESSION' });
  t.same(await rig.problems(), ['DCM-2299 1']);
  for (const file of ['qianzhi.db', 'qianzhi.db-wal']) {
    const bytes = readFileSync(join(rig.options.folder, file));
    for (const canary of ['CANARY', '金丝雀', zhang.name, zhang.birthDate]) {
      t.notOk(bytes.includes(canary), `${canary} in ${file}`);
    }
  }
});

t.test('what cannot be written is left out alone', async (t) => {
  const rig = await matchingRig();
  t.teardown(rig.close);
  Object.assign(rig, { match: async () => 0 });
  await rig.ris(reportOf('E1', 'A1'));
  await rig.ris(reportOf('E2', 'A1'));
  const study = await rig.pacs('1.1', { ...imageOf(zhang), accessionNumber: 'A1' });
  const store = {
    // A row that the tables refuse.
    *toMatch(revision: number, count: number) {
      for (const entry of rig.view.toMatch(revision, count)) {
        if (entry.seq !== 2) yield entry;
        else yield { ...entry, lane: Number.NaN };
      }
    },
    commitMatching: rig.view.commitMatching,
  };
  const log: string[] = [];
  const error = (event: string, fields?: object) => log.push(`${event} ${JSON.stringify(fields)}`);
  t.equal(await matchBatch({ ...rig.matching, store, log: { error } }), 3);
  t.same(log, ['not-matched {"seq":2,"code":"MAP-3013"}']);
  t.same(await rig.links(study), [{ seq: 1, state: 'linked' }]);
});
