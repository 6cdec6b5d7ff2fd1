import { BlockList, isIPv6 } from 'node:net';
import { message } from './messages.ts';
import { type Config, nobody, type Sender, sendersOf } from './schema.ts';
import type { SchemaIssue } from './schema-issues.ts';

/** CFG-5003, CFG-5015: what cannot be meant among the senders of a source. */
export function checkSenders(config: Config): SchemaIssue[] {
  const refused = config.sources.flatMap((source, s): SchemaIssue[] => {
    if (source.unlisted !== 'refuse' || sendersOf(source).length > 0) return [];
    return [{ code: 'CFG-5003', path: ['sources', s, 'unlisted'], atKey: false, message: message.refusesAll() }];
  });
  return [...refused, ...checkContinued(config)];
}

/** CFG-5015: the identity that is gone on with is one of its own. */
function checkContinued(config: Config): SchemaIssue[] {
  const senders = allSenders(config);
  return senders.flatMap(({ name, continues, path }) => {
    if (continues === undefined || continues === nobody) return [];
    const further = senders.find((other) => other.name === continues)?.continues;
    if (name !== continues && (further === undefined || further === nobody)) return [];
    return [{ code: 'CFG-5015', path: [...path, 'continues'], atKey: false, message: message.continuesWrong(further) }];
  });
}

/** What works and is perhaps not meant: CFG-5016, CFG-5017 and CFG-5018, as warnings. */
export function senderWarnings(config: Config): SchemaIssue[] {
  const names = config.sources.flatMap((source) => [String(source.name), ...sendersOf(source).map(({ name }) => name)]);
  return allSenders(config).flatMap((sender): SchemaIssue[] => {
    const { name, continues, path, source, before } = sender;
    const found: SchemaIssue[] = [];
    const warn = (code: SchemaIssue['code'], at: SchemaIssue['path'], text: SchemaIssue['message']) =>
      found.push({ code, path: at, atKey: false, message: text });
    if (continues !== undefined && continues !== nobody && !names.includes(continues)) {
      warn('CFG-5016', [...path, 'continues'], message.continuesUnknown());
    }
    const former = continues === undefined || continues === nobody ? String(source.name) : continues;
    config.platforms.forEach((platform, p) => {
      const wanted = wantedSources(platform);
      if (!wanted.includes(former) || wanted.includes(name)) return;
      const text = former === continues ? message.continuedNotFiltered(name) : message.senderNotFiltered(name, former);
      warn('CFG-5017', ['platforms', p, 'filters', 'sources'], text);
    });
    const first = before.find((earlier) => covers(earlier, sender));
    if (first !== undefined) warn('CFG-5018', path, message.senderHidden(first.name));
    const peers = source.peers as string[] | undefined;
    sender.addresses?.forEach((network, a) => {
      const outside = peers !== undefined && !peers.some((peer) => overlap(peer, network));
      if (outside) warn('CFG-5018', [...path, 'addresses', a], message.outsidePeers());
    });
    for (const key of ['applications', 'facilities'] as const) {
      sender[key]?.forEach((value, i) => {
        if (/[|^~]/.test(value)) warn('CFG-5018', [...path, key, i], message.moreThanComponent());
      });
    }
    return found;
  });
}

interface PlacedSender extends Sender {
  path: Array<string | number>;
  source: Config['sources'][number];
  /** Those of the same source that are tried first. */
  before: Sender[];
}

const allSenders = (config: Config): PlacedSender[] =>
  config.sources.flatMap((source, s) =>
    sendersOf(source).map((sender, n, all) => ({
      ...sender,
      path: ['sources', s, 'senders', n],
      source,
      before: all.slice(0, n),
    })),
  );

export const wantedSources = (platform: Record<string, unknown>): string[] =>
  (platform.filters as { sources?: string[] } | undefined)?.sources ?? [];

/** Whether whatever fits the second fits the first as well. */
const covers = (first: Sender, second: Sender): boolean =>
  criteria.every((key) => {
    const [wide, narrow] = [first[key], second[key]];
    return wide === undefined || narrow?.every((value) => wide.includes(value)) === true;
  });
const criteria = ['addresses', 'applications', 'facilities'] as const;

/** Of two networks one holds the other, or they have nothing in common. */
const overlap = (a: string, b: string): boolean => holds(a, b) || holds(b, a);

function holds(network: string, other: string): boolean {
  const [address = '', bits] = network.split('/');
  const [inside = ''] = other.split('/');
  const list = new BlockList();
  const family = familyOf(address);
  list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  return list.check(inside, familyOf(inside));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
