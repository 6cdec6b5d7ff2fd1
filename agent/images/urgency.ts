import type { ImageFacts } from './image-reader.ts';

/** Which instances make their study urgent, as the source profile says; an absent list names none. */
export interface UrgencyRule {
  /** Modality (0008,0060), as sent. */
  modalities?: string[];
  /** Requested Procedure Priority (0040,1003), as sent: `STAT`, `HIGH` … */
  priorities?: string[];
}

export const isUrgent = (facts: ImageFacts, rule: UrgencyRule): boolean =>
  (facts.modality !== undefined && rule.modalities?.includes(facts.modality) === true) ||
  (facts.priority !== undefined && rule.priorities?.includes(facts.priority) === true);
