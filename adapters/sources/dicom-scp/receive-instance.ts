import type { IncomingInstance, InstanceIntake } from '../../../agent/intake/instance.ts';
import { codeOf, type ErrorCode } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';
import { type Command, type Status, status } from '../../dicom/dimse/command.ts';
import { isUid } from '../../dicom/dimse/uids.ts';
import { buildPreamble } from '../../dicom/part10.ts';

export interface Outcome {
  status: Status;
  /** Why it was not kept. */
  code?: ErrorCode;
}

/** The dataset of one command on its way in. */
export interface Receiving {
  write(bytes: Uint8Array): Promise<void>;
  /** After the last byte: what is to be answered. Success only when the instance is durable (invariant 1). */
  end(): Promise<Outcome>;
  /** The dataset will not come to its end; nothing of it stays. At any time, any number of times. */
  discard(): Promise<void>;
}

/** Takes a dataset off the line that nobody wants, so that the association can go on. */
export const passOver = (outcome: Outcome): Receiving => ({
  async write() {},
  end: async () => outcome,
  async discard() {},
});

/** What to say when the store does not take an instance: a full or stopping store may be tried again later. */
const failed = (error: unknown): Outcome => {
  const code = codeOf(error, 'QUE-4007');
  return {
    status: code === 'QUE-4002' || code === 'QUE-4010' ? status.outOfResources : status.processingFailure,
    code,
  };
};

export interface InstanceParts {
  instances: InstanceIntake;
  /** Of the presentation context in which the command came. */
  context: { abstractSyntax: string; transferSyntax: string };
  takesClass(sopClassUid: string): boolean;
  receivedMs: number;
}

/**
 * Begins to receive the dataset of a C-STORE-RQ (PS3.7 §9.1.1, PS3.4 Annex B). Never rejects: whatever is wrong with
 * the command or the store, the dataset is taken off the line and the outcome says what it was.
 */
export async function receiveInstance(command: Command, parts: InstanceParts): Promise<Receiving> {
  const { sopClassUid, sopInstanceUid } = command;
  const { abstractSyntax, transferSyntax } = parts.context;
  if (!parts.takesClass(sopClassUid)) return passOver({ status: status.classNotSupported, code: 'DCM-2244' });
  if (sopClassUid !== abstractSyntax) return passOver({ status: status.classMismatch, code: 'DCM-2245' });
  if (!isUid(sopInstanceUid)) return passOver({ status: status.invalidInstance, code: 'DCM-2246' });

  let incoming: IncomingInstance;
  try {
    incoming = await parts.instances.begin({
      sopClassUid,
      sopInstanceUid: phi(sopInstanceUid),
      transferSyntaxUid: transferSyntax,
      receivedMs: parts.receivedMs,
      preamble: buildPreamble({ sopClassUid, sopInstanceUid, transferSyntaxUid: transferSyntax }),
    });
  } catch (error) {
    return passOver(failed(error));
  }
  let failure: Outcome | undefined;
  const attempt = async (step: () => Promise<unknown>) => {
    if (failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      failure = failed(error);
      await discard();
    }
  };
  // What cannot be taken back now is the store's to tidy up: it was never acknowledged.
  const discard = () => incoming.discard().catch(() => {});
  return {
    write: (bytes) => attempt(() => incoming.write(bytes)),
    async end() {
      await attempt(() => incoming.commit());
      return failure ?? { status: status.success };
    },
    discard,
  };
}
