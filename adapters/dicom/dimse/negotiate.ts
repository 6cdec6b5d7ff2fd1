import { type AnsweredContext, contextResult, type ProposedContext } from './associate.ts';
import { isUid } from './uids.ts';

/** Implicit VR little endian, named in the answer to a context that offers nothing that can be named. */
const implicitLittleEndian = '1.2.840.10008.1.2';

export interface Negotiated {
  answers: AnsweredContext[];
  /** What was accepted, by context id. */
  accepted: Map<number, { abstractSyntax: string; transferSyntax: string }>;
}

/**
 * Decides on the proposed contexts: an abstract syntax that `takes` accepts gets the first transfer syntax offered,
 * whichever it is, for nothing is ever transcoded and the proposer's order is its wish.
 */
export function negotiate(
  proposed: readonly ProposedContext[],
  takes: (abstractSyntax: string) => boolean,
): Negotiated {
  const accepted: Negotiated['accepted'] = new Map();
  const answers = proposed.map(({ id, abstractSyntax, transferSyntaxes }): AnsweredContext => {
    const transferSyntax = transferSyntaxes.find(isUid);
    if (!takes(abstractSyntax))
      return {
        id,
        result: contextResult.abstractSyntaxNotSupported,
        transferSyntax: transferSyntax ?? implicitLittleEndian,
      };
    if (transferSyntax === undefined)
      return { id, result: contextResult.transferSyntaxesNotSupported, transferSyntax: implicitLittleEndian };
    accepted.set(id, { abstractSyntax, transferSyntax });
    return { id, result: contextResult.accepted, transferSyntax };
  });
  return { answers, accepted };
}
