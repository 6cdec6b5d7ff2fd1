import type { Interpretation } from '../../../../agent/clinical/records/types.ts';
import { el, type Filled, pattern, shared, type XmlElement, type XmlNode } from '../../xml.ts';
import type { DataElementKey, Tables } from '../pack/tables.ts';

/** An observation of a data element: its code, then what is observed. */
export const observation = (
  tables: Tables,
  key: DataElementKey,
  children: ReadonlyArray<XmlNode | undefined>,
): XmlElement => el('observation', { classCode: 'OBS', moodCode: 'EVN' }, [tables.dataElement[key], ...children]);

export const textValue = (text: string): XmlElement => el('value', { 'xsi:type': 'ST' }, text);

export const component = (child: XmlElement): XmlElement => el('component', {}, [child]);

/** effectiveTime of an observation. */
export const effectiveTime = pattern<[time: string]>(1, (value) => el('effectiveTime', { value }));

/** What an item of a report is written with: a report has many, and little differs between them. */
export interface ItemPatterns {
  /** All of an item: when it was tested, its code, the specimen's elements, its result code, its quantity. */
  organizer(
    tested: XmlNode | undefined,
    code: string,
    specimen: XmlElement[],
    result: XmlElement | undefined,
    quantity: XmlNode | undefined,
  ): Filled;
  /** The result code (正常, 异常 …) of an interpretation; undefined when the table has none for it. */
  result(interpretation: Interpretation): XmlElement | undefined;
  /** The same of an examination. */
  examResult(interpretation: Interpretation): XmlElement | undefined;
  /** The digits of a REAL and the element of its unit. */
  quantity(digits: string, unit: XmlNode | undefined): Filled;
  unit(text: string): Filled;
}

const made = new WeakMap<Tables, ItemPatterns>();

/** The patterns of a pack's tables, made at the first report. */
export function itemPatterns(tables: Tables): ItemPatterns {
  let patterns = made.get(tables);
  if (patterns === undefined) {
    patterns = makePatterns(tables);
    made.set(tables, patterns);
  }
  return patterns;
}

function makePatterns(tables: Tables): ItemPatterns {
  const results = (key: 'resultCode' | 'examResultCode') => {
    const known = new Map<string, XmlElement | undefined>();
    return (interpretation: string): XmlElement | undefined => {
      if (!known.has(interpretation)) known.set(interpretation, resultCode(tables, key, interpretation));
      return known.get(interpretation);
    };
  };
  return {
    organizer: pattern(5, (tested, code, specimen, result, quantity) =>
      el('organizer', { classCode: 'CLUSTER', moodCode: 'EVN' }, [
        el('statusCode'),
        component(observation(tables, 'item', [tested, textValue(code ?? ''), specimen])),
        result,
        quantity,
      ]),
    ),
    result: results('resultCode'),
    examResult: results('examResultCode'),
    quantity: pattern(2, (digits, unit) =>
      component(observation(tables, 'quantity', [el('value', { 'xsi:type': 'REAL', value: digits }), unit])),
    ),
    unit: pattern(1, (text) =>
      el('entryRelationship', { typeCode: 'COMP' }, [observation(tables, 'unit', [textValue(text ?? '')])]),
    ),
  };
}

function resultCode(
  tables: Tables,
  key: 'resultCode' | 'examResultCode',
  interpretation: string,
): XmlElement | undefined {
  const row = tables.labResult(interpretation);
  if (row === undefined) return undefined;
  const { oid, name } = tables.oid.resultCode;
  const value = el('value', {
    'xsi:type': 'CD',
    code: row.code,
    codeSystem: oid,
    codeSystemName: name,
    displayName: row.name,
  });
  return shared(component(observation(tables, key, [value])));
}
