import type { DatabaseSync } from 'node:sqlite';
import type { Vault } from '../../../security/vault.ts';
import type { Clock } from '../../../support/clock.ts';
import { QianzhiError } from '../../../support/errors.ts';
import type { Accepted, Incoming } from '../../contract.ts';
import type { StudyIssued } from '../../image-contract.ts';
import type { DiskMode } from '../disk.ts';
import { openMatchWrites } from '../matching/match-writes.ts';
import type { ImageRequest, WriteResults } from '../requests.ts';
import { instanceState, uploadState } from '../schema.ts';
import { openImageKeeping } from './image-keeping.ts';
import { openImageWrites } from './image-writes.ts';
import { openStudyKeys } from './study-keys.ts';
import { openUploadWrites } from './upload-writes.ts';

/** The cursor row of the highest instance that was ever known, where its row was lost. */
export const INSTANCES = 'instances';

interface ImageParts {
  db: DatabaseSync;
  vault: Vault;
  idOf(kind: 'source' | 'platform', name: string): number;
  dayOf(ms: number): number;
  options: { imagePlatforms?: string[]; clock: Clock };
  /** Takes a manifest in as a message, in the same transaction. */
  intake: { accept(message: Incoming, source: number): Accepted };
  /** Throws QUE-4001 while there is no room for what can be made later. */
  assertRoom(): void;
  mode(): DiskMode;
  /** Highest number ever given out. */
  floorN: number;
}

/** The part of the one writer that is about images. `run` inside a transaction. */
export function openImages(parts: ImageParts) {
  const { db, vault, idOf } = parts;
  const { clock, imagePlatforms = [] } = parts.options;
  const platforms = imagePlatforms.map((name) => idOf('platform', name));
  const writes = openImageWrites(db, vault, parts.dayOf, platforms, parts.floorN);
  const uploads = openUploadWrites(db, vault, platforms);
  const keeping = openImageKeeping(
    db,
    platforms.map((id, at) => ({ id, name: imagePlatforms[at] ?? '' })),
  );
  const keys = openStudyKeys(db, vault);
  const match = openMatchWrites(db, vault);
  const highest = db.prepare('SELECT ifnull(max(n),0) AS n FROM instance');
  const study = db.prepare('SELECT revision, issue FROM study WHERE id=? AND due_ms IS NOT NULL');
  const issued = db.prepare('UPDATE study SET issue=?, issued=instances, since_ms=NULL, due_ms=NULL WHERE id=?');
  const aside = db.prepare('UPDATE study SET since_ms=NULL, due_ms=NULL WHERE id=?');

  function issue(request: Extract<ImageRequest, { op: 'study-issued' }>): StudyIssued {
    const s = study.get(request.study) as { revision: number; issue: number } | undefined;
    if (!s || s.revision !== request.revision || s.issue + 1 !== request.issue) return { outcome: 'stale' };
    issued.run(request.issue, request.study);
    // Last: what it remembers outside the transaction is undone with all of it only.
    const { seq } = parts.intake.accept(request.manifest, idOf('source', request.manifest.source));
    return { outcome: 'issued', seq };
  }

  return {
    lastN: () => (highest.get() as { n: number }).n,
    /** Once, in a transaction of its own. */
    started(believeNone: boolean): void {
      db.exec('BEGIN IMMEDIATE');
      uploads.started(clock.now(), believeNone);
      // What could not be read then may be readable now: rights and disks are mended, handles come back.
      const refused = `study=0 AND state=${instanceState.unreadable} AND code='QUE-4020'`;
      db.prepare(`UPDATE upload SET state=${uploadState.unread}, code=NULL
        WHERE state=${uploadState.held} AND n IN (SELECT n FROM instance WHERE ${refused})`).run();
      db.prepare(`UPDATE instance SET state=${instanceState.unread}, code=NULL WHERE ${refused}`).run();
      db.exec('COMMIT');
    },
    fillKeys: keys.fillSome,
    run(request: ImageRequest): WriteResults[ImageRequest['op']] {
      switch (request.op) {
        case 'accept-instance':
          return writes.accept(request.instance, idOf('source', request.instance.source));
        case 'index-instances':
          // Also while the disk is low: only what was indexed can be delivered, and make room.
          if (parts.mode() === 'intake-stopped') throw new QianzhiError('QUE-4002');
          return writes.index(request.items) as undefined;
        case 'match':
          parts.assertRoom();
          return match(request, clock.now()) as undefined;
        case 'study-issued':
          parts.assertRoom();
          return issue(request);
        case 'study-aside':
          aside.run(request.study);
          return undefined;
        case 'claim-instances':
          return uploads.claim(idOf('platform', request.platform), request.limits);
        case 'settle-instances':
          return uploads.settle(idOf('platform', request.platform), request.verdicts, request.nowMs) as undefined;
        case 'withdrawn-instances':
          return uploads.withdrawn(request.numbers);
        case 'next-instance-due':
          return uploads.nextDue(idOf('platform', request.platform), request.nowMs, request.urgentOnly);
        case 'studies-to-verify':
          return uploads.toVerify(idOf('platform', request.platform), request.max);
        case 'study-counted':
          uploads.counted(idOf('platform', request.platform), request.study, request.delivered, request.counted);
          return undefined;
        case 'withdraw-study':
          return keeping.withdraw(request.study, request.withdrawn, clock.now());
        case 'images-deleted':
          return keeping.deleted(request.study, idOf('platform', request.platform));
        case 'resend-instances':
          return keeping.resend(
            request.what,
            request.platform === undefined ? null : idOf('platform', request.platform),
            request.after,
          );
        case 'forget-platform':
          return keeping.forgetPlatform(request.platform, request.after);
        case 'forget-delivered':
          return keeping.forget(request.beforeMs, request.max);
        case 'spool-names':
          return keeping.names(request.prefix);
        case 'files-lost':
          keeping.lost(request.names);
          return undefined;
        default:
          throw new QianzhiError('SYS-6004', 'store');
      }
    },
  };
}
