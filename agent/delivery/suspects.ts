import type { OutboxDocument } from '../store/contract.ts';

/**
 * Documents whose request failed as a whole although the platform was reached: a platform that dies of
 * one document (or a device on the way that cuts the line at its sight) must not block the others. Each
 * such failure halves the company the document may be sent in, until it stands alone and harms no one.
 * Kept in memory only: it is a hint, and a restart starts without prejudice.
 */
export interface Suspects<D extends { n: number } = OutboxDocument> {
  failed(documents: readonly D[]): void;
  cleared(n: number): void;
  /** True when the document may be sent only alone. */
  alone(n: number): boolean;
  /** Requests to send, the unsuspected first and never together with a suspect. */
  group(documents: readonly D[]): D[][];
}

const mostRemembered = 10_000;

export function createSuspects<D extends { n: number } = OutboxDocument>(): Suspects<D> {
  const company = new Map<number, number>();
  return {
    failed(documents) {
      if (company.size > mostRemembered) company.clear();
      for (const { n } of documents) {
        company.set(n, Math.max(1, Math.floor(Math.min(company.get(n) ?? Infinity, documents.length) / 2)));
      }
    },
    cleared: (n) => void company.delete(n),
    alone: (n) => company.get(n) === 1,
    group(documents) {
      const innocent = documents.filter(({ n }) => !company.has(n));
      const groups = innocent.length > 0 ? [innocent] : [];
      const suspects = documents
        .map((document) => ({ document, allowed: company.get(document.n) ?? 0 }))
        .filter(({ allowed }) => allowed > 0)
        .sort((a, b) => b.allowed - a.allowed);
      let open: D[] = [];
      for (const { document, allowed } of suspects) {
        if (open.length > 0 && open.length + 1 > allowed) {
          groups.push(open);
          open = [];
        }
        open.push(document);
      }
      if (open.length > 0) groups.push(open);
      return groups;
    },
  };
}
