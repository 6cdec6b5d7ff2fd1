/**
 * The memory that unfinished large messages may take, over all connections of a listener (invariant 12).
 * Up to `freeBytes` every connection may hold without asking; beyond that it needs one of few permits,
 * so the total is bounded by connections × freeBytes + permits × largest message. Whoever holds a permit
 * can always finish, so no two wait for each other, and small messages never wait at all.
 */
export interface LargeFrames {
  /** Bytes of an unfinished message that need no permit. */
  freeBytes: number;
  /** True: `holder` has a permit now. False: it stands in line and `granted` is called when it gets one. */
  request(holder: object, peer: string, granted: () => void): boolean;
  /** Gives the permit back, or leaves the line. */
  release(holder: object): void;
}

export function createLargeFrames(budgetBytes: number, largestBytes: number, freeBytes: number): LargeFrames {
  const permits = Math.max(1, Math.floor(budgetBytes / largestBytes));
  // One peer never takes them all, if there are several.
  const perPeer = Math.max(1, permits - 1);
  const holders = new Map<object, string>();
  const line = new Map<object, { peer: string; granted: () => void }>();
  const free = (peer: string): boolean => {
    if (holders.size >= permits) return false;
    let own = 0;
    for (const other of holders.values()) if (other === peer) own += 1;
    return own < perPeer;
  };
  return {
    freeBytes,
    request(holder, peer, granted) {
      if (holders.has(holder)) return true;
      if (line.has(holder)) return false;
      if (free(peer)) {
        holders.set(holder, peer);
        return true;
      }
      line.set(holder, { peer, granted });
      return false;
    },
    release(holder) {
      line.delete(holder);
      if (!holders.delete(holder)) return;
      for (const [next, { peer, granted }] of line) {
        if (!free(peer)) continue;
        line.delete(next);
        holders.set(next, peer);
        granted();
      }
    },
  };
}
