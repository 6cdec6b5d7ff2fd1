import { resolve } from 'node:path';
import { checkFolders } from './check-folders.ts';
import { organisationCodesOf } from './check-organisations.ts';
import { checkSenders, wantedSources } from './check-senders.ts';
import { message } from './messages.ts';
import { isWithin, realPath } from './places.ts';
import { type Config, type Filters, reservedNames, sendersOf } from './schema.ts';
import type { SchemaIssue } from './schema-issues.ts';
import { suggest } from './suggest.ts';

/** What no schema can say because it concerns several entries at once. `folder` is that of the file. */
export function checkRules(config: Config, folder: string): SchemaIssue[] {
  return [
    ...checkNames(config),
    ...checkSenders(config),
    ...checkOrganisations(config),
    ...checkFilters(config),
    ...checkPorts(config),
    ...checkFolders(config, folder),
    ...checkPeers(config),
    ...checkKey(config, folder),
  ];
}

const wrong = (path: Array<string | number>, text: SchemaIssue['message']): SchemaIssue => ({
  code: 'CFG-5003',
  path,
  atKey: false,
  message: text,
});

function checkNames(config: Config): SchemaIssue[] {
  const seen = new Set<unknown>();
  const named = [...namedSources(config), ...config.platforms.map(({ name }, p) => ({ name, at: ['platforms', p] }))];
  return named.flatMap(({ name, at }) => {
    const path = [...at, 'name'];
    if (reservedNames.includes(String(name))) return [wrong(path, message.nameReserved())];
    if (seen.has(name)) return [wrong(path, message.nameTaken())];
    seen.add(name);
    return [];
  });
}

/** Every name under which messages come, with where its entry stands. */
const namedSources = (config: Config): Array<{ name: string; at: Array<string | number> }> =>
  config.sources.flatMap((source, s) => [
    { name: String(source.name), at: ['sources', s] },
    ...sendersOf(source).map(({ name }, n) => ({ name, at: ['sources', s, 'senders', n] })),
  ]);

function checkFilters(config: Config): SchemaIssue[] {
  const names = namedSources(config).map(({ name }) => name);
  return config.platforms.flatMap((platform, p) => {
    return wantedSources(platform).flatMap((name, s) =>
      names.includes(name)
        ? []
        : [wrong(['platforms', p, 'filters', 'sources', s], message.noSuchSource(suggest(name, names)))],
    );
  });
}

/** One code for each institution, and filters that name no other. */
function checkOrganisations({ site, platforms }: Config): SchemaIssue[] {
  const codes = organisationCodesOf(site);
  const taken = site.institutions.flatMap(({ org_code }, i) =>
    codes.indexOf(org_code) <= i ? [wrong(['site', 'institutions', i, 'org_code'], message.organisationTaken())] : [],
  );
  const strange = platforms.flatMap((platform, p) => {
    const wanted = (platform.filters as Filters | undefined)?.organisations ?? [];
    return wanted.flatMap((code, o) =>
      codes.includes(code)
        ? []
        : [wrong(['platforms', p, 'filters', 'organisations', o], message.noSuchOrganisation(suggest(code, codes)))],
    );
  });
  return [...taken, ...strange];
}

function checkPorts(config: Config): SchemaIssue[] {
  const taken: Array<{ port: unknown; host: unknown; by: string }> = [
    { port: config.status.port, host: config.status.host, by: 'status' },
  ];
  return config.sources.flatMap((source, index) => {
    if (typeof source.port !== 'number' || source.port === 0) return []; // 0 takes a free port
    const same = taken.find((other) => other.port === source.port && overlap(other.host, source.host));
    taken.push({ port: source.port, host: source.host, by: String(source.name) });
    return same === undefined ? [] : [wrong(['sources', index, 'port'], message.portTaken(same.by))];
  });
}

/** Two listeners collide when they share an address; a wildcard or unknown address shares all. */
const overlap = (a: unknown, b: unknown): boolean => {
  const any = (host: unknown) => typeof host !== 'string' || host === '0.0.0.0' || host === '::';
  return any(a) || any(b) || a === b;
};

/** CFG-5011: a listener that the network can reach must say whom it expects, or see a certificate (listening/listener.ts). */
function checkPeers(config: Config): SchemaIssue[] {
  return config.sources.flatMap((source, index) => {
    const { host } = source;
    const tls = source.tls as { client_certificates?: unknown } | undefined;
    if (tls?.client_certificates === 'required') return [];
    const loopback = host === 'localhost' || host === '::1' || /^127\./.test(String(host));
    if (typeof host !== 'string' || loopback || source.peers !== undefined) return [];
    return [{ code: 'CFG-5011', path: ['sources', index, 'host'], atKey: false, message: message.needsPeers() }];
  });
}

/** CFG-5006, also through `..` and symbolic links as far as the paths exist. */
function checkKey(config: Config, folder: string): SchemaIssue[] {
  if (!config.data.key.startsWith('file:')) return [];
  const key = realPath(resolve(folder, config.data.key.slice('file:'.length)));
  const data = realPath(resolve(folder, config.data.folder));
  if (!isWithin(data, key)) return [];
  return [{ code: 'CFG-5006', path: ['data', 'key'], atKey: false, message: message.keyInData() }];
}
