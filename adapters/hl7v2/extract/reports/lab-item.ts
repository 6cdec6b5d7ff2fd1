import type { Interpretation, LabItem } from '../../../../agent/clinical/records/types.ts';
import type { StatusAction } from '../../../../agent/clinical/reports/types.ts';
import { explicitNull, fieldText, repetitionsOf, type Segment, unescapeText } from '../../parser.ts';
import { missingKey } from '../../profile/path-compile.ts';
import { codedOf, type Extraction, placeOf, remark, timeOf, valueBy } from '../reading.ts';
import { isPlainNumber } from './observation-value.ts';
import type { ResultGroup } from './result-groups.ts';

export interface ItemReading {
  item: LabItem;
  /** What the item's own status asks for; undefined when the code is not in the table. */
  action: StatusAction | undefined;
  segment: Segment;
}

/**
 * Reads one OBX; the scope's current OBX must be it. Undefined when it has neither code nor name.
 * @param index where the item stands in the record, for findings.
 */
export function readItem(x: Extraction, result: ResultGroup, index: number): ItemReading | undefined {
  const { items: paths } = x.rules;
  const item = codedOf(x, paths);
  if (item === undefined) return undefined;
  const value = valueBy(x, paths.value);
  const subId = valueBy(x, paths.subId);
  const flag = flagOf(x);
  const flags = flagsOf(x, flag);
  const interpretation = interpret(x, flags, index);
  const critical = flags.some((one) => x.rules.criticalFlags.has(one));
  const action = statusOf(x);
  const key = (item.code ?? item.name ?? '') + (subId === undefined ? '' : `/${subId}`);
  return {
    segment: result.obx,
    action,
    item: {
      key,
      item,
      value,
      numeric: value !== undefined && isPlainNumber(value),
      unit: valueBy(x, paths.unit),
      referenceRange: valueBy(x, paths.range),
      flag,
      interpretation,
      critical: critical ? true : undefined,
      testedAt: timeOf(x, paths.testedAt, 'testedAt', index),
      method: valueBy(x, paths.method),
      instrument: valueBy(x, paths.instrument),
      notes: result.notes.flatMap((note) => noteText(x, note)),
    },
  };
}

/** What the status of the current OBX asks for; undefined when the code is not in the table. */
export const statusOf = (x: Extraction): StatusAction | undefined =>
  x.rules.tables.itemStatus.get(valueBy(x, x.rules.items.status) ?? missingKey);

/** Items of a cancelled order go; an item posted as wrong still withdraws the whole report. */
export const withinOrder = (
  order: StatusAction | undefined,
  item: StatusAction | undefined,
): StatusAction | undefined => (order !== 'retract' || item === 'retract' ? item : 'remove-item');

/** The flag of the current OBX as sent. */
export const flagOf = (x: Extraction): string | undefined => valueBy(x, x.rules.items.flag)?.trim() || undefined;

/** The comment of an NTE (NTE-3), its repetitions as lines; nothing when it is blank. */
export function noteText(x: Extraction, note: Segment): string[] {
  const { message } = x.scope;
  const text = repetitionsOf(message, fieldText(message, note, 3))
    .map((line) => unescapeText(message, line))
    .join('\n');
  return text.trim() === '' || text === explicitNull ? [] : [text];
}

/** Codes of the flag: of each repetition its first component. */
export function flagsOf(x: Extraction, flag: string | undefined): string[] {
  if (flag === undefined) return [];
  const { repetition, component } = x.scope.message.delimiters;
  if (!flag.includes(repetition) && !flag.includes(component)) return [flag];
  const parts = repetition === '' ? [flag] : flag.split(repetition);
  return parts
    .map((part) => (component === '' ? part : (part.split(component)[0] ?? '')).trim())
    .filter((p) => p !== '');
}

/** Abnormal outweighs undetermined outweighs normal; one unknown flag leaves all open (MAP-3001). */
export function interpret(
  x: Extraction,
  flags: readonly string[],
  index: number,
  list: 'items' | 'sections' = 'items',
): Interpretation | undefined {
  const table = x.rules.tables.flags;
  if (flags.length === 0) return table.get(missingKey);
  let result: Interpretation = 'normal';
  for (const flag of flags) {
    const meaning = table.get(flag);
    if (meaning === undefined) {
      remark(x, 'MAP-3001', placeOf(index, 'flag', list), 'accuracy');
      return undefined;
    }
    if (meaning === 'abnormal' || (meaning === 'undetermined' && result === 'normal')) result = meaning;
  }
  return result;
}
