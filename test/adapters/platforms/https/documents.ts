import type { OutboxDocument } from '../../../../agent/store/contract.ts';
import { phi } from '../../../../agent/support/phi.ts';

/** An outbox document of a report that nobody has. */
export function document(n: number, over: Partial<OutboxDocument> & { text?: string } = {}): OutboxDocument {
  const { text = `<ClinicalDocument><id extension="${n}"/></ClinicalDocument>`, ...rest } = over;
  return {
    n,
    key: `agent-1.x-${n}`,
    operation: 'publish',
    type: 'C0007',
    mediaType: 'application/xml',
    setId: `set-${n}`,
    version: 1,
    reportNumber: phi(`T${n}`),
    lane: `lane-${n}`,
    attempt: 1,
    createdMs: 0,
    received: false,
    bytes: phi(Buffer.from(text, 'utf8')),
    ...rest,
  };
}
