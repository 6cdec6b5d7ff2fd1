import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { buildPreamble } from '../../../adapters/dicom/part10.ts';
import { readHeader } from '../../../adapters/dicom/read-header.ts';
import { indexInstances } from '../../../agent/images/index-instances.ts';
import { reconcileSpool } from '../../../agent/images/reconcile.ts';
import { spoolFolder } from '../../../agent/images/running.ts';
import { takeInInstances } from '../../../agent/images/take-in.ts';
import type { Vault } from '../../../agent/security/vault.ts';
import type { ImageStore } from '../../../agent/store/image-contract.ts';
import { openSpool, type Spool } from '../../../agent/store/spool.ts';
import { imageStoreThrough } from '../../../agent/store/sqlite/images/image-store.ts';
import { openMappingView } from '../../../agent/store/sqlite/mapping-view.ts';
import { openForReading } from '../../../agent/store/sqlite/open.ts';
import { uploadState } from '../../../agent/store/sqlite/schema.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { codeOf, isErrorCode, QianzhiError } from '../../../agent/support/errors.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { type InProcess, openInProcess } from '../../agent/store/in-process.ts';
import { bookFaults, spoolFaults } from '../images/books.ts';
import { ctImage, explicitLittle, type InventedImage, inventedImage } from '../images/invented-image.ts';
import { installed, type Run, type Subject } from './cuts.ts';
import type { Tree } from './disk-model.ts';
import type { Inspection } from './inspection.ts';
import { defaultKey, imagePlatform, imageSources, type Promised, sha } from './oracle.ts';

/** Images under the power switch: what is recorded, and what has to be there after a cut. */
export const images: Subject = {
  child: 'image-load-child.ts',
  // The folders of the senders are theirs.
  base: [
    ...installed,
    ...['incoming', 'inbox']
      .flatMap((path) => [path, `${path}/move`, `${path}/delete`])
      .map((path) => ({ path, bytes: undefined })),
  ],
  inspect: inspectImages,
};

/** What is opened to be synced in the spool: files in the making, and folders. For the controls. */
export const spoolPaths = { files: /^data\/spool\/.*\.part$/, folders: /^data\/spool(\/[0-9a-f]){0,2}$/ };

/** Operations just after which somebody relies on what was promised: an answer was read, or a file goes from its folder. */
export const reliedOn = (run: Run): number[] =>
  run.ops.flatMap((op, i) => {
    const answered = op.op === 'mark' && 'stored' in op.mark;
    const moved = op.op === 'rename' && op.path.startsWith('inbox/') && op.to.startsWith('archive/');
    const deleted = op.op === 'unlink' && op.path.startsWith('inbox/');
    return answered || moved || deleted ? [i] : [];
  });

interface Row {
  n: number;
  uid: string;
  kept: boolean;
  /** Its file was not there: nobody was told of it then, or it is lost. */
  damaged: boolean;
  state: number;
  file: { name: string; key: Uint8Array };
}

/** Opens what lies in `root` with the real store and spool, checks it against what was promised, and works on it. */
async function inspectImages(root: string, promised: Promised, tree: Tree): Promise<Inspection> {
  const found: Inspection = { named: [], lost: 0, wrong: [] };
  const folder = join(root, 'data');
  const keyReference = `file:${join(root, defaultKey)}`;
  const at = { folder, keyReference, platforms: [], imagePlatforms: [imagePlatform] };
  let opened: InProcess;
  try {
    opened = openInProcess({ ...at, sources: imageSources, clock: systemClock });
  } catch (error) {
    found.refused = error instanceof QianzhiError ? error.code : `no code: ${String(error)}`;
    found.lost = promised.stored.size;
    return found;
  }
  const nobody = { ask: () => Promise.reject(new Error('no reader here')), abandon() {} };
  const store = imageStoreThrough({ ask: (request) => opened.ask(request), abandon() {} }, nobody);
  const ports = { write: opened.line(), read: new MessageChannel().port1 };
  const view = openMappingView({ ...at, timeZone: 'Asia/Shanghai', ports });
  const { db, vault, close } = openForReading(folder, keyReference);
  try {
    found.named = (db.prepare('SELECT code FROM notice').all() as Array<{ code: string }>).map((n) => n.code);
    const spool = openSpool({ folder: spoolFolder(folder) });
    await reconcileSpool({ spool, store, clock: systemClock, log: silentLog });
    await checkInstances(rowsOf(db, vault), spool, promised, tree, found);
    found.wrong.push(...bookFaults(db), ...spoolFaults(db, spoolFolder(folder)));
    await workOn(store, view, spool, promised, found.wrong);
    found.wrong.push(...bookFaults(db), ...spoolFaults(db, spoolFolder(folder)));
    const { quick_check } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (quick_check !== 'ok') found.wrong.push('the file is damaged');
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    found.wrong.push(`threw ${isErrorCode(code) ? codeOf(error, 'SYS-6004') : String(error)}`);
  } finally {
    close();
    view.close();
    opened.writer.close();
  }
  return found;
}

function rowsOf(db: DatabaseSync, vault: Vault): Row[] {
  const rows = db
    .prepare(
      `SELECT i.n, i.file, i.kept, i.damaged, s.key_id, s.sealed, u.state FROM instance i
       JOIN instance_sealed s USING(n) JOIN upload u USING(n)`,
    )
    .all() as Array<{
    n: number;
    file: string;
    kept: number;
    damaged: number;
    key_id: number;
    sealed: Uint8Array;
    state: number;
  }>;
  return rows.map(({ n, file, kept, damaged, key_id, sealed, state }) => {
    const text = vault.open('instance', n, key_id, sealed).toString('utf8');
    const { sopInstanceUid, key } = JSON.parse(text) as { sopInstanceUid: string; key: string };
    return {
      n,
      uid: sopInstanceUid,
      kept: kept === 1,
      damaged: damaged === 1,
      state,
      file: { name: file, key: Buffer.from(key, 'base64') },
    };
  });
}

const contentOf = async (spool: Spool, file: Row['file']): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of spool.read(file)) pieces.push(piece);
  return Buffer.concat(pieces);
};

/** Invariants 1 and 2: an image that was acknowledged, or whose file is gone from the folder, is there, once and whole. */
async function checkInstances(
  rows: Row[],
  spool: Spool,
  promised: Promised,
  tree: Tree,
  found: Inspection,
): Promise<void> {
  const byUid = new Map(rows.map((row) => [row.uid, row]));
  if (byUid.size !== rows.length) found.wrong.push('an image is stored twice');
  const lying = new Set(
    tree.flatMap(({ path, bytes }) => (bytes && /^(incoming|inbox)\//.test(path) ? [sha(bytes)] : [])),
  );
  const gone = [...promised.dropped].filter(([, content]) => !lying.has(content));
  for (const [uid, content] of [...promised.stored, ...gone]) {
    const row = byUid.get(uid);
    if (!row || row.damaged) found.lost += 1;
    else if (row.kept && sha(await contentOf(spool, row.file)) !== content) found.wrong.push(`image ${row.n} changed`);
    else if (!row.kept && !promised.delivered.has(uid)) found.wrong.push(`image ${row.n} was let go of too early`);
  }
  for (const row of rows) {
    // Also what nobody was told of: it is whole or it is not there.
    if (row.kept && !row.damaged) await contentOf(spool, row.file);
    if (promised.delivered.has(row.uid) && row.state !== uploadState.delivered)
      found.wrong.push(`image ${row.n} was delivered and is in state ${row.state}`);
  }
}

/** Spool and store go on where they were: who was not answered sends again, and everything left goes out whole. */
async function workOn(
  store: ImageStore,
  view: ReturnType<typeof openMappingView>,
  spool: Spool,
  promised: Promised,
  wrong: string[],
): Promise<void> {
  const intake = takeInInstances({ source: imageSources[0] ?? '', spool, store });
  const take = async ({ uid, dataset }: Pick<InventedImage, 'uid' | 'dataset'>) => {
    const origin = { sopClassUid: ctImage, sopInstanceUid: uid, transferSyntaxUid: explicitLittle };
    const incoming = await intake.begin({
      ...origin,
      sopInstanceUid: phi(uid),
      receivedMs: Date.now(),
      preamble: buildPreamble(origin),
    });
    await incoming.write(dataset);
    return incoming.commit();
  };
  const fresh = inventedImage({ name: `${Date.now()}.99`, study: 'after', bytes: 400_000 });
  if ((await take(fresh)).outcome !== 'stored') wrong.push('a new image is not new');
  if ((await take(fresh)).outcome !== 'duplicate') wrong.push('an image that comes again is stored twice');

  const clock = { stableMs: 0, hardCapMs: 1000 };
  const stage = {
    store: view,
    spool,
    rulesOf: () => ({ reader: { read: readHeader }, urgency: {}, clock }),
    clock: systemClock,
    log: silentLog,
  };
  while ((await indexInstances(stage)) > 0);
  for (;;) {
    const limits = { instances: 50, bytes: 2 ** 24, nowMs: Date.now() + 60_000 };
    const claimed = await store.claimInstances(imagePlatform, limits);
    if (claimed.length === 0) break;
    for (const { n, sopInstanceUid, file } of claimed) {
      const uid = sopInstanceUid.reveal();
      const content = promised.stored.get(uid) ?? promised.dropped.get(uid);
      if (promised.delivered.has(uid)) wrong.push(`image ${n} goes out after it was delivered`);
      if (content !== undefined && sha(await contentOf(spool, file)) !== content)
        wrong.push(`image ${n} goes out changed`);
    }
    await store.settleInstances(
      imagePlatform,
      claimed.map(({ n }) => ({ n, outcome: 'accepted' as const })),
      Date.now(),
    );
  }
}
