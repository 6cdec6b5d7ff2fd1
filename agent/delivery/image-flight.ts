import type { ClaimedInstance, InstanceVerdict } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import { codeOf, QianzhiError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { type BackoffRange, fullJitter } from './backoff.ts';
import type { Doubts } from './doubts.ts';
import type { ImagePlatformConnection, OutgoingInstance } from './image-platform.ts';
import type { ItemReceipt, SendResult } from './platform.ts';
import type { Suspects } from './suspects.ts';

/** What a flight of images needs of the loop. */
export interface ImageFlightControl {
  platform: string;
  connection: ImagePlatformConnection;
  spool: Pick<Spool, 'read'>;
  log: Log;
  signal: AbortSignal;
  suspects: Suspects<ClaimedInstance>;
  doubts: Doubts;
  unlisted: Unlisted;
  retryRange: BackoffRange;
  random(): number;
  now(): number;
  /** Waits until so many bytes may go out. */
  allow(bytes: number): Promise<void>;
  /** Largest piece that may go out at once at the present rate. */
  pieceBytes(): number;
  /** Writes verdicts; tries until they are durable or the agent stops. */
  settle(verdicts: InstanceVerdict[]): Promise<void>;
  /** Those of the given instances whose study was withdrawn since they were claimed. */
  withdrawn(numbers: number[]): Promise<number[]>;
  /** The platform answered item by item. */
  answered(): void;
  tooLarge(instances: number, bytes: number): void;
  /** A request failed as a whole; returns the milliseconds until the next may be sent. */
  failedWhole(code: string, retryAfterMs: number | undefined): number;
  /** Uploads must stop until a person or the slow probe lets them go on; returns milliseconds until the probe. */
  halt(code: string): number;
  noted(code: string): void;
}

/** How often in a row the platform answered without a word about an instance. In memory: a restart begins anew. */
export interface Unlisted {
  /** True when it happened so often that a person has to look. */
  again(n: number): boolean;
  cleared(n: number): void;
}
const UNLISTED_BELIEVED = 8;
const MOST_REMEMBERED = 10_000;

export function createUnlisted(): Unlisted {
  const times = new Map<number, number>();
  return {
    again(n) {
      if (times.size > MOST_REMEMBERED) times.clear();
      const now = (times.get(n) ?? 0) + 1;
      times.set(n, now);
      return now >= UNLISTED_BELIEVED;
    },
    cleared: (n) => void times.delete(n),
  };
}

/** Codes after which the platform may have died of what we sent; the others cannot come from an image. */
const mayBeContent = new Set(['NET-1003', 'NET-1006', 'PLT-1304', 'PLT-1306', 'PLT-1307']);

/**
 * Takes claimed instances to the platform and settles each of them: splits what is too large, bisects what is refused as
 * a whole, and takes out what cannot be read from the spool (invariant 11). Ends with every instance settled, except when
 * the signal ends it: what is unsettled then is sent again after the restart.
 */
export async function flyImages(instances: readonly ClaimedInstance[], control: ImageFlightControl): Promise<void> {
  const { log, platform, random, now, suspects, doubts, unlisted } = control;
  const requests: ClaimedInstance[][] = [
    ...suspects.group(instances.filter(({ n }) => !doubts.doubted(n))),
    ...instances.filter(({ n }) => doubts.doubted(n)).map((one) => [one]),
  ];
  /** Set by the first trouble that concerns the platform: what has not been sent yet is put off until then. */
  let putOff: { code: string; untilMs: number } | undefined;

  const later = ({ n }: ClaimedInstance, code: string, retryAtMs: number): InstanceVerdict => ({
    n,
    outcome: 'retry',
    code,
    retryAtMs,
  });
  /** Instances that were in a request that was given up: some of it may have arrived. */
  const unclear = new Set<number>();
  const unsent = ({ n }: ClaimedInstance, code: string, retryAtMs: number): InstanceVerdict => ({
    n,
    outcome: 'retry',
    code,
    retryAtMs,
    ...(!unclear.has(n) && { unsent: true }),
  });
  const ownBackoffMs = ({ attempt }: ClaimedInstance): number => fullJitter(attempt, control.retryRange, random);

  /** Instances whose file could not be read in the request under way, with the code. */
  let broken = new Map<number, string>();
  async function call(some: ClaimedInstance[]): Promise<SendResult> {
    broken = new Map();
    const outgoing = some.map((one) => outgoingOf(one, control, (code) => broken.set(one.n, code)));
    try {
      return await control.connection.send(outgoing, control.signal);
    } catch (error) {
      const code = codeOf(error, 'PLT-1307');
      if (broken.size === 0) log.error('platform-adapter-failed', { platform, code, count: some.length });
      return { kind: 'retry', code: 'PLT-1307' };
    }
  }

  function verdictOf(one: ClaimedInstance, item: ItemReceipt | undefined): InstanceVerdict {
    const { n } = one;
    switch (item?.outcome) {
      case 'accepted':
        return { n, outcome: 'accepted' };
      case 'refused':
        return { n, outcome: 'refused', code: item.code };
      case 'retry':
        return later(one, item.code, now() + Math.max(item.retryAfterMs ?? 0, ownBackoffMs(one)));
      default:
        // Not named, or of a stage that images do not have: whether it is there nobody knows, and sending it again
        // changes nothing.
        if (unlisted.again(n)) return { n, outcome: 'refused', code: 'PLT-1307' };
        return later(one, 'PLT-1307', now() + ownBackoffMs(one));
    }
  }

  /** What could not be read here is nobody else's fault: those are settled, the others judged by what came of them. */
  async function settleBroken(some: ClaimedInstance[], result: SendResult): Promise<void> {
    const items = new Map(result.kind === 'items' ? result.items.map((item) => [item.n, item]) : []);
    const verdicts: InstanceVerdict[] = [];
    const rest: ClaimedInstance[] = [];
    for (const one of some) {
      const code = broken.get(one.n);
      const item = items.get(one.n);
      if (code === 'QUE-4003') verdicts.push({ n: one.n, outcome: 'refused', code });
      else if (code !== undefined) verdicts.push(later(one, code, now() + ownBackoffMs(one)));
      else if (item?.outcome === 'accepted' || item?.outcome === 'refused') verdicts.push(verdictOf(one, item));
      else {
        unclear.add(one.n);
        rest.push(one);
      }
    }
    for (const code of new Set(broken.values())) {
      control.noted(code);
      log.error('image-file-not-read', { platform, code, count: broken.size });
    }
    await control.settle(verdicts);
    if (rest.length > 0) requests.unshift(rest);
  }

  async function settleItems(some: ClaimedInstance[], items: readonly ItemReceipt[]): Promise<void> {
    const byNumber = new Map(items.map((item) => [item.n, item]));
    const named = some.filter(({ n }) => byNumber.has(n));
    if (named.length > 0) control.answered();
    for (const { n } of named) {
      suspects.cleared(n);
      doubts.cleared(n);
      unlisted.cleared(n);
    }
    if (named.length < some.length) control.noted('PLT-1307');
    await control.settle(some.map((one) => verdictOf(one, byNumber.get(one.n))));
  }

  function split(some: ClaimedInstance[]): void {
    const middle = Math.ceil(some.length / 2);
    requests.unshift(some.slice(0, middle), some.slice(middle));
  }

  /** Instances that go to the end of the flight once, so that others can show first whether the platform takes anything. */
  const deferred = new Set<number>();
  async function refusedAlone(one: ClaimedInstance, code: 'PLT-1302' | 'PLT-1305'): Promise<void> {
    const { n } = one;
    if (doubts.proven(n)) {
      suspects.cleared(n);
      doubts.cleared(n);
      control.noted(code);
      return control.settle([{ n, outcome: 'refused', code }]);
    }
    if (doubts.alone(n)) {
      putOff = { code: 'PLT-1312', untilMs: now() + control.halt('PLT-1312') };
      return control.settle([later(one, 'PLT-1312', putOff.untilMs + ownBackoffMs(one))]);
    }
    if (!deferred.has(n) && requests.length > 0) {
      deferred.add(n);
      requests.push([one]);
      return;
    }
    control.noted('PLT-1308');
    return control.settle([later(one, 'PLT-1308', now() + ownBackoffMs(one))]);
  }

  let first = true;
  for (let some = requests.shift(); some !== undefined; some = requests.shift()) {
    if (control.signal.aborted) return;
    const [only] = some;
    if (only === undefined) continue;
    if (putOff !== undefined) {
      const { code, untilMs } = putOff;
      await control.settle(some.map((one) => unsent(one, code, untilMs)));
      continue;
    }
    // A flight may take minutes: what was withdrawn since its claim does not go out any more (invariant 6).
    if (!first) {
      const withdrawn = new Set(await control.withdrawn(some.map(({ n }) => n)));
      if (withdrawn.size > 0) {
        await control.settle(some.filter(({ n }) => withdrawn.has(n)).map((one) => unsent(one, 'PLT-1307', now())));
        requests.unshift(some.filter(({ n }) => !withdrawn.has(n)));
        continue;
      }
    }
    first = false;
    const result = await call(some);
    // Whatever an aborted call says is of unknown outcome; only item answers are worth writing down.
    if (control.signal.aborted && result.kind !== 'items') return;
    if (broken.size > 0 && result.kind !== 'stop') {
      await settleBroken(some, result);
      continue;
    }
    switch (result.kind) {
      case 'items':
        await settleItems(some, result.items);
        break;
      case 'too-large':
      case 'refused-whole': {
        const tooLarge = result.kind === 'too-large';
        if (some.length > 1) {
          control.noted(result.code);
          doubts.together(some);
          if (tooLarge) {
            control.tooLarge(
              some.length,
              some.reduce((sum, { file }) => sum + file.bytes, 0),
            );
          }
          split(some);
        } else await refusedAlone(only, tooLarge ? 'PLT-1302' : 'PLT-1305');
        break;
      }
      case 'stop': {
        const untilMs = now() + control.halt(result.code);
        putOff = { code: result.code, untilMs };
        await control.settle(some.map((one) => later(one, result.code, untilMs)));
        break;
      }
      case 'retry': {
        const untilMs = now() + control.failedWhole(result.code, result.retryAfterMs);
        putOff = { code: result.code, untilMs };
        if (mayBeContent.has(result.code)) suspects.failed(some);
        // One that stands alone already waits longer than the platform, so that others go first.
        await control.settle(
          some.map((one) => later(one, result.code, untilMs + (suspects.alone(one.n) ? ownBackoffMs(one) : 0))),
        );
        break;
      }
    }
  }
}

function outgoingOf(
  one: ClaimedInstance,
  control: ImageFlightControl,
  broke: (code: string) => void,
): OutgoingInstance {
  const { n, contested, studyUid, sopClassUid, sopInstanceUid, transferSyntaxUid, file } = one;
  return {
    n,
    contested,
    studyUid,
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid,
    bytes: file.bytes,
    async *open() {
      const pieces = control.spool.read(file);
      let given = 0;
      try {
        for (;;) {
          const piece = await pieces.next().catch((error: unknown) => {
            broke(codeOf(error, 'QUE-4020'));
            throw error;
          });
          given += piece.value?.length ?? 0;
          // What is not as long as its row says must not go out under a length it does not have.
          if (given > file.bytes || (piece.done && given < file.bytes)) {
            broke('QUE-4003');
            throw new QianzhiError('QUE-4003');
          }
          if (piece.done) return;
          for (let at = 0; at < piece.value.length; ) {
            const next = piece.value.subarray(at, at + control.pieceBytes());
            await control.allow(next.length);
            yield next;
            at += next.length;
          }
        }
      } finally {
        // Also when whoever takes the pieces goes away in the middle: the file must not stay open.
        await pieces.return();
      }
    },
  };
}
