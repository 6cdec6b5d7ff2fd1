import type { RenderInput } from '../../../agent/rendering/format.ts';
import type { DocumentCode } from './document-types.ts';
import { documentId } from './header/document-id.ts';

/**
 * A withdrawal: which report, and which document it takes back. Derived ids only, no clinical
 * content and no patient data; the same in both written forms, as neither has one of its own.
 */
export function retraction({ setId, version }: RenderInput, type: DocumentCode, time: string): Uint8Array {
  const body = {
    operation: 'retract',
    type,
    setId,
    version,
    replacesDocumentId: version > 1 ? documentId(setId, version - 1) : undefined,
    effectiveTime: time,
  };
  return new TextEncoder().encode(`${JSON.stringify(body)}\n`);
}
