import type { InstanceIntake } from '../intake/instance.ts';
import type { ImageKeepingStore, InstanceStore } from '../store/image-contract.ts';
import type { Spool } from '../store/spool.ts';
import { gatherHead, type InstanceHead } from './heads.ts';

export interface TakeInParts {
  /** Configured source name. */
  source: string;
  spool: Spool;
  store: InstanceStore & Pick<ImageKeepingStore, 'filesLost'>;
  /**
   * Names of files on their way to the disk, and those that failed while their rows do not say so: one set for all that
   * share a spool, for an instance may come from two sources at once.
   */
  naming?: Set<Promise<void>>;
  /** Called when a new instance is durable, so that it is indexed soon. */
  accepted?(head: InstanceHead): void;
}

/** Makes a source's instances durable: the bytes in the spool, then the row in the store, and only then the answer. */
export function takeInInstances(parts: TakeInParts): InstanceIntake {
  const { source, spool, store, naming = new Set() } = parts;
  return {
    async begin(origin) {
      const writing = await spool.begin();
      const head = gatherHead();
      let ended = false;
      try {
        head.add(origin.preamble);
        if (origin.preamble.length > 0) await writing.write(origin.preamble, false);
      } catch (error) {
        await writing.discard();
        throw error;
      }
      return {
        write(bytes) {
          head.add(bytes);
          return writing.write(bytes);
        },
        async commit() {
          if (ended) throw new Error('committed or discarded already');
          const { named, ...file } = await writing.finish();
          ended = true;
          const { sopClassUid, sopInstanceUid, transferSyntaxUid, receivedMs } = origin;
          naming.add(named);
          const row = { source, receivedMs, sopClassUid, sopInstanceUid, transferSyntaxUid, file };
          const [name, accepted] = await Promise.allSettled([named, store.acceptInstance(row)]);
          if (name.status === 'fulfilled' || accepted.status === 'rejected') naming.delete(named);
          if (accepted.status === 'rejected') {
            // Without a row it is nobody's; where it cannot be removed now, the next start sets it aside.
            await spool.remove(file.name).catch(() => {});
            throw accepted.reason;
          }
          const answer = accepted.value;
          if (answer.outcome === 'duplicate') {
            naming.delete(named);
            await spool.remove(file.name).catch(() => {});
            // The one it is the same as may have come this moment, and its name be on its way to the disk or not get there:
            // then this is no acknowledgement either.
            await Promise.all(naming);
            return answer;
          }
          if (name.status === 'rejected') {
            // The row must not answer for a file that a power cut may take: the sender's repetition takes its place.
            await store.filesLost([file.name]);
            naming.delete(named);
            throw name.reason;
          }
          parts.accepted?.({ file: file.name, bytes: head.bytes() });
          return answer;
        },
        async discard() {
          if (ended) return;
          ended = true;
          await writing.discard();
        },
      };
    },
  };
}
