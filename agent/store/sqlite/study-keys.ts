import type { DatabaseSync } from 'node:sqlite';
import type { StudyFacts } from '../../images/study-facts.ts';
import type { Vault } from '../../security/vault.ts';
import type { StudySearch } from '../image-contract.ts';

/** MAC fields by which a study is searched; its UID has a field and a column of its own. */
export const studyKeyFields: Record<Exclude<StudySearch, 'uid'>, string> = {
  accession: 'study-accession-number',
  patient: 'study-patient-id',
};

/** What names a study, of one header or of all of them together. */
export interface StudyNames {
  patientId?: string | undefined;
  otherPatientIds?: readonly string[] | undefined;
  accessionNumbers: ReadonlyArray<string | undefined>;
}

/** The cursor row that says how far studies of an older version have their keys. */
const FILLED = 'study-keys';
const ALL = Number.MAX_SAFE_INTEGER;
const AT_ONCE = 1_000;
/** Of one header; more is a sender's fault, and each is a row (invariant 12). */
const MOST_IDS = 32;

/** Writes the keys by which studies are found. */
export function openStudyKeys(db: DatabaseSync, vault: Vault) {
  const put = db.prepare('INSERT OR IGNORE INTO study_key(mac, study) VALUES(?,?)');
  const filledTo = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const setFilled = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');
  const older = db.prepare('SELECT id, key_id, sealed FROM study WHERE id > ? ORDER BY id LIMIT ?');

  /** `written` has what was written of this study before, so that a hundred instances that say the same cost one. */
  function add(study: number, names: StudyNames, written = new Set<string>()): void {
    const one = (kind: keyof typeof studyKeyFields, sent: string | undefined) => {
      const value = sent?.trim() ?? '';
      const key = `${kind} ${value}`;
      if (value === '' || written.has(key)) return;
      written.add(key);
      put.run(vault.mac(studyKeyFields[kind], value), study);
    };
    for (const number of names.accessionNumbers) one('accession', number);
    one('patient', names.patientId);
    for (const id of (names.otherPatientIds ?? []).slice(0, MOST_IDS)) one('patient', id);
  }

  return {
    add,
    /**
     * Once, at the first start of the version that has keys, in transactions of its own: studies that were there before get
     * theirs from what is known of them, before anybody can ask. Of headers that contradict each other that is the first.
     */
    fill(): void {
      let at = (filledTo.get(FILLED) as { at: number } | undefined)?.at ?? 0;
      while (at < ALL) {
        db.exec('BEGIN IMMEDIATE');
        const rows = older.all(at, AT_ONCE) as unknown as Array<{ id: number; key_id: number; sealed: Uint8Array }>;
        for (const { id, key_id, sealed } of rows) {
          try {
            add(id, JSON.parse(vault.open('study', id, key_id, sealed).toString('utf8')) as StudyFacts);
          } catch {
            // Damaged: it gets its keys with the next instance that comes of it.
          }
        }
        at = rows.length < AT_ONCE ? ALL : (rows.at(-1)?.id ?? ALL);
        setFilled.run(FILLED, at);
        db.exec('COMMIT');
      }
    },
  };
}
