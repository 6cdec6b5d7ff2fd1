/**
 * Who is to blame when a document that stands alone is refused as a whole (400, 413, 422), without a word
 * about it: the document, or the platform, which may refuse everything while it is misconfigured. A
 * document is held for a person only when the platform has answered item by item, for any other, since it
 * first refused this one. Until then it waits; and when several in a row are refused so, uploads stop.
 * Kept in memory only: a restart asks for new evidence.
 */
export interface Doubts {
  /** The platform answered item by item. */
  answered(): void;
  /** These were refused together. */
  together(documents: ReadonlyArray<{ n: number }>): void;
  /** The platform has shown since that it takes others. */
  proven(n: number): boolean;
  /** Was refused alone before: it goes last, so that others can show whether the platform takes anything. */
  doubted(n: number): boolean;
  /** Refused alone and not proven. True when the platform is to blame. */
  alone(n: number): boolean;
  cleared(n: number): void;
}

/** After so many documents in a row were refused one by one without a word about any, the platform is at fault, not they. */
const inARowBelieved = 3;
const mostRemembered = 10_000;

export function createDoubts(): Doubts {
  let answers = 0;
  let inARow = 0;
  /** n → answers when it was first refused. */
  const refusedAt = new Map<number, number>();
  const stoodAlone = new Set<number>();
  const remember = (n: number): void => {
    if (refusedAt.size > mostRemembered) {
      refusedAt.clear();
      stoodAlone.clear();
    }
    if (!refusedAt.has(n)) refusedAt.set(n, answers);
  };
  return {
    answered() {
      answers++;
      inARow = 0;
    },
    together: (documents) => documents.forEach(({ n }) => void remember(n)),
    proven: (n) => answers > (refusedAt.get(n) ?? Infinity),
    doubted: (n) => stoodAlone.has(n),
    alone(n) {
      remember(n);
      stoodAlone.add(n);
      return ++inARow >= inARowBelieved;
    },
    cleared(n) {
      refusedAt.delete(n);
      stoodAlone.delete(n);
    },
  };
}
