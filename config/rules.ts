import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { message } from './messages.ts';
import { type Config, reservedNames } from './schema.ts';
import type { SchemaIssue } from './schema-issues.ts';
import { suggest } from './suggest.ts';

/** What no schema can say because it concerns several entries at once. `folder` is that of the file. */
export function checkRules(config: Config, folder: string): SchemaIssue[] {
  return [
    ...checkNames(config),
    ...checkFilters(config),
    ...checkPorts(config),
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
  const lists = { sources: config.sources, platforms: config.platforms };
  return Object.entries(lists).flatMap(([list, entries]) =>
    entries.flatMap((entry, index) => {
      const path = [list, index, 'name'];
      if (reservedNames.includes(String(entry.name))) return [wrong(path, message.nameReserved())];
      if (seen.has(entry.name)) return [wrong(path, message.nameTaken())];
      seen.add(entry.name);
      return [];
    }),
  );
}

function checkFilters(config: Config): SchemaIssue[] {
  const names = config.sources.map((source) => String(source.name));
  return config.platforms.flatMap((platform, p) => {
    const wanted = (platform.filters as { sources?: string[] } | undefined)?.sources ?? [];
    return wanted.flatMap((name, s) =>
      names.includes(name)
        ? []
        : [wrong(['platforms', p, 'filters', 'sources', s], message.noSuchSource(suggest(name, names)))],
    );
  });
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

/** CFG-5011: a listener that the network can reach must say whom it expects. */
function checkPeers(config: Config): SchemaIssue[] {
  return config.sources.flatMap((source, index) => {
    const { host } = source;
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
  const between = relative(data, key);
  const outside = between === '..' || between.startsWith(`..${sep}`) || resolve(data, between) !== join(data, between);
  return outside ? [] : [{ code: 'CFG-5006', path: ['data', 'key'], atKey: false, message: message.keyInData() }];
}

/** The real path of the part that exists, with the rest appended. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
