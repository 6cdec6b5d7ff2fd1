import type { PatientState } from '../../../agent/clinical/patients/types.ts';
import type { ReportState } from '../../../agent/clinical/reports/types.ts';
import type {
  InboxMessage,
  MappedMessage,
  MappingBatch,
  MappingStore,
  Part,
  RecordEntry,
} from '../../../agent/store/contract.ts';
import { phi } from '../../../agent/support/phi.ts';

/** A mapping store in memory, for thousands of random histories: as the contract says, and nothing else. */
export function memoryStore() {
  const messages: InboxMessage[] = [];
  const reports = new Map<string, string>();
  const patients = new Map<string, string>();
  const parts = new Map<string, Part & { due?: number; awaits?: string }>();
  const journal: RecordEntry[] = [];
  let through = 0;

  const isOpen = (key: string, nowMs: number): boolean => {
    const part = parts.get(key);
    return part?.kind === 'quarantined' || (part?.due ?? Number.POSITIVE_INFINITY) <= nowMs;
  };
  const keysOf = (seq: number): string[] => [...parts.keys()].filter((key) => key.startsWith(`${seq}:`));
  const open = (wanted: (part: Part & { due?: number }) => boolean, after: number, count: number, nowMs: number) => {
    const found = messages.filter(({ seq }) => seq > after && keysOf(seq).some((key) => wanted(parts.get(key)!)));
    return found.slice(0, count).map((message) => ({
      message,
      keep: keysOf(message.seq).flatMap((key) => (isOpen(key, nowMs) ? [] : [Number(key.split(':')[1])])),
    }));
  };
  const absorb = (keys: string[]): void => {
    for (const key of keys)
      if (parts.get(key)?.kind === 'waiting') parts.set(key, { kind: 'absorbed', reason: 'replaced' });
  };
  const write = (message: MappedMessage): void => {
    if (message.keep)
      for (const key of keysOf(message.seq)) if (!message.keep.includes(Number(key.split(':')[1]))) parts.delete(key);
    message.parts.forEach((part, i) => {
      if (message.keep?.includes(i)) return;
      parts.set(`${message.seq}:${i}`, part.kind === 'waiting' ? { ...part, due: part.dueMs } : part);
      if (part.kind === 'record') journal.push(...part.entries);
      if (part.kind === 'record' || part.kind === 'absorbed') absorb(part.absorbs ?? []);
    });
  };

  const store: MappingStore = {
    inbox: (after, count) => messages.filter(({ seq }) => seq > after).slice(0, count),
    mappedThrough: () => through,
    report: (key) => parse<ReportState>(reports.get(key)),
    reportsOf: (key) =>
      [...reports.values()]
        .map((text) => JSON.parse(text) as ReportState)
        .filter(({ patientKey }) => patientKey === key),
    patient: (key) => parse<PatientState>(patients.get(key)),
    *due(nowMs, count) {
      const isDue = (part: { due?: number }) => (part.due ?? Number.POSITIVE_INFINITY) <= nowMs;
      for (const { message } of open(isDue, 0, count, nowMs)) {
        const [found] = open(isDue, message.seq - 1, 1, nowMs);
        if (found?.message.seq === message.seq) yield found;
      }
    },
    partsOf: (seq, reportKey) =>
      keysOf(seq).flatMap((key) => {
        const part = parts.get(key);
        const isOf = part?.kind === 'record' && part.entries.some((e) => (reportKey ?? e.reportKey) === e.reportKey);
        return isOf ? [Number(key.split(':')[1])] : [];
      }),
    quarantined: (_, after, count) => open(({ kind }) => kind === 'quarantined', after, count, -1),
    marked: () => undefined,
    async commitMapping(batch: MappingBatch) {
      batch.messages.forEach(write);
      for (const state of batch.reports) reports.set(state.reportKey, JSON.stringify(state));
      for (const state of batch.patients ?? []) {
        patients.set(state.patientKey, JSON.stringify(state));
        for (const part of parts.values())
          if ((part.kind === 'waiting' || part.kind === 'quarantined') && part.awaits === state.patientKey)
            part.due = 0;
      }
      through = batch.through ?? through;
    },
  };
  return {
    store,
    journal,
    parts,
    receive: (text: string, receivedMs: number) =>
      void messages.push({ seq: messages.length + 1, source: 'lis', receivedMs, raw: phi(Buffer.from(text)) }),
    states: () => [...reports.values()].map((text) => JSON.parse(text) as ReportState),
  };
}

const parse = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T);
