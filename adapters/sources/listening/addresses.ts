import { BlockList, isIP } from 'node:net';

/** An address without its IPv4-in-IPv6 form and zone: `::ffff:10.0.0.5` → `10.0.0.5`, `fe80::1%eth0` → `fe80::1`. */
export function normalAddress(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  return mapped ?? plain;
}

interface Network {
  address: string;
  bits: number;
  family: 'ipv4' | 'ipv6';
}

function parseNetwork(text: string): Network | undefined {
  const [rawAddress = '', rawBits, ...more] = text.trim().split('/');
  const address = normalAddress(rawAddress);
  const version = isIP(address);
  if (version === 0 || more.length > 0) return undefined;
  const widest = version === 4 ? 32 : 128;
  if (rawBits === undefined) return { address, bits: widest, family: version === 4 ? 'ipv4' : 'ipv6' };
  const bits = Number(rawBits);
  if (!/^\d{1,3}$/.test(rawBits) || bits > widest) return undefined;
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** True for an address or a network in CIDR form, IPv4 or IPv6. */
export const isNetwork = (text: string): boolean => parseNetwork(text) !== undefined;

/** The test whether an address (in any form) is on the list. Entries must satisfy `isNetwork`. */
export function allowList(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const network = parseNetwork(entry);
    if (network !== undefined) list.addSubnet(network.address, network.bits, network.family);
  }
  return (address) => {
    const plain = normalAddress(address);
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  };
}

const loopback = allowList(['127.0.0.0/8', '::1']);
/** True when a listener on this address is reachable from this machine only. */
export const isLoopback = (host: string): boolean => loopback(host);
