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
      }),
    ),
  ]);

const own = ({ name, profileText, profilePath, profileAt }: LoadedSender) => ({
  name,
  profileText,
  profilePath,
  profileAt,
});
