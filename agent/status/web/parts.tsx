import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Level } from '../model.ts';
import type { Text } from '../text.ts';
import { ago, duration, instant } from './format.ts';
import { text } from './language.ts';
import { model, nowMs } from './live.ts';

const shapes: Record<Level, string> = {
  ok: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z',
  attention: 'M8 1.5 15 14H1Z',
  fault: 'M2 2h12v12H2Z',
  unknown: 'M8 1.2 14.8 8 8 14.8 1.2 8Z',
  paused: 'M3 2h4v12H3ZM9 2h4v12H9Z',
};

/** The shape of a state; always beside its word, so it says nothing to a screen reader. */
export function Shape({ level }: { level: Level }) {
  return (
    <svg class={`shape is-${level}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[level]} />
    </svg>
  );
}

export const levelWord = (words: Text, level: Level): string =>
  ({
    ok: words.levelOk,
    attention: words.levelAttention,
    fault: words.levelFault,
    unknown: words.levelUnknown,
    paused: words.levelPaused,
  })[level];

/** Shape and word. */
export function State({ level, children }: { level: Level; children: ComponentChildren }) {
  return (
    <span class={`state is-${level}`}>
      <Shape level={level} />
      <span>{children}</span>
    </span>
  );
}

const zone = (): string => model.value?.site.timeZone ?? 'Asia/Shanghai';

/** An exact moment in the site's zone; the offset shows on hover. `part` leaves the date out. */
export function Moment({ at, part = 'both' }: { at: number; part?: 'both' | 'time' }) {
  const { date, time, offset } = instant(at, zone());
  return (
    <time dateTime={new Date(at).toISOString()} title={`${date} ${time} ${offset}`}>
      {part === 'time' ? time : `${date} ${time}`}
    </time>
  );
}

/** How long ago; stands still while the data is stale. */
export function Ago({ at }: { at: number }) {
  return <>{ago(text.value, nowMs.value - at)}</>;
}

export function Lasting({ since }: { since: number }) {
  return <>{duration(text.value, nowMs.value - since)}</>;
}

/** Age first, the exact time beneath. */
export function AgeAndTime({ at }: { at: number }) {
  return (
    <span class="stacked">
      <span>
        <Ago at={at} />
      </span>
      <small class="number">
        <Moment at={at} />
      </small>
    </span>
  );
}

/** Nothing here, and why that is so. */
export function Empty({ what, why }: { what: string; why?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{what}</p>
      {why === undefined ? null : <p class="muted">{why}</p>}
    </div>
  );
}

/** Rows stay where they are while the mouse is over them. */
export function useHold(): {
  holding: boolean;
  area: { onPointerEnter(e: PointerEvent): void; onPointerLeave(): void };
} {
  const [holding, setHolding] = useState(false);
  return {
    holding,
    area: {
      onPointerEnter: (e) => setHolding(e.pointerType === 'mouse'),
      onPointerLeave: () => setHolding(false),
    },
  };
}

/** The rows in their own order, or while held in the order they had, new ones at the end. */
export function useHeldOrder<T>(rows: T[], keyOf: (row: T) => string, holding: boolean): T[] {
  const last = useRef<string[]>([]);
  const place = (row: T): number => {
    const at = last.current.indexOf(keyOf(row));
    return at < 0 ? last.current.length : at;
  };
  const ordered = holding ? [...rows].sort((a, b) => place(a) - place(b)) : rows;
  last.current = ordered.map(keyOf);
  return ordered;
}
