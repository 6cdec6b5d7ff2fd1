import type { ClaimedInstance, InstanceVerdict } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import { codeOf, QianzhiError } from '../support/errors.ts';
import { type FlightControl, fly, ownBackoffMs, requestsFor, type Salvaged } from './flight.ts';
import type { ImagePlatformConnection, OutgoingInstance } from './image-platform.ts';
import type { ItemReceipt, SendResult } from './platform.ts';
import type { Unlisted } from './unlisted.ts';

/** What a flight of images needs of the loop. */
export interface ImageFlightControl extends FlightControl<ClaimedInstance, InstanceVerdict> {
  connection: ImagePlatformConnection;
  spool: Pick<Spool, 'read'>;
  unlisted: Unlisted;
  /** Waits until so many bytes may go out. */
  allow(bytes: number): Promise<void>;
  /** Largest piece that may go out at once at the present rate. */
  pieceBytes(): number;
}

/**
 * Takes claimed instances to the platform and settles each of them (flight.ts), and takes out what cannot be read from
 * the spool (invariant 11).
 */
export async function flyImages(instances: readonly ClaimedInstance[], control: ImageFlightControl): Promise<void> {
  const { connection, log, platform, now, signal, unlisted } = control;
  /** Instances that were in a request that was given up: some of it may have arrived. */
  const unclear = new Set<number>();

  const later = ({ n }: ClaimedInstance, code: string, retryAtMs: number): InstanceVerdict => ({
    n,
    outcome: 'retry',
    code,
    retryAtMs,
  });
  const ownTimeMs = (one: ClaimedInstance): number => now() + ownBackoffMs(one, control);

  function verdictOf(one: ClaimedInstance, said: ItemReceipt | undefined): InstanceVerdict {
    const { n } = one;
    if (said !== undefined) unlisted.cleared(n);
    switch (said?.outcome) {
      case 'accepted':
        return { n, outcome: 'accepted' };
      case 'refused':
        return { n, outcome: 'refused', code: said.code };
      case 'retry':
        return later(one, said.code, now() + Math.max(said.retryAfterMs ?? 0, ownBackoffMs(one, control)));
      default:
        // Not named, or of a stage that images do not have: whether it is there nobody knows, and sending it again
        // changes nothing.
        if (unlisted.again(n)) return { n, outcome: 'refused', code: 'PLT-1307' };
        return later(one, 'PLT-1307', ownTimeMs(one));
    }
  }

  /** What could not be read here is nobody else's fault: those are settled, the others judged by what came of them. */
  function salvage(
    some: ClaimedInstance[],
    broken: ReadonlyMap<number, string>,
    result: SendResult,
  ): Salvaged<ClaimedInstance, InstanceVerdict> {
    const items = new Map(result.kind === 'items' ? result.items.map((item) => [item.n, item]) : []);
    const verdicts: InstanceVerdict[] = [];
    const again: ClaimedInstance[] = [];
    for (const one of some) {
      const code = broken.get(one.n);
      const item = items.get(one.n);
      if (code === 'QUE-4003') verdicts.push({ n: one.n, outcome: 'refused', code });
      else if (code !== undefined) verdicts.push(later(one, code, ownTimeMs(one)));
      else if (item?.outcome === 'accepted' || item?.outcome === 'refused') verdicts.push(verdictOf(one, item));
      else {
        unclear.add(one.n);
        again.push(one);
      }
    }
    for (const code of new Set(broken.values())) {
      control.noted(code);
      log.error('image-file-not-read', { platform, code, count: broken.size });
    }
    return { kind: 'salvaged', verdicts, again };
  }

  await fly<ClaimedInstance, InstanceVerdict>(
    requestsFor(instances, control),
    {
      async call(some) {
        /** Instances whose file could not be read in this request, with the code. */
        const broken = new Map<number, string>();
        const outgoing = some.map((one) => outgoingOf(one, control, (code) => broken.set(one.n, code)));
        const result = await connection.send(outgoing, signal).catch((error: unknown): SendResult => {
          if (broken.size === 0) throw error;
          return { kind: 'retry', code: 'PLT-1307' };
        });
        const certain = result.kind === 'items' || (result.kind !== 'stop' && !signal.aborted);
        return broken.size > 0 && certain ? salvage(some, broken, result) : result;
      },
      verdictOf,
      later: (one, _stage, code, atMs) => later(one, code, atMs),
      unsent({ n }, _stage, code, retryAtMs) {
        return { n, outcome: 'retry', code, retryAtMs, ...(!unclear.has(n) && { unsent: true }) };
      },
      bytesOf: ({ file }) => file.bytes,
    },
    control,
  );
}

function outgoingOf(
  one: ClaimedInstance,
  control: Pick<ImageFlightControl, 'spool' | 'allow' | 'pieceBytes'>,
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
