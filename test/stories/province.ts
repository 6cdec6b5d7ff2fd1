import type { Verdict } from '../../agent/store/contract.ts';
import type { Claimed } from '../../agent/store/sqlite/requests.ts';
import { openDesk } from '../platform/desk.ts';
import type { Faults } from '../platform/faults.ts';
import { type Verdict as DeskVerdict, type Item, sha256 } from '../platform/items.ts';
import type { Received } from '../platform/received.ts';
import { type Told, tell } from './documents.ts';
import type { Claim } from './machine.ts';

/** A document the province holds as the current truth. */
export interface Current extends Told {
  report: string;
  setId: string;
  laneMac: string;
  version: number;
  xml: string;
}

/**
 * How the line and the province behave. `down`: known to be down, nothing is tried. `unreachable`: tried, and nothing
 * arrives. `loses-answers`: it takes what comes, the agent never learns. `silent`: it takes what comes and answers later.
 */
export type Mode = 'up' | 'down' | 'unreachable' | 'loses-answers' | 'silent';

const retryMs = 5 * 60_000;
const parentLimitMs = 24 * 3_600_000;

/** The province as a model in memory, judging by the rules of test/platform: what it holds is what a doctor elsewhere sees. */
export interface ModelProvince {
  mode: Mode;
  faults: Faults;
  /** What it says to a document that reached it, as the agent would settle it. */
  judge(claim: Claim, nowMs: number): Verdict;
  current(): Current[];
  /** Everything it accepted, in order: `publish R1 v1`. */
  trail: string[];
  /** What no correct agent sends: order broken, or a key that stands for two contents. */
  broken: string[];
}

export function openProvince(): ModelProvince {
  const current = new Map<Claimed['setId'], Current>();
  const trail: string[] = [];
  const broken: string[] = [];
  const faults: Faults = {};
  const accepted = new Map<string, { verdict: DeskVerdict; hash: string }>();
  const refused = new Map<string, { verdict: DeskVerdict; sha256: string }>();
  const versions = new Map<string, number>();
  let coming: Claim | undefined;

  const received: Received = {
    folder: '',
    count: () => accepted.size,
    acceptedHash: (key) => accepted.get(key)?.hash,
    repeat: (key) => accepted.get(key)!.verdict,
    verdict: (key) => accepted.get(key)?.verdict,
    refusal: (key) => refused.get(key),
    refuse(item, code) {
      const verdict: DeskVerdict = { key: item.key, status: 'refused', code };
      refused.set(item.key, { verdict, sha256: sha256(item.bytes) });
      return verdict;
    },
    // What it wants first the stories say report by report.
    typesOf: () => new Set(),
    version: (setId) => versions.get(setId),
    sidecars: () => [],
    accept(item) {
      const verdict: DeskVerdict = { key: item.key, status: 'accepted', receipt: `SIM-${accepted.size + 1}` };
      accepted.set(item.key, { verdict, hash: sha256(item.bytes) });
      versions.set(item.setId, item.version);
      trail.push(`${item.operation} ${item.report} v${item.version}`);
      if (item.operation === 'retract') current.delete(item.setId);
      else current.set(item.setId, held(item, coming!));
      return verdict;
    },
  };
  const desk = openDesk(received, faults);

  return {
    mode: 'up',
    faults,
    trail,
    broken,
    current: () => [...current.values()],
    judge(claim, nowMs) {
      coming = claim;
      const { n } = claim;
      const { items } = faults;
      // What it finds fault with is a document's content; a withdrawal has none.
      if (claim.operation === 'retract') delete faults.items;
      const { status, code, receipt } = desk.judge(itemOf(claim), '');
      if (items) faults.items = items;
      if (status === 'accepted') return { n, outcome: 'accepted', receipt: receipt! };
      if (status === 'wait-for-parent') {
        // As agent/delivery does after its limit.
        const waited = nowMs - (claim.parentSinceMs ?? nowMs);
        if (waited >= parentLimitMs) return { n, outcome: 'refused', code: 'PLT-1313' };
        return { n, outcome: 'wait-for-parent', retryAtMs: nowMs + retryMs };
      }
      if (status === 'refused') {
        if (/^(VERSION|KEY)_/.test(code ?? '')) broken.push(`${code} ${claim.operation} v${claim.version}`);
        return { n, outcome: 'refused', code: 'PLT-1305', platformCode: code! };
      }
      return { n, outcome: 'retry', code: 'PLT-1307', retryAtMs: nowMs + retryMs };
    },
  };
}

function itemOf(claim: Claim): Item {
  const { key, operation, type, mediaType, setId, version, lane, attempt } = claim;
  const bytes = Buffer.from(claim.bytes.reveal());
  const report = claim.reportNumber.reveal();
  return { key, operation, type, mediaType, setId, version, report, lane, attempt, sha256: sha256(bytes), bytes };
}

function held(item: Item, { laneMac }: Claim): Current {
  const xml = item.bytes.toString('utf8');
  return { report: item.report, setId: item.setId, laneMac, version: item.version, xml, ...tell(xml) };
}

export const tryAgain = (n: number, nowMs: number): Verdict => ({
  n,
  outcome: 'retry',
  code: 'NET-1006',
  retryAtMs: nowMs + retryMs,
});
