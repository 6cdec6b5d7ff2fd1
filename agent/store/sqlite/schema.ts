/**
 * Schema of the embedded store. Migrations are additive and never edited once released: a new version appends one that
 * changes the tables (by which a wrong version number is told). Bodies, records and documents lie in tables of their
 * own, written once and never updated; state lies in narrow rows.
 */
export const migrations: string[] = [
  `
  CREATE TABLE epoch(id INTEGER PRIMARY KEY, nonce TEXT NOT NULL, started_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE data_key(id INTEGER PRIMARY KEY, day INTEGER NOT NULL UNIQUE, wrapped BLOB NOT NULL) STRICT;
  -- configured names of sources and platforms; platform 0 stands for "none"
  CREATE TABLE name(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(kind, name)) STRICT;

  -- INTAKE: the inbox. message.type is filled by mapping from a closed list.
  CREATE TABLE message(seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    day INTEGER NOT NULL, bytes INTEGER NOT NULL, type TEXT) STRICT;
  CREATE TABLE body(seq INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  -- the last control ids and contents of each source as MACs, a ring: recognises a retransmission
  CREATE TABLE retransmission(source INTEGER NOT NULL, slot INTEGER NOT NULL, seq INTEGER NOT NULL,
    control BLOB NOT NULL, content BLOB NOT NULL, PRIMARY KEY(source, slot)) STRICT, WITHOUT ROWID;
  CREATE TABLE intake_day(day INTEGER NOT NULL, source INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
    retransmissions INTEGER NOT NULL, last_ms INTEGER NOT NULL, PRIMARY KEY(day, source)) STRICT, WITHOUT ROWID;

  -- MAPPING: what messages said. Parts that became records are in journal, all others in part.
  CREATE TABLE part(seq INTEGER NOT NULL, part INTEGER NOT NULL, state TEXT NOT NULL, code TEXT, place TEXT, rule TEXT,
    by_seq INTEGER, PRIMARY KEY(seq, part)) STRICT, WITHOUT ROWID;
  CREATE INDEX part_quarantined ON part(code, place, seq) WHERE state = 'quarantined';
  CREATE TABLE journal(jseq INTEGER PRIMARY KEY, seq INTEGER NOT NULL, part INTEGER NOT NULL, action TEXT NOT NULL,
    kind TEXT NOT NULL, report INTEGER NOT NULL, version INTEGER NOT NULL, set_id TEXT NOT NULL, lane INTEGER NOT NULL) STRICT;
  CREATE INDEX journal_seq ON journal(seq);
  -- answers what is known to be withdrawn
  CREATE INDEX journal_retraction ON journal(report, jseq, seq) WHERE action = 'retract';
  CREATE TABLE record(jseq INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE finding(jseq INTEGER NOT NULL, n INTEGER NOT NULL, code TEXT NOT NULL, place TEXT NOT NULL,
    dimension TEXT NOT NULL, PRIMARY KEY(jseq, n)) STRICT, WITHOUT ROWID;
  -- jseq: the record that holds the content of the version last published
  CREATE TABLE report(id INTEGER PRIMARY KEY, mac BLOB NOT NULL UNIQUE, jseq INTEGER, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE patient(id INTEGER PRIMARY KEY, mac BLOB NOT NULL UNIQUE, since_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE lookup(kind INTEGER NOT NULL, mac BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(kind, mac, seq)) STRICT, WITHOUT ROWID;

  -- RENDERING: one cursor a platform; journal entries that made no document are in rendering.
  CREATE TABLE cursor(stage TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE rendering(platform INTEGER NOT NULL, jseq INTEGER NOT NULL, state TEXT NOT NULL, code TEXT, place TEXT,
    rule TEXT, report INTEGER NOT NULL, PRIMARY KEY(platform, jseq)) STRICT, WITHOUT ROWID;
  CREATE INDEX rendering_held ON rendering(platform, report, jseq) WHERE state = 'quarantined';

  -- DELIVERY. state: 0 ready, 1 received, 2 accepted, 3 refused, 4 cancelled, 5 behind a refused one.
  -- pos orders a lane: a retraction takes the place of what it withdraws. may_hold: the platform has it or may
  -- have it; set before the first send, cleared only by a refusal of the first attempt.
  CREATE TABLE outbox(n INTEGER PRIMARY KEY, platform INTEGER NOT NULL, jseq INTEGER NOT NULL, seq INTEGER NOT NULL,
    report INTEGER NOT NULL, version INTEGER NOT NULL, set_id TEXT NOT NULL, lane INTEGER NOT NULL, pos INTEGER NOT NULL,
    operation TEXT NOT NULL, type TEXT NOT NULL, media TEXT NOT NULL, epoch INTEGER NOT NULL, bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, may_hold INTEGER NOT NULL DEFAULT 0, code TEXT, place TEXT, done_ms INTEGER, by_seq INTEGER) STRICT;
  -- covers the scan for lane heads and the counts of what is unsent
  CREATE INDEX outbox_open ON outbox(platform, lane, pos, n, due_ms, bytes, state, created_ms) WHERE state < 2;
  CREATE INDEX outbox_done ON outbox(platform, done_ms) WHERE state = 2;
  CREATE INDEX outbox_report ON outbox(report, platform, n);
  CREATE UNIQUE INDEX outbox_jseq ON outbox(jseq, platform);
  CREATE INDEX outbox_refused ON outbox(platform, code, n) WHERE state = 3;
  CREATE TABLE document(n INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE receipt(n INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;

  -- THE BOOKS (invariant 3): one row a message and platform once mapped; no row means waiting, unmapped.
  CREATE TABLE disposition(seq INTEGER NOT NULL, platform INTEGER NOT NULL, state TEXT NOT NULL, code TEXT, rule TEXT,
    by_seq INTEGER, since_ms INTEGER NOT NULL, day INTEGER NOT NULL, source INTEGER NOT NULL,
    PRIMARY KEY(seq, platform)) STRICT, WITHOUT ROWID;
  CREATE TABLE balance(day INTEGER NOT NULL, source INTEGER NOT NULL, platform INTEGER NOT NULL, state TEXT NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY(day, source, platform, state)) STRICT, WITHOUT ROWID;
  CREATE TRIGGER disposition_in AFTER INSERT ON disposition BEGIN
    INSERT INTO balance VALUES(NEW.day, NEW.source, NEW.platform, NEW.state, 1)
      ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER disposition_move AFTER UPDATE OF state ON disposition WHEN OLD.state <> NEW.state BEGIN
    UPDATE balance SET n = n - 1 WHERE day = OLD.day AND source = OLD.source AND platform = OLD.platform AND state = OLD.state;
    INSERT INTO balance VALUES(NEW.day, NEW.source, NEW.platform, NEW.state, 1)
      ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER disposition_out AFTER DELETE ON disposition BEGIN
    UPDATE balance SET n = n - 1 WHERE day = OLD.day AND source = OLD.source AND platform = OLD.platform AND state = OLD.state;
  END;

  -- what happened to the store itself: lost tail, damaged file
  CREATE TABLE notice(id INTEGER PRIMARY KEY, code TEXT NOT NULL, at_ms INTEGER NOT NULL, first INTEGER, last INTEGER) STRICT;
  `,
  `
  -- the patient index: a row without one only stands for a lane, or for a number that somebody awaits
  ALTER TABLE patient ADD COLUMN key_id INTEGER;
  ALTER TABLE patient ADD COLUMN sealed BLOB;
  -- whose a report is; of one that was never journalled it is known from the next time it is decided
  ALTER TABLE report ADD COLUMN lane INTEGER;
  UPDATE report SET lane = (SELECT j.lane FROM journal j WHERE j.jseq = report.jseq);
  CREATE INDEX report_lane ON report(lane);

  -- parts that wait: when they are decided again, and the patient row whose telling makes that now
  ALTER TABLE part ADD COLUMN due_ms INTEGER;
  ALTER TABLE part ADD COLUMN awaits INTEGER;
  CREATE INDEX part_due ON part(due_ms, seq) WHERE due_ms IS NOT NULL;
  CREATE INDEX part_awaits ON part(awaits) WHERE awaits IS NOT NULL;

  -- outbox.state below 0 is open and stands aside of its lane: -1 the platform wants a parent first, tried again at
  -- due_ms; -2 another document (after_n) has to leave first. since_parent_ms: when it was first told to wait for one.
  -- rule: why it was cancelled; none: withdrawn.
  ALTER TABLE outbox ADD COLUMN after_n INTEGER;
  ALTER TABLE outbox ADD COLUMN since_parent_ms INTEGER;
  ALTER TABLE outbox ADD COLUMN rule TEXT;
  CREATE INDEX outbox_after ON outbox(after_n) WHERE state = -2;
  CREATE INDEX outbox_parent ON outbox(platform, due_ms, lane) WHERE state = -1;
  `,
  `
  -- what waits and a person should know of now
  CREATE INDEX part_urgent ON part(code, place, seq) WHERE state = 'waiting' AND code = 'MAP-3031';
  `,
  `
  -- IMAGES. An instance's bytes lie in the spool under the name in file; key and UIDs in instance_sealed. state: 0 its header was not
  -- read yet, 1 it was, 2 it cannot be (code). conflict: the instance that has its UID with other content. kept: the file
  -- is there. damaged: it does not open. done_ms: delivered wherever it was to go. study 0: not known.
  CREATE TABLE instance(n INTEGER PRIMARY KEY, source INTEGER NOT NULL, mac BLOB NOT NULL, content BLOB NOT NULL,
    received_ms INTEGER NOT NULL, day INTEGER NOT NULL, bytes INTEGER NOT NULL, file TEXT NOT NULL,
    kept INTEGER NOT NULL DEFAULT 1, damaged INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL DEFAULT 0, code TEXT,
    conflict INTEGER, study INTEGER NOT NULL DEFAULT 0, series INTEGER NOT NULL DEFAULT 0, number INTEGER, done_ms INTEGER) STRICT;
  CREATE INDEX instance_mac ON instance(mac);
  CREATE INDEX instance_unread ON instance(n) WHERE state = 0;
  CREATE INDEX instance_study ON instance(study, n);
  CREATE INDEX instance_file ON instance(file) WHERE kept = 1;
  CREATE INDEX instance_done ON instance(done_ms) WHERE kept = 1 AND done_ms IS NOT NULL;
  CREATE TABLE instance_sealed(n INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;

  -- since_ms: arrival of the first instance that is in no issue yet; due_ms: when it is issued. issued: instances in the
  -- last issue. revision changes with whatever an issue says. suspect: its headers contradict each other about the patient.
  CREATE TABLE study(id INTEGER PRIMARY KEY, mac BLOB NOT NULL UNIQUE, source INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, since_ms INTEGER, due_ms INTEGER, revision INTEGER NOT NULL DEFAULT 0,
    issue INTEGER NOT NULL DEFAULT 0, issued INTEGER NOT NULL DEFAULT 0, instances INTEGER NOT NULL DEFAULT 0,
    urgent INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0, suspect INTEGER NOT NULL DEFAULT 0,
    key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE INDEX study_due ON study(due_ms) WHERE due_ms IS NOT NULL;
  CREATE INDEX study_withdrawn ON study(id) WHERE withdrawn = 1;
  CREATE INDEX study_suspect ON study(id) WHERE suspect = 1;
  CREATE TABLE series(id INTEGER PRIMARY KEY, study INTEGER NOT NULL, mac BLOB NOT NULL, instances INTEGER NOT NULL DEFAULT 0,
    key_id INTEGER NOT NULL, sealed BLOB NOT NULL, UNIQUE(study, mac)) STRICT;

  -- One row an instance and image platform; platform 0 where there was none. state: 0 header not read yet, 1 ready,
  -- 2 tried again at due_ms, 3 on its way, 10 delivered, 11 held, 12 conflict, 13 withdrawn, 14 kept.
  -- rank: 0 goes first. may_hold: as in outbox; the platform has it or may have it.
  CREATE TABLE upload(n INTEGER NOT NULL, platform INTEGER NOT NULL, state INTEGER NOT NULL, rank INTEGER NOT NULL DEFAULT 1,
    study INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL, due_ms INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, may_hold INTEGER NOT NULL DEFAULT 0, code TEXT, done_ms INTEGER, day INTEGER NOT NULL,
    source INTEGER NOT NULL, PRIMARY KEY(n, platform)) STRICT, WITHOUT ROWID;
  CREATE INDEX upload_ready ON upload(platform, rank, study, n, bytes) WHERE state = 1;
  CREATE INDEX upload_later ON upload(platform, due_ms, rank, n) WHERE state = 2;
  CREATE INDEX upload_sending ON upload(platform, n) WHERE state = 3;
  CREATE INDEX upload_doubt ON upload(platform, study) WHERE state > 10 AND may_hold > 0;

  -- The books of images: waiting is 9 here, whatever it waits for.
  CREATE TABLE image_balance(day INTEGER NOT NULL, source INTEGER NOT NULL, platform INTEGER NOT NULL, state INTEGER NOT NULL,
    code TEXT NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY(day, source, platform, state, code)) STRICT, WITHOUT ROWID;
  CREATE TABLE study_balance(study INTEGER NOT NULL, platform INTEGER NOT NULL, state INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY(study, platform, state)) STRICT, WITHOUT ROWID;
  CREATE TRIGGER upload_in AFTER INSERT ON upload BEGIN
    INSERT INTO image_balance VALUES(NEW.day, NEW.source, NEW.platform, max(NEW.state, 9), iif(NEW.state > 10, ifnull(NEW.code, ''), ''), 1, NEW.bytes)
      ON CONFLICT DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;
    INSERT INTO study_balance VALUES(NEW.study, NEW.platform, max(NEW.state, 9), 1) ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER upload_move AFTER UPDATE OF state, study, code, bytes ON upload
    WHEN max(OLD.state, 9) <> max(NEW.state, 9) OR OLD.study <> NEW.study OR OLD.bytes <> NEW.bytes
      OR (NEW.state > 10 AND ifnull(OLD.code, '') <> ifnull(NEW.code, '')) BEGIN
    UPDATE image_balance SET n = n - 1, bytes = bytes - OLD.bytes WHERE day = OLD.day AND source = OLD.source
      AND platform = OLD.platform AND state = max(OLD.state, 9) AND code = iif(OLD.state > 10, ifnull(OLD.code, ''), '');
    UPDATE study_balance SET n = n - 1 WHERE study = OLD.study AND platform = OLD.platform AND state = max(OLD.state, 9);
    INSERT INTO image_balance VALUES(NEW.day, NEW.source, NEW.platform, max(NEW.state, 9), iif(NEW.state > 10, ifnull(NEW.code, ''), ''), 1, NEW.bytes)
      ON CONFLICT DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;
    INSERT INTO study_balance VALUES(NEW.study, NEW.platform, max(NEW.state, 9), 1) ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER upload_out AFTER DELETE ON upload BEGIN
    UPDATE image_balance SET n = n - 1, bytes = bytes - OLD.bytes WHERE day = OLD.day AND source = OLD.source
      AND platform = OLD.platform AND state = max(OLD.state, 9) AND code = iif(OLD.state > 10, ifnull(OLD.code, ''), '');
    UPDATE study_balance SET n = n - 1 WHERE study = OLD.study AND platform = OLD.platform AND state = max(OLD.state, 9);
  END;
  CREATE TABLE spool_use(id INTEGER PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO spool_use VALUES(1, 0, 0);
  CREATE TRIGGER instance_in AFTER INSERT ON instance BEGIN
    UPDATE spool_use SET files = files + NEW.kept, bytes = bytes + NEW.kept * NEW.bytes;
  END;
  CREATE TRIGGER instance_moved AFTER UPDATE OF kept, bytes ON instance BEGIN
    UPDATE spool_use SET files = files + NEW.kept - OLD.kept, bytes = bytes + NEW.kept * NEW.bytes - OLD.kept * OLD.bytes;
  END;

  -- Studies of which nothing waits at a platform any more; counted: how many it says it has, -1 when it cannot say.
  CREATE TABLE study_check(platform INTEGER NOT NULL, study INTEGER NOT NULL, delivered INTEGER NOT NULL, counted INTEGER,
    PRIMARY KEY(platform, study)) STRICT, WITHOUT ROWID;
  CREATE INDEX study_uncounted ON study_check(platform, study) WHERE counted IS NULL;
  CREATE INDEX study_short ON study_check(platform, study) WHERE counted >= 0 AND counted < delivered;
  `,
  `
  -- Search: the studies whose headers name an accession number or a patient's number, as MACs (study-keys.ts).
  CREATE TABLE study_key(mac BLOB NOT NULL, study INTEGER NOT NULL, PRIMARY KEY(mac, study)) STRICT, WITHOUT ROWID;
  -- Instances that came, by day: an instance has a row in upload for each platform, so those cannot tell.
  CREATE TABLE instance_day(day INTEGER NOT NULL, source INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY(day, source)) STRICT, WITHOUT ROWID;
  INSERT INTO instance_day SELECT day, source, count(*) FROM instance GROUP BY day, source;
  CREATE TRIGGER instance_counted AFTER INSERT ON instance BEGIN
    INSERT INTO instance_day VALUES(NEW.day, NEW.source, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  `,
  `
  -- MATCHING: exam reports and studies as the journal tells of them last, derived from it by a cursor of its own. record: the
  -- row in report. kind: 0 exam report, 1 study. since_ms: arrival of the first version, since it stands. links: with how
  -- many it is in match_link. waits: nothing is linked with it, and something is to be expected. Sealed: whose it is, and its day.
  CREATE TABLE match_record(record INTEGER PRIMARY KEY, kind INTEGER NOT NULL, seq INTEGER NOT NULL, study INTEGER NOT NULL,
    lane INTEGER NOT NULL, since_ms INTEGER NOT NULL, expects INTEGER NOT NULL,
    links INTEGER NOT NULL DEFAULT 0, waits INTEGER NOT NULL DEFAULT 0, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE INDEX match_waits ON match_record(kind, waits, since_ms);
  CREATE INDEX match_study ON match_record(study) WHERE kind = 1;
  -- MACs of numbers, which link; of patient and day, which suggest
  CREATE TABLE match_key(mac BLOB NOT NULL, kind INTEGER NOT NULL, record INTEGER NOT NULL,
    PRIMARY KEY(mac, kind, record)) STRICT, WITHOUT ROWID;
  CREATE INDEX match_key_record ON match_key(record);
  -- rows of match_record. state: 1 linked, 2 they contradict each other about the person
  CREATE TABLE match_link(exam INTEGER NOT NULL, imaging INTEGER NOT NULL, state INTEGER NOT NULL,
    PRIMARY KEY(exam, imaging)) STRICT, WITHOUT ROWID;
  CREATE INDEX match_link_imaging ON match_link(imaging, exam);
  CREATE INDEX match_contradicts ON match_link(exam, imaging) WHERE state = 2;
  CREATE INDEX journal_match ON journal(jseq) WHERE kind IN ('exam-report', 'imaging-study');
  `,
  `
  -- what was learned of when a source usually sends (agent/intake/rhythm), as JSON: counts and times only
  CREATE TABLE rhythm(source INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;
  -- what came before teaches nothing: when nobody listened then is not known
  INSERT INTO cursor SELECT 'rhythm-messages', ifnull(max(seq),0) FROM message;
  INSERT INTO cursor SELECT 'rhythm-instances', ifnull(max(n),0) FROM instance;
  `,
];

/**
 * may_hold of outbox and upload, named. `sentBack`: what is on its way is all the platform can have; every attempt before was answered
 * that it took nothing, as it wants a parent first.
 */
export const mayHold = { no: 0, yes: 1, sentBack: 2 } as const;

/** outbox.state as numbers, named. Open (it may still be sent) is below 2; below 0 it blocks nothing in its lane. */
export const outboxState = {
  after: -2,
  parent: -1,
  ready: 0,
  received: 1,
  accepted: 2,
  refused: 3,
  cancelled: 4,
  behind: 5,
} as const;

/**
 * upload.code of what is withdrawn though its study is not: the platform has deleted it, its file was let go of, and the
 * study was restored.
 */
export const deletedThere = 'DCM-2290';

/** instance.state as numbers, named. */
export const instanceState = { unread: 0, read: 1, unreadable: 2 } as const;

/** upload.state as numbers, named. Below 10 it waits; in the books that is `waiting`. */
export const uploadState = {
  unread: 0,
  ready: 1,
  later: 2,
  sending: 3,
  waiting: 9,
  delivered: 10,
  held: 11,
  conflict: 12,
  withdrawn: 13,
  kept: 14,
} as const;
