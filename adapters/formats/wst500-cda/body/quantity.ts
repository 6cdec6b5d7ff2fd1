import type { LabItem } from '../../../../agent/clinical/records/types.ts';
import type { Form } from '../elements.ts';

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
const strictDecimal = /^(-?\d{1,5})(?:\.(\d{0,4}))?$/;

/**
 * The item's value as the digits of a REAL, or undefined when it must go as text. Base keeps the
 * digits as the laboratory gave them. Strict wants exactly four decimals and at most five integer
 * digits (formats.md §1.8): zeros are appended, nothing is rounded or cut.
 */
export function realDigits(item: Pick<LabItem, 'numeric' | 'value'>, form: Form): string | undefined {
  if (!item.numeric || item.value === undefined) return undefined;
  if (form === 'base') return decimal.test(item.value) ? item.value : undefined;
  const match = strictDecimal.exec(item.value);
  return match === null ? undefined : `${match[1]}.${(match[2] ?? '').padEnd(4, '0')}`;
}
