import { randomBytes } from 'node:crypto';
import type { Clock } from '../../support/clock.ts';
import { codeOf, type ErrorCode, QianzhiError } from '../../support/errors.ts';
import { localDays } from '../../support/local-day.ts';
import type { Accepted, Incoming } from '../contract.ts';
import { openBooks } from './books.ts';
import { correctWaits } from './correct-waits.ts';
import { type DiskLimits, type DiskMode, defaultDiskLimits, watchDisk } from './disk.ts';
import { type HighWater, openHighWater } from './high-water.ts';
import { INSTANCES, openImages } from './images/images.ts';
import { openNames } from './names.ts';
import {
  breaksTransaction,
  keepTail,
  type OpenedStore,
  openForWriting,
  SQLITE_FULL,
  sqliteCode,
  withBallast,
} from './open.ts';
import { type WriteRequest, type WriteResults, weightOf } from './requests.ts';
import { openRhythmWrites } from './rhythm.ts';
import { mayHold } from './schema.ts';
import { openSpareWork } from './spare-work.ts';
import { CLAIMS, openDeliveryWrites } from './writes/delivery-writes.ts';
import { openIntakeWrites } from './writes/intake-writes.ts';
import { openMappingWrites } from './writes/mapping-writes.ts';
import { openRenderingWrites } from './writes/rendering-writes.ts';

/** Other work than intake in one group: what an acknowledgement may have to wait behind. */
const OTHER_WORK_BYTES = 512 * 1024;
/** Intake in one group: one commit stays within some 20 ms of CPU. */
const INTAKE_MESSAGES = 512;
const INTAKE_BYTES = 4 * 1024 * 1024;

export interface WriterOptions {
  folder: string;
  keyReference: string;
  demo: boolean;
  sources: string[];
  platforms: string[];
  /** Configured platforms that take images. */
  imagePlatforms?: string[];
  timeZone: string;
  disk?: Partial<DiskLimits>;
  clock: Clock;
}

export type Answer = { ok: WriteResults[WriteRequest['op']] } | { failed: ErrorCode };

interface Waiting {
  request: WriteRequest;
  answer(result: Answer): void;
}

export interface WriterState {
  mode: DiskMode;
  freeBytes: number;
  /** seq of the newest message; journal and outbox growth are seen by their own stages. */
  lastSeq: number;
  notices: Array<{ code: ErrorCode; first?: number; last?: number }>;
  /** Once a search finds all studies: how many of an older version were made findable since the start. */
  searchable: number | undefined;
  /** Of the configured sources: under these nothing had ever been received when the store was opened. */
  unused: string[];
  /** Under these messages had been received, and they are not configured. */
  former: string[];
}

export interface Writer {
  agentId: string;
  post(request: WriteRequest, answer: (result: Answer) => void): void;
  /** Runs one group commit. Returns false when nothing was waiting. Throws QUE-4007 when the disk failed: exit. */
  runGroup(): boolean;
  /**
   * Where nothing waits: a step of what has time, some 10 ms. Returns false when there is none, or when it goes on with the
   * next tick. Throws as runGroup does.
   */
  idle(): boolean;
  /** Housekeeping, once a second: disk, side file. */
  tick(): void;
  state(): WriterState;
  close(): void;
}

/**
 * The one writer of the store. What arrives while a commit is in flight is the next group: no timer.
 * Each group takes waiting intake first, then other work up to a bound, each unit in a savepoint; if
 * the group fails, intake is tried again alone. An answer is given only after COMMIT has returned
 * with synchronous=FULL (invariant 1).
 */
export function openWriter(options: WriterOptions): Writer {
  const { folder, keyReference, demo, clock } = options;
  const store = withBallast(folder, () => openForWriting(folder, keyReference, demo, clock.now()));
  try {
    return withBallast(folder, () => {
      if (store.db.isTransaction) store.db.exec('ROLLBACK');
      return writerOf(options, store);
    });
  } catch (error) {
    throw store.leave(error);
  }
}

function writerOf(options: WriterOptions, store: OpenedStore): Writer {
  const { clock } = options;
  const { db, vault, agentId } = store;
  const guard = watchDisk(options.folder, { ...defaultDiskLimits, ...options.disk });
  const notices: WriterState['notices'] = [];
  const addNotice = db.prepare('INSERT INTO notice(code, at_ms, first, last) VALUES(?,?,?,?)');
  const notice = (code: ErrorCode, first?: number, last?: number) => {
    notices.push({ code, first, last });
    addNotice.run(code, clock.now(), first ?? null, last ?? null);
  };
  if (store.movedAside) {
    db.exec('BEGIN IMMEDIATE');
    notice('QUE-4009');
    store.toldAside(store.movedAside);
    db.exec('COMMIT');
  }
  if (store.restored) notice('QUE-4015');
  const storeTag = vault.mac('high-water', agentId).subarray(0, 8);
  const highWater = openHighWater(options.folder, storeTag);
  const stored = db
    .prepare(`SELECT (SELECT ifnull(max(seq),0) FROM message) AS seq, (SELECT ifnull(max(n),0) FROM outbox) AS outbox,
      ifnull((SELECT at FROM cursor WHERE stage='${CLAIMS}'),0) AS claims,
      max((SELECT ifnull(max(n),0) FROM instance), ifnull((SELECT at FROM cursor WHERE stage='${INSTANCES}'),0)) AS instances`)
    .get() as unknown as HighWater;
  const side = highWater.read();
  const before = side ?? { seq: 0, outbox: 0, claims: 0, instances: 0 };
  // Written and synced before the first message is taken: from then on its absence is a damage.
  if (side === undefined && stored.seq + stored.instances > 0) notice('QUE-4014');
  const told = db.prepare("SELECT 1 FROM notice WHERE code='QUE-4006' AND last=?");
  if (before.seq > stored.seq && !told.get(before.seq)) {
    keepTail(options.folder, clock.now());
    notice('QUE-4006', stored.seq + 1, before.seq);
  }
  const setCursor = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');
  if (before.claims > stored.claims) {
    if (before.seq <= stored.seq) {
      keepTail(options.folder, clock.now());
      notice('QUE-4006');
    }
    // Which attempts are forgotten nobody knows: the platform may have whatever is open.
    db.exec(`UPDATE outbox SET may_hold=${mayHold.yes} WHERE state < 2`);
    setCursor.run(CLAIMS, before.claims);
  }
  if (before.instances > stored.instances) {
    if (notices.every(({ code }) => code !== 'QUE-4006')) {
      keepTail(options.folder, clock.now());
      notice('QUE-4006');
    }
    // Told once; their files are set aside (agent/images/reconcile.ts), their numbers not given out again.
    setCursor.run(INSTANCES, before.instances);
  }
  highWater.write({
    seq: Math.max(stored.seq, before.seq),
    outbox: Math.max(stored.outbox, before.outbox),
    claims: Math.max(stored.claims, before.claims),
    instances: Math.max(stored.instances, before.instances),
  });
  highWater.sync();

  const epoch = Number(
    db.prepare('INSERT INTO epoch(nonce, started_ms) VALUES(?,?)').run(randomBytes(8).toString('hex'), clock.now())
      .lastInsertRowid,
  );

  const names = openNames(db);
  const { idOf } = names;
  for (const name of options.sources) idOf('source', name);
  const everUsed = names.usedSources();
  const unused = options.sources.filter((name) => !everUsed.includes(name));
  const former = everUsed.filter((name) => !options.sources.includes(name));
  const known = db.prepare("SELECT 1 FROM name WHERE kind='platform' AND name=?");
  const startCursor = db.prepare('INSERT INTO cursor(stage, at) SELECT ?, ifnull(max(jseq),0) FROM journal');
  const startOf = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const platforms = options.platforms.map((name) => {
    const isNew = !known.get(name);
    const id = idOf('platform', name);
    // A platform that joins later starts with what comes from now on; history is not sent unasked.
    if (isNew) for (const stage of ['render', 'start']) startCursor.run(`${stage}:${id}`);
    return { id, start: (startOf.get(`start:${id}`) as { at: number } | undefined)?.at ?? 0 };
  });
  const setBack = correctWaits(db, epoch, clock.now());

  const books = openBooks(db, platforms);
  const dayOf = localDays(options.timeZone);
  const intake = openIntakeWrites(db, vault, dayOf, before.seq);
  const assertRoom = (): void => {
    if (guard.mode() !== 'normal') throw new QianzhiError('QUE-4001');
  };
  // Where the side file is gone too, the cursor still knows.
  const floorN = Math.max(before.instances, stored.instances);
  const images = openImages({ db, vault, idOf, dayOf, options, intake, assertRoom, mode: guard.mode, floorN });
  images.started(setBack);
  const delivery = openDeliveryWrites(db, vault, books, agentId);
  const mapping = openMappingWrites(db, vault, books, delivery.aside.left);
  const rendering = openRenderingWrites(db, vault, books, () => epoch, before.outbox, delivery);
  const keepRhythms = openRhythmWrites(db, (name) => idOf('source', name), assertRoom);

  const accept = (message: Incoming): Accepted => {
    const source = idOf('source', message.source);
    return intake.accept(message, source, message.continues === undefined ? source : idOf('source', message.continues));
  };

  let waitingIntake: Waiting[] = [];
  let waitingOther: Waiting[] = [];
  const run = (request: WriteRequest): WriteResults[WriteRequest['op']] => {
    switch (request.op) {
      case 'accept':
        return accept(request.message);
      case 'mapping':
        assertRoom();
        return mapping(request, clock.now()) as undefined;
      case 'rendering':
        assertRoom();
        return rendering(request, idOf('platform', request.platform), clock.now()) as undefined;
      case 'claim':
        return delivery.claim(idOf('platform', request.platform), request.max, request.maxBytes, request.nowMs);
      case 'settle':
        return delivery.settle(idOf('platform', request.platform), request.verdicts, request.nowMs) as undefined;
      case 'withdrawn':
        return delivery.withdrawn(request.numbers);
      case 'next-due':
        return delivery.nextDue(idOf('platform', request.platform));
      case 'keep-rhythms':
        return keepRhythms(request.rhythms) as undefined;
      default:
        return images.run(request);
    }
  };

  /** Executes units inside one transaction and commits. Throws when the transaction is gone. */
  const savepoint = db.prepare('SAVEPOINT unit');
  const release = db.prepare('RELEASE unit');
  const commit = (units: Waiting[]): Answer[] => {
    const answers: Answer[] = [];
    db.exec('BEGIN IMMEDIATE');
    for (const unit of units) {
      savepoint.run();
      try {
        answers.push({ ok: run(unit.request) });
        release.run();
      } catch (error) {
        // A full disk or a failed write takes the transaction with it; anything else is this unit's own.
        if (breaksTransaction(error) || !db.isTransaction) throw error;
        db.exec('ROLLBACK TO unit; RELEASE unit');
        names.rolledBack();
        vault.forget();
        answers.push({ failed: codeOf(error, 'MAP-3013') });
      }
    }
    db.exec('COMMIT');
    intake.committed();
    delivery.committed();
    return answers;
  };

  const rollBack = (): void => {
    if (db.isTransaction) db.exec('ROLLBACK');
    names.rolledBack();
    intake.rolledBack();
    delivery.rolledBack();
    vault.forget();
  };

  const attempt = (units: Waiting[]): void => {
    const answers = commit(units);
    highWater.write({
      seq: intake.lastSeq(),
      outbox: Math.max(outboxTop(), before.outbox),
      claims: delivery.claims(),
      instances: Math.max(images.lastN(), before.instances),
    });
    units.forEach((unit, i) => {
      const answer = answers[i];
      if (answer) unit.answer(answer);
    });
  };
  const topOf = db.prepare('SELECT ifnull(max(n),0) AS n FROM outbox');
  const outboxTop = (): number => (topOf.get() as { n: number }).n;

  let left = false;
  const onlyFull = (error: unknown): void => {
    rollBack();
    if (sqliteCode(error) === SQLITE_FULL) {
      guard.full();
      return;
    }
    // After a failed write or sync the page cache may lie: no answer, leave, and open again (storage §3).
    if (!left) store.leave(error);
    left = true;
    throw new QianzhiError('QUE-4007', undefined, { cause: error });
  };
  const spare = openSpareWork(db, images.fillKeys, { undo: rollBack, failed: onlyFull });
  const idle = () => !left && guard.mode() === 'normal' && spare.step();
  const fail = (units: Waiting[], code: ErrorCode) => {
    for (const unit of units) unit.answer({ failed: code });
  };

  const takeIntake = (): Waiting[] => {
    if (guard.mode() === 'intake-stopped') {
      fail(waitingIntake, 'QUE-4002');
      waitingIntake = [];
      return [];
    }
    let bytes = 0;
    let count = 0;
    while (count < waitingIntake.length && count < INTAKE_MESSAGES && (count === 0 || bytes < INTAKE_BYTES)) {
      const unit = waitingIntake[count];
      if (unit) bytes += weightOf(unit.request);
      count += 1;
    }
    return waitingIntake.splice(0, count);
  };
  let letGo = false;
  const takeOther = (afterIntake: boolean): Waiting[] => {
    // Written whole, however much it is (a merge moves all reports of a patient): what waits for its acknowledgement
    // goes first, once.
    const [head] = waitingOther;
    letGo = afterIntake && !letGo && head !== undefined && weightOf(head.request) > OTHER_WORK_BYTES;
    if (letGo) return [];
    let bytes = 0;
    let count = 0;
    while (count < waitingOther.length) {
      const unit = waitingOther[count];
      const weight = unit ? weightOf(unit.request) : 0;
      if (count > 0 && bytes + weight > OTHER_WORK_BYTES) break;
      bytes += weight;
      count += 1;
    }
    return waitingOther.splice(0, count);
  };

  return {
    agentId,
    post(request, answer) {
      const acknowledged = request.op === 'accept' || request.op === 'accept-instance';
      (acknowledged ? waitingIntake : waitingOther).push({ request, answer });
    },
    runGroup() {
      if (left) return false;
      const first = takeIntake();
      const other = takeOther(first.length > 0);
      if (first.length === 0 && other.length === 0) return false;
      try {
        attempt([...first, ...other]);
        return true;
      } catch (error) {
        onlyFull(error);
      }
      // The disk was full. Acknowledgements are not made to pay for other work, nor deliveries for intake.
      for (const [units, code] of [
        [first, 'QUE-4002'],
        [other, 'QUE-4001'],
      ] as const) {
        if (units.length === 0) continue;
        try {
          attempt([...units]);
        } catch (error) {
          onlyFull(error);
          fail([...units], code);
        }
      }
      return true;
    },
    idle,
    tick() {
      guard.look();
      highWater.sync();
      spare.resume();
      idle();
    },
    state: () => ({
      mode: guard.mode(),
      freeBytes: guard.freeBytes(),
      lastSeq: intake.lastSeq(),
      notices,
      searchable: spare.done(),
      unused,
      former,
    }),
    close() {
      fail([...waitingIntake, ...waitingOther], 'QUE-4010');
      waitingIntake = [];
      waitingOther = [];
      if (left) return;
      highWater.close();
      store.close();
    },
  };
}
