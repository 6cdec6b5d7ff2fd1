/**
 * How many of the last messages of a source are remembered to recognise a retransmission: more than one frame can hold (a
 * batch of 10,000), for a sender that got no answer repeats all of it.
 */
export const RETRANSMISSION_WINDOW = 12_288;

/** What is kept in memory of a MAC of 32 bytes: two that begin alike would need 2^64 messages. */
const KEPT_BYTES = 16;
const BUCKETS = 4_096;
const FIRST_SIZE = 256;

/**
 * The last messages of one source in memory, by slot of its ring. Plain bytes outside the heap, grown as the ring fills:
 * some 0.6 MB when full.
 */
export interface RetransmissionRing {
  /** The slot the next message takes. */
  next: number;
  /** `seq` of the newest message in the ring with this content. */
  seqOf(content: Uint8Array): number | undefined;
  hasControl(control: Uint8Array): boolean;
  /** Takes the place of what was in the slot. An empty control id is never found. */
  put(slot: number, seq: number, control: Uint8Array, content: Uint8Array): void;
}

export function makeRetransmissionRing(): RetransmissionRing {
  let seqs = new Float64Array(FIRST_SIZE);
  const contents = slotsByMac();
  const controls = slotsByMac();
  return {
    next: 0,
    seqOf(content) {
      const slot = contents.find(content);
      return slot === undefined ? undefined : seqs[slot];
    },
    hasControl: (control) => control.length > 0 && controls.find(control) !== undefined,
    put(slot, seq, control, content) {
      if (slot >= seqs.length) {
        const grown = new Float64Array(sizeFor(slot));
        grown.set(seqs);
        seqs = grown;
      }
      seqs[slot] = seq;
      contents.put(slot, content);
      controls.put(slot, control);
    },
  };
}

const sizeFor = (slot: number): number => {
  let size = FIRST_SIZE;
  while (size <= slot) size *= 2;
  return Math.min(size, RETRANSMISSION_WINDOW);
};

/** A hash table of slots, each bucket a chain, the one put last in front. Slots count from 1 in it: 0 ends a chain. */
function slotsByMac() {
  let macs = Buffer.alloc(FIRST_SIZE * KEPT_BYTES);
  let after = new Uint16Array(FIRST_SIZE);
  const first = new Uint16Array(BUCKETS);
  const bucketOf = (mac: Uint8Array, from = 0): number => (((mac[from] ?? 0) << 8) | (mac[from + 1] ?? 0)) % BUCKETS;
  const drop = (slot: number): void => {
    const bucket = bucketOf(macs, slot * KEPT_BYTES);
    const next = after[slot] ?? 0;
    if (first[bucket] === slot + 1) first[bucket] = next;
    for (let at = first[bucket] ?? 0; at > 0; at = after[at - 1] ?? 0)
      if (after[at - 1] === slot + 1) after[at - 1] = next;
  };
  return {
    find(mac: Uint8Array): number | undefined {
      for (let at = first[bucketOf(mac)] ?? 0; at > 0; at = after[at - 1] ?? 0) {
        const from = (at - 1) * KEPT_BYTES;
        if (macs.compare(mac, 0, KEPT_BYTES, from, from + KEPT_BYTES) === 0) return at - 1;
      }
      return undefined;
    },
    put(slot: number, mac: Uint8Array): void {
      const size = sizeFor(slot);
      if (size > after.length) {
        const grown = Buffer.alloc(size * KEPT_BYTES);
        grown.set(macs);
        macs = grown;
        const longer = new Uint16Array(size);
        longer.set(after);
        after = longer;
      }
      drop(slot);
      after[slot] = 0;
      macs.fill(0, slot * KEPT_BYTES, (slot + 1) * KEPT_BYTES);
      if (mac.length === 0) return;
      macs.set(mac.subarray(0, KEPT_BYTES), slot * KEPT_BYTES);
      const bucket = bucketOf(mac);
      after[slot] = first[bucket] ?? 0;
      first[bucket] = slot + 1;
    },
  };
}
