/** What was decided about one content of one path, as a number from 1 to 255. */
export type Decision = number;

/** Names a content of a path without telling it: 16 bytes, of which the last is free for the decision. */
export type SeenKey = Uint8Array;

export const entryBytes = 16;

/**
 * Open addressing in one typed array, four words an entry, whose last byte is the decision (0: free).
 * A Map of a million strings would cost ten times as much.
 */
export function createKeyTable() {
  let slots = 1024;
  let words = new Uint32Array(slots * 4);
  let present = new Uint8Array(slots);
  let count = 0;

  const word = (key: SeenKey, i: number): number =>
    ((key[i * 4] ?? 0) |
      ((key[i * 4 + 1] ?? 0) << 8) |
      ((key[i * 4 + 2] ?? 0) << 16) |
      ((key[i * 4 + 3] ?? 0) << 24)) >>>
    0;
  const at = (slot: number, i: number): number => words[slot * 4 + i] ?? 0;
  const decision = (slot: number): Decision => at(slot, 3) >>> 24;
  const find = (a: number, b: number, c: number, d: number): number => {
    let slot = a & (slots - 1);
    while (decision(slot) !== 0) {
      if (at(slot, 0) === a && at(slot, 1) === b && at(slot, 2) === c && (at(slot, 3) & 0xffffff) === d) return slot;
      slot = (slot + 1) & (slots - 1);
    }
    return slot;
  };
  const put = (a: number, b: number, c: number, d: number, what: Decision, isPresent: number) => {
    const slot = find(a, b, c, d);
    if (decision(slot) === 0) count += 1;
    words[slot * 4] = a;
    words[slot * 4 + 1] = b;
    words[slot * 4 + 2] = c;
    words[slot * 4 + 3] = (d | (what << 24)) >>> 0;
    present[slot] = isPresent;
  };
  const rebuild = (newSlots: number, keep: (slot: number) => boolean) => {
    const [oldWords, oldPresent, oldSlots] = [words, present, slots];
    const kept: number[] = [];
    for (let slot = 0; slot < oldSlots; slot++) if (decision(slot) !== 0 && keep(slot)) kept.push(slot);
    slots = newSlots;
    words = new Uint32Array(slots * 4);
    present = new Uint8Array(slots);
    count = 0;
    const old = (slot: number, i: number) => oldWords[slot * 4 + i] ?? 0;
    for (const slot of kept) {
      const last = old(slot, 3);
      put(old(slot, 0), old(slot, 1), old(slot, 2), last & 0xffffff, last >>> 24, oldPresent[slot] ?? 0);
    }
  };

  return {
    count: () => count,
    get(key: SeenKey): Decision {
      const slot = find(word(key, 0), word(key, 1), word(key, 2), word(key, 3) & 0xffffff);
      const what = decision(slot);
      if (what !== 0) present[slot] = 1;
      return what;
    },
    set(key: SeenKey, what: Decision) {
      if ((count + 1) * 4 > slots * 3) rebuild(slots * 2, () => true);
      put(word(key, 0), word(key, 1), word(key, 2), word(key, 3) & 0xffffff, what, 1);
    },
    forget(key: SeenKey) {
      let hole = find(word(key, 0), word(key, 1), word(key, 2), word(key, 3) & 0xffffff);
      if (decision(hole) === 0) return;
      count -= 1;
      // Those behind the hole move up where they may, or a search would stop at the hole before it finds them.
      for (let slot = (hole + 1) & (slots - 1); decision(slot) !== 0; slot = (slot + 1) & (slots - 1)) {
        const home = at(slot, 0) & (slots - 1);
        if (((slot - home) & (slots - 1)) < ((slot - hole) & (slots - 1))) continue;
        words.copyWithin(hole * 4, slot * 4, slot * 4 + 4);
        present[hole] = present[slot] ?? 0;
        hole = slot;
      }
      words.fill(0, hole * 4, hole * 4 + 4);
    },
    clearPresent: () => void present.fill(0),
    countPresent(): number {
      let n = 0;
      for (let slot = 0; slot < slots; slot++) if (decision(slot) !== 0 && present[slot] === 1) n += 1;
      return n;
    },
    keepPresent(presentCount: number) {
      let fitting = 1024;
      while (fitting * 3 < presentCount * 4 * 2) fitting *= 2;
      rebuild(fitting, (slot) => present[slot] === 1);
    },
    /** All entries as they are written, 16 bytes each. */
    entries(): Uint8Array {
      const bytes = new Uint8Array(count * entryBytes);
      const view = new DataView(bytes.buffer);
      let used = 0;
      for (let slot = 0; slot < slots; slot++) {
        if (decision(slot) === 0) continue;
        for (let i = 0; i < 4; i++) view.setUint32(used + i * 4, at(slot, i), true);
        used += entryBytes;
      }
      return bytes;
    },
  };
}
