import { table } from '../../long/figures.ts';
import type { KillResult } from './kills.ts';

/** The figures of a run, for t.comment. */
export const describeKills = (kills: number, seed: number, { sent, ...result }: KillResult): string =>
  table(`kill -9 in receive and upload: ${kills} kills, ${result.early} of them while it was starting, seed ${seed}`, [
    ['images answered for by C-STORE', sent.acknowledged.size],
    ['  sent again after a broken association', sent.repeated],
    ['files dropped', sent.dropped.size],
    ['bytes', `${Math.round(sent.bytes / 1e6)} MB`],
    ['studies', sent.studies.size],
    ['Orthanc stopped and started', result.orthancStops],
    ['finished files nobody was answered for, set aside', result.setAside],
    [
      'last kill, last answer, last upload, all counted',
      Object.values(result.took)
        .map((s) => s.toFixed(1))
        .join(' · '),
    ],
  ]);
