import type { SenderStatus } from '../../../agent/intake/source.ts';
import type { FolderCodes } from './taking.ts';
import type { FolderFigures } from './tally.ts';

/** The folder as its own sender, so that page and alerts show its figures and what is held in it. */
export function asSender(figures: FolderFigures, passedMs: number, codes: FolderCodes): SenderStatus {
  // One code stands for all: first what a person can put right for all files at once.
  const first: string[] = [codes.unfinished, codes.unreadable, codes.notPutAway];
  const [worst] = Object.entries(figures.held).sort(([a], [b]) => first.indexOf(b) - first.indexOf(a));
  return {
    address: 'folder',
    messagesToday: figures.takenToday,
    ...(figures.lastFileMs === undefined ? {} : { lastMessageMs: figures.lastFileMs }),
    ...(worst === undefined ? {} : { problem: { code: worst[0], atMs: passedMs, count: worst[1] } }),
  };
}
