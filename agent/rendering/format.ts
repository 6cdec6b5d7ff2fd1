import type { ClinicalRecord, Finding } from '../clinical/records/types.ts';
import type { Phi } from '../support/phi.ts';

/** What the journal keeps of a record version: the record and the context it was made in. */
export interface JournalContent {
  record: ClinicalRecord;
  context: {
    receivedMs: number;
    source: string;
    timeZone: string;
    /** MSH-7 or the like, normalised; undefined when the sender gave none. */
    messageTime?: string;
    /** Organisation code of the institution it belongs to; absent: the site's own. */
    institution?: string;
  };
}

export interface RenderInput {
  content: JournalContent;
  action: 'publish' | 'retract';
  setId: string;
  version: number;
  /** The institution whose record it is. */
  site: { orgCode: string; name: string };
}

/** What a format makes of one record version. Deterministic: same input and pack, same bytes. */
export type RenderOutput =
  | {
      kind: 'document';
      /** Document type in the platform's words, for example `C0007`. */
      type: string;
      /** `application/xml`, `application/json` … decides the extension. */
      mediaType: string;
      bytes: Phi<Uint8Array>;
      reportNumber: Phi<string>;
      findings: Finding[];
    }
  | { kind: 'filtered'; rule: string }
  /** A MAP code of the error table and the model path or element concerned; never a value. */
  | { kind: 'held'; code: string; where: string };

export interface Renderer {
  render(input: RenderInput): RenderOutput;
  /** Hash of pack and code tables: when it changes, held documents are rendered again. */
  packHash: string;
  /** Parts of the pack that no source verifies, for the page and `config show`. */
  unverified: string[];
}

/** A family of wire formats, as rendering speaks it. */
export interface FormatAdapter {
  kind: string;
  /** `checked` is what `check` of the same format made. Throws QianzhiError CFG-… when a code table is bad. */
  compile(checked: unknown): Renderer;
}

/** How its packs are checked, once, before anything is opened: only the main thread needs YAML and schemas. */
export interface FormatCheck {
  /**
   * `packText` is the YAML of the pack; `overlay` are the platform's own values from the configuration.
   * Returns plain data. Throws QianzhiError CFG-… on a bad one.
   */
  check(packText: string, overlay: Record<string, unknown>): unknown;
}
