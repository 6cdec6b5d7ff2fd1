import assert from 'node:assert/strict';
import type { PatientState } from '../../../agent/clinical/patients/types.ts';
import type { ReportState } from '../../../agent/clinical/reports/types.ts';
import type { Operation, Verdict } from '../../../agent/store/contract.ts';

/**
 * The store as DESIGN.md's invariants 3–6 and agent/store/contract.ts promise it, in memory and without a
 * thought of speed. It knows no table and no file; test/faults/store/walk.ts holds the real one against it.
 * What rendering does to it is in model-rendering.ts, its books are in model-books.ts.
 */
export type ModelPart =
  | { kind: 'record'; jseqs: number[] }
  | { kind: 'waiting'; report: string; dueMs?: number; awaits?: string }
  | { kind: 'filtered' | 'absorbed' | 'quarantined' };

export interface ModelMessage {
  seq: number;
  source: string;
  /** Local day of its arrival, and what stands for its bytes. */
  day: number;
  content: string;
  control: string;
  /** Undefined while it is unmapped. */
  parts?: ModelPart[];
}

export interface ModelEntry {
  jseq: number;
  seq: number;
  report: string;
  version: number;
  action: 'publish' | 'retract';
  lane: string;
}

/** `parent`: the platform wants another document first. */
type DocumentState = 'ready' | 'parent' | 'received' | 'accepted' | 'refused' | 'cancelled' | 'behind';
export interface ModelDocument {
  n: number;
  platform: string;
  jseq: number;
  report: string;
  operation: Operation;
  lane: string;
  /** Place in the lane; a retraction takes the place of what it withdraws. */
  place: number;
  state: DocumentState;
  attempts: number;
  /** The platform has it or may have it. */
  mayHold: boolean;
  /** By its last attempt only: all before were sent back for its parent. */
  byLast: boolean;
  dueMs: number;
  text: string;
  key?: string;
}

export interface ModelPlatform {
  /** Journal position at which it joined: what came before is not its business. */
  start: number;
  cursor: number;
  /** Entries that made no document. */
  made: Map<number, 'filtered' | 'held' | 'absorbed'>;
}

export type ModelRendered = { jseq: number; made: 'filtered' | 'held' | { text: string } };

/** It may still be sent. */
export const isOpen = (d: ModelDocument): boolean => ['ready', 'parent', 'received'].includes(d.state);

export class StoreModel {
  messages = new Map<number, ModelMessage>();
  /** In the order in which they were first told of. */
  reports = new Map<string, ReportState>();
  patients = new Map<string, PatientState>();
  retransmissions = new Map<string, number>();
  journal: ModelEntry[] = [];
  documents = new Map<number, ModelDocument>();
  platforms = new Map<string, ModelPlatform>();
  /** platform → numbers claimed and not settled. In memory of the running store only. */
  flights = new Map<string, Set<number>>();
  mappedThrough = 0;
  highestN = 0;
  /** Attempts ever begun. */
  attempts = 0;

  clone(): StoreModel {
    return Object.assign(new StoreModel(), structuredClone({ ...this }));
  }

  join(platform: string): void {
    if (this.platforms.has(platform)) return;
    const at = this.journal.length;
    this.platforms.set(platform, { start: at, cursor: at, made: new Map() });
  }
  platform(name: string): ModelPlatform {
    const found = this.platforms.get(name);
    if (!found) throw new Error(`no platform ${name}`);
    return found;
  }
  flight(platform: string): Set<number> {
    const flight = this.flights.get(platform) ?? new Set();
    this.flights.set(platform, flight);
    return flight;
  }
  restarted(): void {
    this.flights.clear();
  }

  /** Attempts were lost with a tail: the platform may have whatever is open (invariant 6). */
  attemptsForgotten(attempts: number): void {
    this.attempts = attempts;
    for (const d of this.documents.values()) if (isOpen(d)) Object.assign(d, { mayHold: true, byLast: false });
  }

  /** What the answer must be; the number of a new message is the store's, as long as it is higher than all before. */
  accept(source: string, content: string, control: string, day: number): { known?: number; reused: boolean } {
    const before = [...this.messages.values()].filter((m) => m.source === source);
    const known = before.find((m) => m.content === content);
    if (known) {
      const key = `${day} ${source}`;
      this.retransmissions.set(key, (this.retransmissions.get(key) ?? 0) + 1);
      return { known: known.seq, reused: false };
    }
    return { reused: control !== '' && before.some((m) => m.control === control) };
  }
  stored(message: ModelMessage): void {
    this.messages.set(message.seq, message);
  }

  entry(jseq: number): ModelEntry {
    const entry = this.journal[jseq - 1];
    if (!entry) throw new Error(`no entry ${jseq}`);
    return entry;
  }
  /** Invariant 6: from the moment its retraction is in the journal a document is known to be wrong. */
  withdrawn(document: { jseq: number; report: string; operation: Operation }): boolean {
    const { jseq, report, operation } = document;
    return (
      operation !== 'retract' &&
      this.journal.some((e) => e.report === report && e.action === 'retract' && e.jseq > jseq)
    );
  }
  record(entry: ModelEntry): void {
    this.journal.push(entry);
    if (entry.action !== 'retract') return;
    for (const d of this.documents.values()) {
      if (d.report !== entry.report || d.operation === 'retract') continue;
      if (['ready', 'parent', 'behind'].includes(d.state)) d.state = 'cancelled';
    }
  }
  /** Parts whose time has come, or whose patient somebody told of. */
  duePart(part: ModelPart, nowMs: number): boolean {
    return part.kind === 'waiting' && part.dueMs !== undefined && part.dueMs <= nowMs;
  }
  /** `but`: what the same batch decided again and waits on, having known what it told. */
  told(patient: PatientState, but: Set<ModelPart>): void {
    this.patients.set(patient.patientKey, patient);
    for (const { parts } of this.messages.values()) {
      for (const part of parts ?? []) {
        if (part.kind !== 'waiting' || part.awaits !== patient.patientKey || but.has(part)) continue;
        part.dueMs = 0;
        part.awaits = undefined;
      }
    }
  }
  absorb(seq: number, part: number): void {
    const parts = this.messages.get(seq)?.parts;
    if (parts?.[part]?.kind === 'waiting') parts[part] = { kind: 'absorbed' };
  }

  documentsOf(platform: string, report: string): ModelDocument[] {
    return [...this.documents.values()].filter((d) => d.platform === platform && d.report === report);
  }
  open(platform: string): ModelDocument[] {
    return [...this.documents.values()].filter((d) => d.platform === platform && isOpen(d));
  }
  /** An older version has to leave first: one that waits for its parent, or lies in another patient's lane. */
  blocked(document: ModelDocument): boolean {
    const { platform, report, n, lane } = document;
    const flight = this.flight(platform);
    return this.documentsOf(platform, report).some(
      (d) => d.n < n && (d.lane === lane ? d.state === 'parent' : isOpen(d) || flight.has(d.n)),
    );
  }
  busy(platform: string): Set<string | undefined> {
    return new Set([...this.flight(platform)].map((n) => this.documents.get(n)?.lane));
  }
  /** Invariant 5: the first of each lane in which nothing is in flight, oldest number first. */
  heads(platform: string): ModelDocument[] {
    const busy = this.busy(platform);
    const heads = new Map<string, ModelDocument>();
    for (const d of this.open(platform)) {
      if (busy.has(d.lane) || d.state === 'parent' || this.blocked(d)) continue;
      const head = heads.get(d.lane);
      if (!head || d.place < head.place) heads.set(d.lane, d);
    }
    return [...heads.values()].sort((a, b) => a.n - b.n);
  }
  nextDue(platform: string): number | undefined {
    const busy = this.busy(platform);
    const parked = this.open(platform).filter((d) => d.state === 'parent' && !busy.has(d.lane));
    const dues = [...this.heads(platform), ...parked].map((d) => d.dueMs);
    return dues.length > 0 ? Math.min(...dues) : undefined;
  }
  /** Which of the heads that are due go first is free, for a while: any of them, as many as there is room for. */
  claim(platform: string, numbers: number[], max: number, maxBytes: number, nowMs: number): ModelDocument[] {
    for (const d of this.open(platform)) if (d.state === 'parent' && d.dueMs <= nowMs) d.state = 'ready';
    const due = this.heads(platform).filter((d) => d.dueMs <= nowMs);
    const claimed = numbers.map((n) => {
      const found = due.find((d) => d.n === n);
      assert.ok(found, `${n} is no head that is due`);
      return found;
    });
    const sizeOf = (d: ModelDocument) => Buffer.byteLength(d.text);
    const bytes = claimed.reduce((sum, d) => sum + sizeOf(d), 0);
    assert.ok(claimed.length <= max && (bytes <= maxBytes || claimed.length === 1), 'not more than there is room for');
    const left = due.filter((d) => !claimed.includes(d));
    const full = claimed.length === max || (claimed.length > 0 && left.some((d) => bytes + sizeOf(d) > maxBytes));
    assert.ok(left.length === 0 || full, 'as many as there is room for');
    for (const d of claimed) {
      this.flight(platform).add(d.n);
      if (d.state === 'ready') {
        d.byLast = !d.mayHold;
        d.mayHold = true;
        d.attempts += 1;
        this.attempts += 1;
      }
    }
    return claimed;
  }

  settle(platform: string, verdicts: Verdict[]): void {
    for (const v of verdicts) {
      this.flight(platform).delete(v.n);
      const d = this.documents.get(v.n);
      // What is closed stays closed, whatever comes twice or late.
      if (!d || !isOpen(d)) continue;
      switch (v.outcome) {
        case 'accepted':
          Object.assign(d, { state: 'accepted', mayHold: true, byLast: false });
          // It may be the parent that others of the lane wait for.
          for (const o of this.open(platform)) {
            if (o.state === 'parent' && o.lane === d.lane) Object.assign(o, { state: 'ready', dueMs: 0 });
          }
          break;
        case 'received':
          Object.assign(d, { state: 'received', dueMs: v.retryAtMs });
          if (!d.mayHold) Object.assign(d, { mayHold: true, byLast: false });
          break;
        case 'refused':
          this.refuse(d);
          break;
        default: {
          d.dueMs = v.retryAtMs;
          if (this.withdrawn(d)) d.state = 'cancelled';
          else if (v.outcome === 'retry') d.state = 'ready';
          else this.sendBack(d);
        }
      }
    }
  }
  /** It was not taken. Issued again in another patient's lane since, it needs not go out in the old one. */
  sendBack(d: ModelDocument): void {
    const tookNothing = d.state !== 'received' && d.byLast;
    d.state = 'parent';
    if (!tookNothing) return;
    d.mayHold = false;
    const later = this.documentsOf(d.platform, d.report).filter((o) => o.n > d.n && o.lane !== d.lane);
    const isIssued = later.some((o) => o.operation !== 'retract' && o.state === 'ready');
    if (isIssued && d.operation !== 'retract') d.state = 'cancelled';
  }
  /** Invariant 5: later versions of the report wait behind it, up to a retraction, after which all begins anew. */
  refuse(d: ModelDocument): void {
    d.mayHold = d.mayHold && !d.byLast;
    d.state = this.withdrawn(d) ? 'cancelled' : 'refused';
    if (d.state !== 'refused') return;
    const later = this.documentsOf(d.platform, d.report).filter((o) => o.n > d.n);
    const end = later.find((o) => o.operation === 'retract')?.n ?? Infinity;
    for (const o of later) if (o.n < end && (o.state === 'ready' || o.state === 'parent')) o.state = 'behind';
  }
}
