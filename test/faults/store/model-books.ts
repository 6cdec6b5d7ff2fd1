import type { State } from '../../../agent/store/contract.ts';
import type { ModelMessage, StoreModel } from './model.ts';

/** A message says several things: the state that needs most attention stands for it. */
const attention: State[] = ['quarantined', 'waiting', 'delivered', 'filtered', 'absorbed'];
const heaviest = (states: State[]): State => attention.find((s) => states.includes(s)) ?? 'absorbed';

function stateOfRecord(model: StoreModel, jseq: number, platform: string): State {
  const document = [...model.documents.values()].find((d) => d.jseq === jseq && d.platform === platform);
  switch (document?.state) {
    case undefined: {
      const made = model.platform(platform).made.get(jseq);
      return made === undefined ? 'waiting' : made === 'held' ? 'quarantined' : made;
    }
    case 'accepted':
      return 'delivered';
    case 'refused':
      return 'quarantined';
    case 'cancelled':
      return 'absorbed';
    default:
      return 'waiting';
  }
}

/** platform → state; '' is "none". Empty while unmapped. A platform that joined later has no part in what was before. */
export function booksOf(model: StoreModel, message: ModelMessage): Map<string, State> {
  const books = new Map<string, State>();
  if (!message.parts) return books;
  const others = message.parts.flatMap((p) => (p.kind === 'record' ? [] : [p.kind]));
  const records = message.parts.flatMap((p) => (p.kind === 'record' ? p.jseqs : []));
  if (records.length === 0) return books.set('', heaviest(others));
  for (const [name, { start }] of model.platforms) {
    const mine = records.filter((jseq) => jseq > start);
    if (mine.length > 0) {
      books.set(name, heaviest([...others, ...mine.map((jseq) => stateOfRecord(model, jseq, name))]));
    }
  }
  return books;
}
