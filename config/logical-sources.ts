import type { LoadedConfig, LoadedSender, LoadedSource } from './load.ts';
import type { Position } from './yaml-document.ts';

/** A name under which messages are stored, mapped and counted: a source, or a sender told apart within one. */
export interface LogicalSource {
  name: string;
  kind: string;
  profileText: string;
  profilePath: string;
  /** Where its profile is named in the configuration. */
  profileAt: Position & { path: string };
  /** The source it comes in through; undefined for a source itself. */
  via?: LoadedSource;
  /** The name that is part of the identity of its reports: its own, or the one it continues. */
  identity: string;
  /** Said to be a system that sent nothing before (`continues: none`). */
  isNew?: boolean;
}

/** Every logical source, each source before its senders. */
export const logicalSources = ({ sources }: Pick<LoadedConfig, 'sources'>): LogicalSource[] =>
  sources.flatMap((source): LogicalSource[] => [
    { ...own(source), kind: source.kind, identity: source.name },
    ...source.senders.map(
      (sender): LogicalSource => ({
        ...own(sender),
        kind: source.kind,
        via: source,
        identity: sender.continues ?? sender.name,
        ...(sender.isNew && { isNew: true }),
      }),
    ),
  ]);

const own = ({ name, profileText, profilePath, profileAt }: LoadedSender) => ({
  name,
  profileText,
  profilePath,
  profileAt,
});

/**
 * Senders told apart now, of which nothing came under their own name yet, where messages came through the same source before,
 * or under a name that is gone and that nobody continues: perhaps theirs, and without `continues` a correction of those would
 * be a second report. Not those of which it is said that they are new.
 */
export function parted(
  named: readonly LogicalSource[],
  store: { unused: readonly string[]; former: readonly string[] },
): string[] {
  const left = store.former.some((name) => !named.some(({ identity }) => identity === name));
  const isUsed = ({ name }: { name: string }) => !store.unused.includes(name);
  return named.flatMap((source) => {
    const { name, via, identity, isNew } = source;
    if (!via || isNew || identity !== name || isUsed(source)) return [];
    const beside = named.some((other) => other.via === via && isUsed(other));
    return left || beside || isUsed(via) ? [name] : [];
  });
}
