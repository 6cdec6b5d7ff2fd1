import type { DatabaseSync } from 'node:sqlite';

/** The configured names as the tables hold them: by number. */
export interface Names {
  /** A name that is new gets its number within the open transaction, if there is one. */
  idOf(kind: 'source' | 'platform', name: string): number;
  /** Call when anything was rolled back: a name that was new is gone with it, and its number is given to another. */
  rolledBack(): void;
  /** Sources under which messages were ever received. */
  usedSources(): string[];
}

export function openNames(db: DatabaseSync): Names {
  const ids = new Map<string, number>();
  const put = db.prepare('INSERT INTO name(kind, name) VALUES(?,?) ON CONFLICT DO UPDATE SET name=name RETURNING id');
  return {
    idOf(kind, name) {
      const key = `${kind} ${name}`;
      let id = ids.get(key);
      if (id === undefined) {
        id = (put.get(kind, name) as { id: number }).id;
        ids.set(key, id);
      }
      return id;
    },
    rolledBack: () => ids.clear(),
    usedSources: () =>
      db
        .prepare(
          "SELECT name FROM name WHERE kind='source' AND id IN (SELECT DISTINCT source FROM intake_day) ORDER BY id",
        )
        .all()
        .map(({ name }) => String(name)),
  };
}
