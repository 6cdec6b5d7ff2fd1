import type { Registry } from '../agent/registry.ts';
import type { ConfigIssue } from './config-error.ts';
import type { LoadedConfig } from './load.ts';
import { logicalSources } from './logical-sources.ts';
import { message } from './messages.ts';
import type { Config } from './schema.ts';
import { suggest } from './suggest.ts';
import { parseTextOf } from './text-issues.ts';

/** Organisation codes of the site and of its further institutions. */
export const organisationCodesOf = ({ org_code, institutions }: Config['site']): string[] => [
  org_code,
  ...institutions.map((one) => one.org_code),
];

/**
 * MAP-3042: beside further institutions a source whose profile tells none apart. That may be right, for one that only the
 * site itself sends to; where another institution sends as well, its patients would be taken for the site's.
 */
export function organisationWarnings(
  loaded: LoadedConfig,
  registry: Registry,
  profiles: ReadonlyMap<string, unknown>,
): ConfigIssue[] {
  if (loaded.site.institutions.length === 0) return [];
  return logicalSources(loaded).flatMap(({ name, kind, profileAt }): ConfigIssue[] => {
    const language = registry.profiles.find(({ sourceKinds }) => sourceKinds.includes(kind));
    if (language?.organisations === undefined) return [];
    const warn = (text: ConfigIssue['message']): ConfigIssue[] => [
      { code: 'MAP-3042', file: loaded.path, ...profileAt, message: text },
    ];
    const said = language.organisations(profiles.get(name));
    if (said === undefined) return warn(message.allOwn());
    // Their numbers are the site's own numbers then, which no message of theirs shows.
    const withoutSite = said.numbers === 'shared' && !said.named.some(({ code }) => code === loaded.site.org_code);
    return withoutSite ? warn(message.sharedWithSite()) : [];
  });
}

/**
 * CFG-5009: a profile that maps to an institution the site does not have, or says of one that it shares numbers where
 * another profile says that it has its own: its registrations and its reports would not find each other.
 * @param profiles as their check made them.
 */
export function organisationIssues(
  loaded: LoadedConfig,
  registry: Registry,
  profiles: ReadonlyMap<string, unknown>,
): ConfigIssue[] {
  const known = organisationCodesOf(loaded.site);
  const numbersOf = new Map<string, { numbers: 'own' | 'shared'; by: string }>();
  return logicalSources(loaded).flatMap(({ name, kind, profileText, profilePath }) => {
    const profile = profiles.get(name);
    const language = registry.profiles.find(({ sourceKinds }) => sourceKinds.includes(kind));
    const said = profile === undefined ? undefined : language?.organisations?.(profile);
    const wrong = (said?.named ?? []).flatMap(({ path, code }) => {
      if (!known.includes(code)) return [{ path, text: message.noSuchOrganisation(suggest(code, known)) }];
      // The site's own numbers are what they are either way.
      if (said === undefined || code === loaded.site.org_code) return [];
      const other = numbersOf.get(code);
      if (other === undefined) numbersOf.set(code, { numbers: said.numbers, by: name });
      return other === undefined || other.numbers === said.numbers
        ? []
        : [{ path, text: message.numbersDiffer(said.numbers, other.by, other.numbers) }];
    });
    if (wrong.length === 0) return [];
    const { issue } = parseTextOf(profileText, profilePath, 'CFG-5009');
    return wrong.map(({ path, text }) => issue({ code: 'CFG-5009', path, atKey: false, message: text }));
  });
}
