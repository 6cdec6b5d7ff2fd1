import type { Languages } from '../registry.ts';
import type { MessageReader } from './mapper.ts';

/** A source as mapping knows it: plain data. */
export interface MappedSource {
  name: string;
  kind: string;
  /** The source name that is part of the keys of its records, where it continues another (config `continues`). */
  identity?: string;
  /** As its check made it. */
  profile: unknown;
}

/**
 * The sources, and those that are no longer configured and that exactly one of them continues: what came under such a name
 * and waits, or is held, is read as that one's. Where several continue it nobody can say whose rules are meant.
 */
export function withContinued(sources: readonly MappedSource[]): MappedSource[] {
  const names = new Set(sources.map(({ name }) => name));
  const gone = sources.filter(({ identity }) => identity !== undefined && !names.has(identity));
  const single = gone.filter(({ identity }) => gone.filter((other) => other.identity === identity).length === 1);
  return [...sources, ...single.map((source) => ({ ...source, name: source.identity ?? source.name }))];
}

/** Readers by source name, for all whose kind has a language, with the names they continue. */
export const compileReaders = (
  languages: Pick<Languages, 'profiles'>,
  sources: readonly MappedSource[],
): Map<string, MessageReader> =>
  new Map(
    withContinued(sources).flatMap(({ name, kind, identity, profile }) => {
      const language = languages.profiles.find((entry) => entry.sourceKinds.includes(kind));
      return language ? [[name, continuing(language.compile(profile), name, identity)] as const] : [];
    }),
  );

/** Its records have the keys they had under the other name, so that corrections find what they correct. */
const continuing = (reader: MessageReader, name: string, identity = name): MessageReader =>
  identity === name
    ? reader
    : { ...reader, read: (raw, context) => reader.read(raw, { ...context, source: identity }) };
