import { type Faults, ruleFor } from './faults.ts';
import { type Item, sha256, type Verdict } from './items.ts';
import type { Received } from './received.ts';

/** Where documents are judged: what any platform has to do with an item, in the order it has to do it. */
export interface Desk {
  judge(item: Item, clientCertificate: string): Verdict;
  /** The verdict as it stands; `unknown` for a key never seen, or seen and lost. */
  ask(key: string): Verdict;
}

/** Judges items against what was received; `faults` is read at every item. */
export function openDesk(received: Received, faults: Faults): Desk {
  /** First stage passed, second not yet. In memory only: a restarted province asks for them again. */
  const pending = new Map<string, { item: Item; clientCertificate: string; dueMs: number }>();

  const mismatch = (key: string): Verdict => ({ key, status: 'refused', code: 'KEY_CONTENT_MISMATCH' });

  const lacksParent = ({ type, lane }: Item): boolean => {
    const { parent } = faults;
    if (parent === undefined || !new RegExp(parent.child).test(type)) return false;
    return ![...received.typesOf(lane)].some((had) => new RegExp(parent.parent).test(had));
  };

  return {
    judge(item, clientCertificate) {
      const { key } = item;
      const hash = sha256(item.bytes);
      const before = received.acceptedHash(key);
      if (before !== undefined) return before === hash ? received.repeat(key) : mismatch(key);
      const refusal = received.refusal(key);
      if (refusal !== undefined) return refusal.sha256 === hash ? refusal.verdict : mismatch(key);
      const waiting = pending.get(key);
      if (waiting !== undefined) {
        return sha256(waiting.item.bytes) === hash ? { key, status: 'received' } : mismatch(key);
      }

      // A damaged transfer says nothing about the document: it is asked for again, and nothing is kept.
      if (hash !== item.sha256) return { key, status: 'retry', code: 'CONTENT_HASH' };
      const rule = ruleFor(faults, item);
      if (rule !== undefined) {
        return rule.status === 'refused' ? received.refuse(item, rule.code ?? 'RULE') : rule;
      }
      if (lacksParent(item)) return { key, status: 'wait-for-parent' };
      const version = received.version(item.setId) ?? 0;
      if (item.version < version) return received.refuse(item, 'VERSION_ORDER');
      if (item.version === version) return received.refuse(item, 'VERSION_EXISTS');
      if (faults.acceptAfterMs !== undefined) {
        pending.set(key, { item, clientCertificate, dueMs: Date.now() + faults.acceptAfterMs });
        return { key, status: 'received' };
      }
      return received.accept(item, clientCertificate);
    },

    ask(key) {
      const known = received.verdict(key) ?? received.refusal(key)?.verdict;
      if (known !== undefined) return known;
      const waiting = pending.get(key);
      if (waiting === undefined) return { key, status: 'unknown' };
      if (Date.now() < waiting.dueMs) return { key, status: 'received' };
      pending.delete(key);
      return received.accept(waiting.item, waiting.clientCertificate);
    },
  };
}
