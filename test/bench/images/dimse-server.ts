import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { choosePort } from '../../platform/ports.ts';

/**
 * The peer: a server of dcmjs-dimse 0.3.3 as its README shows it, that writes each dataset with `toFile` before it answers.
 *
 *     node dimse-server.ts <folder with its node_modules> <folder for the files>
 */
interface Association {
  setMaxPduLength(bytes: number): void;
  getPresentationContexts(): Array<{ id: number }>;
  getPresentationContext(id: number): {
    getTransferSyntaxUids(): string[];
    setResult(result: number, transferSyntax?: string): void;
  };
}
interface StoreRequest {
  getAffectedSopInstanceUid(): string;
  getDataset(): { toFile(path: string, done: (error?: Error) => void): void };
}
interface Response {
  setStatus(status: number): void;
}
/** What of the package is used here; it is fetched for the benchmark only. */
interface Dimse {
  Server: new (scp: unknown) => { listen(port: number): void };
  Scp: new (
    ...given: unknown[]
  ) => {
    sendAssociationAccept(): void;
    sendAssociationReleaseResponse(): void;
  };
  log: { level: string };
  responses: { CStoreResponse: { fromRequest(request: StoreRequest): Response } };
  constants: {
    Status: { Success: number; ProcessingFailure: number };
    PresentationContextResult: { Accept: number; RejectTransferSyntaxesNotSupported: number };
    TransferSyntax: { ExplicitVRLittleEndian: string };
  };
}

const [, , modules = '', folder = ''] = process.argv;
const dimse = createRequire(join(modules, 'package.json'))('dcmjs-dimse') as Dimse;
const { Status, PresentationContextResult, TransferSyntax } = dimse.constants;
dimse.log.level = 'error';
mkdirSync(folder, { recursive: true });
let stored = 0;

class Scp extends dimse.Scp {
  associationRequested(association: Association): void {
    association.setMaxPduLength(131_072);
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const wanted = context.getTransferSyntaxUids().find((uid) => uid === TransferSyntax.ExplicitVRLittleEndian);
      if (wanted) context.setResult(PresentationContextResult.Accept, wanted);
      else context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported);
    }
    this.sendAssociationAccept();
  }
  cStoreRequest(request: StoreRequest, answer: (response: Response) => void): void {
    const response = dimse.responses.CStoreResponse.fromRequest(request);
    request.getDataset().toFile(join(folder, request.getAffectedSopInstanceUid()), (error) => {
      if (!error) stored += 1;
      response.setStatus(error ? Status.ProcessingFailure : Status.Success);
      answer(response);
    });
  }
  associationReleaseRequested(): void {
    this.sendAssociationReleaseResponse();
  }
}

const port = await choosePort();
new dimse.Server(Scp).listen(port);
process.on('message', () => process.send?.({ stored }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
