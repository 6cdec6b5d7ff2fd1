import type { DeliveryStore, OutboxDocument, Verdict } from '../../../agent/store/contract.ts';

interface Row {
  document: OutboxDocument;
  state: 'ready' | 'received' | 'accepted' | 'refused' | 'behind';
  dueMs: number;
  inFlight: boolean;
  code?: string;
  attempts: number;
}

/** The DeliveryStore contract in memory, with the lane rules of invariant 5. Breaches are collected in `breaches`. */
export class MemoryStore implements DeliveryStore {
  readonly rows = new Map<number, Row>();
  readonly breaches: string[] = [];
  readonly verdicts: Verdict[] = [];
  /** Set to make the next writes fail. */
  failing = 0;

  add(...documents: OutboxDocument[]): void {
    for (const document of documents) {
      this.rows.set(document.n, { document, state: 'ready', dueMs: 0, inFlight: false, attempts: 0 });
    }
  }

  #heads(): Row[] {
    const lanes = new Map<string, Row>();
    const busy = new Set<string>();
    for (const row of [...this.rows.values()].sort((a, b) => a.document.n - b.document.n)) {
      if (row.state !== 'ready' && row.state !== 'received') continue;
      if (row.inFlight) busy.add(row.document.lane);
      if (!lanes.has(row.document.lane)) lanes.set(row.document.lane, row);
    }
    return [...lanes.values()].filter((row) => !busy.has(row.document.lane));
  }

  #mayFail(): void {
    if (this.failing > 0) {
      this.failing--;
      throw new Error('disk');
    }
  }

  async claim(_: string, max: number, maxBytes: number, nowMs: number): Promise<OutboxDocument[]> {
    this.#mayFail();
    const claimed: OutboxDocument[] = [];
    let bytes = 0;
    for (const row of this.#heads()) {
      if (row.dueMs > nowMs) continue;
      const size = row.document.bytes.reveal().length;
      if (claimed.length >= max || (claimed.length > 0 && bytes + size > maxBytes)) break;
      bytes += size;
      row.inFlight = true;
      if (row.state === 'ready') row.attempts++;
      claimed.push({ ...row.document, attempt: row.attempts, received: row.state === 'received' });
    }
    return claimed;
  }

  async withdrawn(): Promise<number[]> {
    return [];
  }

  async settle(_: string, verdicts: Verdict[]): Promise<void> {
    this.#mayFail();
    for (const verdict of verdicts) {
      const row = this.rows.get(verdict.n);
      if (!row?.inFlight) this.breaches.push(`settled ${verdict.n}, which is not claimed`);
      if (!row) continue;
      this.verdicts.push(verdict);
      row.inFlight = false;
      row.dueMs = 'retryAtMs' in verdict ? verdict.retryAtMs : 0;
      if ('code' in verdict) row.code = verdict.code;
      if (verdict.outcome === 'retry' || verdict.outcome === 'wait-for-parent') row.state = 'ready';
      else row.state = verdict.outcome;
      if (verdict.outcome === 'refused') {
        for (const other of this.rows.values()) {
          if (other.document.setId === row.document.setId && other.document.n > verdict.n) other.state = 'behind';
        }
      }
    }
  }

  async nextDueMs(): Promise<number | undefined> {
    const due = this.#heads().map((row) => row.dueMs);
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  /** What the store does when the agent starts again. */
  forgetFlights(): void {
    for (const row of this.rows.values()) row.inFlight = false;
  }

  count(state: Row['state']): number {
    return [...this.rows.values()].filter((row) => row.state === state).length;
  }
}
