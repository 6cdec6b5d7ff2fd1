import type {
  Attachment,
  Interpretation,
  ReportSection,
  SectionRole,
} from '../../../../agent/clinical/records/types.ts';
import type { ReportStatement, StatusAction } from '../../../../agent/clinical/reports/types.ts';
import { codedOf, type Extraction, remark, valueBy } from '../reading.ts';
import { attach, isAddress } from './attachments.ts';
import { flagOf, flagsOf, interpret, noteText, statusOf, withinOrder } from './lab-item.ts';
import { insteadOfValue } from './observation-value.ts';
import type { ResultGroup } from './result-groups.ts';

/** What the code, the name or the sub-id of the current OBX is as a title; undefined when no table knows it. */
export function roleOf(x: Extraction): SectionRole | 'attachment' | undefined {
  const { items, tables } = x.rules;
  for (const path of [items.code, items.name, items.subId]) {
    const title = valueBy(x, path);
    const role = title === undefined ? undefined : tables.examSections.get(title);
    if (role !== undefined) return role;
  }
  return undefined;
}

interface Line {
  section: Omit<ReportSection, 'text'>;
  text: string;
  action: StatusAction | undefined;
}

/** Titled text of a report or document, gathered OBX by OBX. */
export class Sections {
  readonly attachments: Attachment[] = [];
  readonly remarks: string[] = [];
  /** The status of every OBX; undefined is one that is in no table. */
  readonly actions: Array<StatusAction | undefined> = [];
  interpretation: Interpretation | undefined;
  critical = false;
  readonly #lines: Line[] = [];
  readonly #x: Extraction;

  constructor(x: Extraction) {
    this.#x = x;
  }

  add({ obx, notes }: ResultGroup, orderAction: StatusAction | undefined): void {
    const x = this.#x;
    x.scope.current.OBX = obx;
    const action = withinOrder(orderAction, statusOf(x));
    this.actions.push(action);
    for (const note of notes) this.remarks.push(...noteText(x, note));
    const instead = insteadOfValue(x.scope.message, obx);
    if (instead === 'waveform') {
      remark(x, 'MAP-3024', 'OBX', 'completeness');
      return;
    }
    const role = roleOf(x);
    const value = valueBy(x, x.rules.items.value);
    if (instead === 'payload' || (value !== undefined && (role === 'attachment' || isAddress(value)))) {
      if (action === 'remove-item') return;
      attach(x, this.attachments, obx);
      return;
    }
    if (value === undefined || role === 'attachment') return;
    const unit = valueBy(x, x.rules.items.unit);
    const text = value.replace(/\r\n?/g, '\n') + (unit === undefined ? '' : ` ${unit}`);
    if (action !== 'remove-item') this.#flag();
    this.#lines.push({ section: this.#titleOf(role), text, action });
  }

  /** Findings and impression are each one section whatever their titles; others are told apart by code or title. */
  #titleOf(role: SectionRole | undefined): Line['section'] {
    const x = this.#x;
    const coded = codedOf(x, x.rules.items);
    const subId = valueBy(x, x.rules.items.subId);
    const title = coded ?? (subId === undefined ? {} : { name: subId });
    const key = role === 'findings' || role === 'impression' ? role : (title.code ?? title.name ?? 'text');
    return { key, role: role ?? 'other', title };
  }

  /** Abnormal outweighs undetermined outweighs normal. */
  #flag(): void {
    const x = this.#x;
    const flag = flagOf(x);
    if (flag === undefined) return;
    const flags = flagsOf(x, flag);
    const found = interpret(x, flags, this.#lines.length, 'sections');
    if (found === 'abnormal' || this.interpretation === undefined || this.interpretation === 'normal') {
      this.interpretation = found ?? this.interpretation;
    }
    this.critical ||= flags.some((one) => x.rules.criticalFlags.has(one));
  }

  /** Sections in the order they begin. A removed line is left out, and a section goes with the last of its lines. */
  settle(itemActions: ReportStatement['itemActions']): ReportSection[] {
    const byKey = new Map<string, Line[]>();
    for (const line of this.#lines) {
      const lines = byKey.get(line.section.key);
      if (lines === undefined) byKey.set(line.section.key, [line]);
      else lines.push(line);
    }
    return [...byKey].map(([key, lines]) => {
      const kept = lines.filter(({ action }) => action !== 'remove-item');
      if (kept.length === 0) itemActions[key] = 'remove-item';
      else if (kept.some(({ action }) => action === 'hold')) itemActions[key] = 'hold';
      const [first] = lines;
      const text = (kept.length === 0 ? lines : kept).map((line) => line.text).join('\n');
      return { ...(first?.section ?? { key, role: 'other', title: {} }), text };
    });
  }
}
