import dns from 'node:dns';
import { hostName } from './rig.ts';

const real = dns.lookup;

/**
 * Says whether the platform's name can be resolved. While it cannot, the machine's own resolver is asked,
 * which knows no name below `.invalid` (RFC 2606): only the success is ours.
 */
export function resolveName(works: boolean): void {
  if (!works) {
    dns.lookup = real;
    return;
  }
  const lookup = (name: string, options: object, callback: (...result: unknown[]) => void): void => {
    if (name !== hostName) {
      (real as unknown as typeof lookup)(name, options, callback);
      return;
    }
    const found = { address: '127.0.0.1', family: 4 };
    setImmediate(() =>
      'all' in options && options.all === true ? callback(null, [found]) : callback(null, found.address, found.family),
    );
  };
  dns.lookup = lookup as typeof dns.lookup;
}
