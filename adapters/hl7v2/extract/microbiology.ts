import type { Coded, Organism, Susceptibility } from '../../../agent/clinical/records/types.ts';
import type { ReportStatement, StatusAction } from '../../../agent/clinical/reports/types.ts';
import { fieldText, type Segment, valueAt } from '../parser.ts';
import { missingKey } from '../profile/path-compile.ts';
import type { OrderGroup } from './groups.ts';
import { observedText, valueTypeName } from './observation-value.ts';
import { codedOf, type Extraction, valueBy } from './reading.ts';

/** The organism that an order's susceptibilities are about. */
export interface OrganismLink {
  organism: Coded;
  subId: string | undefined;
  /** The order it grew in, when that is in the message. */
  culture: OrderGroup | undefined;
}

interface Grown {
  culture: OrderGroup;
  subId: string | undefined;
  organism: Coded;
}

/** More results of one code than this have no culture of one patient: which is meant nobody could say. */
const mostGrown = 64;

/**
 * Finds the organism that an order points at by OBR-26 (parent result: identifier, sub-id, text) and OBR-29 (parent
 * order), when its results say how drugs work (table of the profile). A reflex test points at a result too, and is none.
 * Undefined as well when it cannot be told which organism is meant: the results stay items then, and nothing is guessed.
 */
export class OrganismLinks {
  readonly #x: Extraction;
  readonly #orders: readonly OrderGroup[];
  /** Results of the orders before `#seen`, by code; made when the first order points at one. */
  readonly #grown = new Map<string, Grown[]>();
  #seen = 0;

  constructor(x: Extraction, orders: readonly OrderGroup[]) {
    this.#x = x;
    this.#orders = orders;
  }

  /** @param at place of the order among those given. */
  of(group: OrderGroup, at: number): OrganismLink | undefined {
    const x = this.#x;
    const { microbiology } = x.rules;
    const { OBR } = group.segments;
    const { message } = x.scope;
    if (microbiology === undefined || OBR === undefined || fieldText(message, OBR, 26) === '') return undefined;
    const part = (field: number, component: number, sub?: number): string | undefined =>
      valueAt(message, OBR, field, 1, component, sub).trim() || undefined;
    const tests = group.results.some(({ obx }) => {
      x.scope.current.OBX = obx;
      return microbiology.results.has(valueBy(x, microbiology.result) ?? missingKey);
    });
    if (!tests) return undefined;

    const code = part(26, 1, 1);
    const subId = part(26, 2);
    const text = part(26, 3);
    const placer = part(29, 1, 1);
    const filler = part(29, 2, 1);
    const isParent = ({ segments: { OBR: parent } }: OrderGroup): boolean => {
      if (placer === undefined && filler === undefined) return true;
      const is = (field: number, wanted: string | undefined): boolean =>
        parent !== undefined && wanted !== undefined && valueAt(message, parent, field).trim() === wanted;
      return is(2, placer) || is(3, filler);
    };
    const grown = code === undefined ? [] : this.#grownBefore(at, code);
    if (grown.length > mostGrown) return undefined;
    const found = grown.filter((one) => (subId === undefined || one.subId === subId) && isParent(one.culture));
    const [only, ...others] = found.length > 1 ? found.filter(({ organism }) => organism.name === text) : found;
    if (only !== undefined && others.length === 0) return { organism: only.organism, subId, culture: only.culture };
    return found.length === 0 && text !== undefined
      ? { organism: { name: text }, subId, culture: undefined }
      : undefined;
  }

  #grownBefore(at: number, code: string): Grown[] {
    const x = this.#x;
    for (; this.#seen < at; this.#seen++) {
      const culture = this.#orders[this.#seen];
      for (const { obx } of culture?.results ?? []) {
        x.scope.current.OBX = obx;
        const item = valueBy(x, x.rules.items.code);
        const organism = codedValue(x, obx);
        if (culture === undefined || item === undefined || organism === undefined) continue;
        const known = this.#grown.get(item) ?? [];
        known.push({ culture, subId: valueBy(x, x.rules.items.subId), organism });
        this.#grown.set(item, known);
      }
    }
    return this.#grown.get(code) ?? [];
  }
}

/** An observed value as code and name. */
function codedValue(x: Extraction, obx: Segment): Coded | undefined {
  const { message } = x.scope;
  if (!/^(CE|CWE|CNE|CF)$/.test(valueTypeName(message, obx))) {
    const name = observedText(message, obx, 5)?.trim();
    return name === undefined ? undefined : { name };
  }
  const code = valueAt(message, obx, 5, 1, 1).trim();
  const name = valueAt(message, obx, 5, 1, 2).trim();
  return code === '' && name === '' ? undefined : { ...(code !== '' && { code }), ...(name !== '' && { name }) };
}

/** Whether the order's results name organism and drug in one OBX each, as some Chinese senders do. */
export function isInline(x: Extraction): boolean {
  const inline = x.rules.microbiology?.inline;
  return inline?.values.has(valueBy(x, inline.when) ?? missingKey) ?? false;
}

interface Row {
  action: StatusAction | undefined;
  susceptibility: Susceptibility | undefined;
}

/** Collects what grew in a report, in the order it comes. */
export class Cultures {
  readonly #found = new Map<string, { organism: Omit<Organism, 'susceptibilities'>; rows: Row[] }>();

  /** The current OBX as a drug of the organism that the order points at. */
  addLinked(x: Extraction, link: OrganismLink, action: StatusAction | undefined): boolean {
    const drug = codedOf(x, x.rules.items);
    if (drug === undefined) return false;
    this.#add(link.organism, link.subId, undefined, { action, susceptibility: susceptibilityOf(x, drug) });
    return true;
  }

  /** The current OBX as organism and, if it names one, drug. False when it names no organism: then it is an item. */
  addInline(x: Extraction, action: StatusAction | undefined): boolean {
    const inline = x.rules.microbiology?.inline;
    const organism = inline && codedOf(x, inline.organism);
    if (inline === undefined || organism === undefined) return false;
    const drug = codedOf(x, inline.drug);
    this.#add(organism, valueBy(x, inline.isolate), valueBy(x, inline.quantity), {
      action,
      susceptibility: drug && susceptibilityOf(x, drug),
    });
    return true;
  }

  #add(organism: Coded, subId: string | undefined, quantity: string | undefined, row: Row): void {
    const key = (organism.code ?? organism.name ?? '') + (subId === undefined ? '' : `/${subId}`);
    const known = this.#found.get(key) ?? { organism: { key, organism }, rows: [] };
    if (quantity !== undefined) known.organism.quantity ??= quantity;
    known.rows.push(row);
    this.#found.set(key, known);
  }

  /**
   * What grew, and what becomes of it by the statuses of its rows: rows that are removed are left out, and an organism goes
   * with the last of them.
   */
  settle(itemActions: ReportStatement['itemActions']): Organism[] {
    return [...this.#found.values()].map(({ organism, rows }) => {
      const kept = rows.filter(({ action }) => action !== 'remove-item');
      if (kept.length === 0) itemActions[organism.key] = 'remove-item';
      else if (kept.some(({ action }) => action === 'hold')) itemActions[organism.key] = 'hold';
      return { ...organism, susceptibilities: kept.flatMap(({ susceptibility }) => susceptibility ?? []) };
    });
  }
}

function susceptibilityOf(x: Extraction, drug: Coded): Susceptibility {
  const { items, microbiology } = x.rules;
  return {
    drug,
    value: valueBy(x, items.value),
    unit: valueBy(x, items.unit),
    method: valueBy(x, items.method),
    result: valueBy(x, microbiology?.result),
  };
}
