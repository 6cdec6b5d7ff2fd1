import type { InstanceIntake } from '../../../agent/intake/instance.ts';
import type { Clock } from '../../../agent/support/clock.ts';
import { type ErrorCode, errorTable, QianzhiError } from '../../../agent/support/errors.ts';
import { tidyMemory } from '../../../agent/support/memory.ts';
import {
  buildResponse,
  type Command,
  commandField,
  readCommand,
  type Status,
  status,
  statusText,
} from '../../dicom/dimse/command.ts';
import type { Negotiated } from '../../dicom/dimse/negotiate.ts';
import { commandPdus } from '../../dicom/dimse/pdu.ts';
import type { PduReader, PdvHeader } from '../../dicom/dimse/pdu-reader.ts';
import { passOver, type Receiving, receiveInstance } from './receive-instance.ts';

/** A command set is some 200 bytes. */
const mostCommandBytes = 16 * 1024;

export interface MessageNotes {
  /** `said`: as in SenderStatus. */
  problem(code: ErrorCode, said?: string): void;
  /** A dataset was received to its end. */
  instance(): void;
  /** A response was sent, with its status as text: `0000`. */
  answered(status: string): void;
  /** The store took an instance, or (with its code) could not. */
  stored(failure?: ErrorCode): void;
}

export interface MessageParts {
  reader: PduReader;
  contexts: Negotiated['accepted'];
  /** Longest P-DATA-TF that the peer takes; 0 for any. */
  peerMaxBytes: number;
  takesClass(sopClassUid: string): boolean;
  instances: InstanceIntake;
  clock: Clock;
  send(bytes: Uint8Array): Promise<void>;
  notes: MessageNotes;
}

/** The DIMSE messages of one association (PS3.7), one after the other: the peer sends the next when this is answered. */
export interface Messages {
  /**
   * Takes the P-DATA-TF that the reader stands at. Rejects with DCM-2238 when a fragment is of no accepted context or
   * out of order, DCM-2239 when a command set cannot be read, and with what the reader says.
   */
  pdata(): Promise<void>;
  /** A message has begun and was not answered. */
  underWay(): boolean;
  /** Nothing more will come: an unfinished instance leaves nothing behind. */
  discard(): Promise<void>;
}

/** A command whose dataset is on its way. */
interface Dataset {
  contextId: number;
  command: Command;
  receiving: Receiving;
}

export function createMessages(parts: MessageParts): Messages {
  const { reader, contexts, notes } = parts;
  /** Fragments of a command that has begun, and the context in which they come. */
  let fragments: Uint8Array[] = [];
  let fragmentBytes = 0;
  let fragmentContext = 0;
  let dataset: Dataset | undefined;
  let underWay = false;

  const answer = async (contextId: number, command: Command, code: Status, why?: ErrorCode) => {
    // With the code that page and log show, so that both sides can talk about the same thing.
    const comment = why === undefined ? undefined : `${why} ${errorTable[why].en.title}`;
    notes.answered(statusText(code));
    await parts.send(commandPdus(contextId, buildResponse(command, code, comment), parts.peerMaxBytes));
    underWay = false;
  };
  const begin = async (contextId: number, command: Command) => {
    const context = contexts.get(contextId);
    if (context === undefined || (command.field & commandField.response) !== 0) throw new QianzhiError('DCM-2238');
    // There is nothing to cancel: a C-STORE has one response only.
    if (command.field === commandField.cCancel) underWay = false;
    else if (command.field === commandField.cStore && command.hasDataset) {
      const receiving = await receiveInstance(command, {
        instances: parts.instances,
        context,
        takesClass: parts.takesClass,
        receivedMs: parts.clock.now(),
      });
      dataset = { contextId, command, receiving };
    } else if (command.field === commandField.cEcho && !command.hasDataset)
      await answer(contextId, command, status.success);
    else if (command.field === commandField.cStore) {
      notes.problem('DCM-2250');
      await answer(contextId, command, status.cannotUnderstand, 'DCM-2250');
    } else if (command.hasDataset) {
      const receiving = passOver({ status: status.unrecognizedOperation, code: 'DCM-2247' });
      dataset = { contextId, command, receiving };
    } else {
      notes.problem('DCM-2247');
      await answer(contextId, command, status.unrecognizedOperation, 'DCM-2247');
    }
  };

  const commandFragment = async (pdv: PdvHeader) => {
    const other = fragmentBytes > 0 && fragmentContext !== pdv.contextId;
    if (dataset !== undefined || other) throw new QianzhiError('DCM-2238');
    underWay = true;
    fragmentContext = pdv.contextId;
    for (let piece = await reader.bytes(); piece !== undefined; piece = await reader.bytes()) {
      fragmentBytes += piece.length;
      if (fragmentBytes > mostCommandBytes) throw new QianzhiError('DCM-2239');
      fragments.push(piece.slice());
    }
    if (!pdv.last) return;
    const command = readCommand(Buffer.concat(fragments));
    fragments = [];
    fragmentBytes = 0;
    await begin(pdv.contextId, command);
  };
  const datasetFragment = async (pdv: PdvHeader) => {
    if (dataset === undefined || dataset.contextId !== pdv.contextId) throw new QianzhiError('DCM-2238');
    const { contextId, command, receiving } = dataset;
    for (let piece = await reader.bytes(); piece !== undefined; piece = await reader.bytes())
      await receiving.write(piece);
    // What has passed through is dead: without a look at it some tens of MB stand (decision 0007).
    tidyMemory();
    if (!pdv.last) return;
    notes.instance();
    const outcome = await receiving.end();
    dataset = undefined;
    if (outcome.code === undefined || outcome.code.startsWith('QUE-')) notes.stored(outcome.code);
    else notes.problem(outcome.code);
    await answer(contextId, command, outcome.status, outcome.code);
  };

  return {
    async pdata() {
      for (let pdv = await reader.pdv(); pdv !== undefined; pdv = await reader.pdv()) {
        if (!contexts.has(pdv.contextId)) throw new QianzhiError('DCM-2238');
        await (pdv.command ? commandFragment(pdv) : datasetFragment(pdv));
      }
    },
    underWay: () => underWay,
    async discard() {
      await dataset?.receiving.discard();
      dataset = undefined;
    },
  };
}
