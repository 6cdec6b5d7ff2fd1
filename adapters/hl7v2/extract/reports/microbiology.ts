import type { Coded, Organism, Susceptibility } from '../../../../agent/clinical/records/types.ts';
import { drugsOf, keyOfLastDrug } from '../../../../agent/clinical/reports/parts.ts';
import type { ReportStatement, StatusAction } from '../../../../agent/clinical/reports/types.ts';
import { fieldText, type Segment, valueAt } from '../../parser.ts';
import { missingKey } from '../../profile/path-compile.ts';
import { codedOf, type Extraction, valueBy } from '../reading.ts';
import { observedText, valueTypeName } from './observation-value.ts';
import type { OrderGroup } from './result-groups.ts';

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
  /** Absent in a row that says of the organism only that it grew. */
  tested: Susceptibility | undefined;
}

/** What grew in one culture. */
interface Isolate {
  organism: Omit<Organism, 'susceptibilities'>;
  /** The order it grew in; of organism and drug in one OBX the order of these. */
  culture: OrderGroup | undefined;
  /** Whether its rows may be those of another order too: a sender may write an order for each drug. */
  spread: boolean;
  rows: Row[];
}

/** Collects what grew in a report, in the order it comes. */
export class Cultures {
  readonly #found = new Map<string, Isolate[]>();

  /** The current OBX as a drug of the organism that the order points at. */
  addLinked(x: Extraction, link: OrganismLink, action: StatusAction | undefined): boolean {
    const drug = codedOf(x, x.rules.items);
    if (drug === undefined) return false;
    this.#add({ ...link, spread: false }, undefined, { action, tested: susceptibilityOf(x, drug) });
    return true;
  }

  /** The current OBX as organism and, if it names one, drug. False when it names no organism: then it is an item. */
  addInline(x: Extraction, culture: OrderGroup, action: StatusAction | undefined): boolean {
    const inline = x.rules.microbiology?.inline;
    const organism = inline && codedOf(x, inline.organism);
    if (inline === undefined || organism === undefined) return false;
    const drug = codedOf(x, inline.drug);
    const isolate = { organism, subId: valueBy(x, inline.isolate), culture, spread: true };
    this.#add(isolate, valueBy(x, inline.quantity), { action, tested: drug && susceptibilityOf(x, drug) });
    return true;
  }

  #add(
    { organism, subId, culture, spread }: OrganismLink & { spread: boolean },
    quantity: string | undefined,
    row: Row,
  ): void {
    const key = (organism.code ?? organism.name ?? '') + (subId === undefined ? '' : `/${subId}`);
    const isolates = this.#found.get(key) ?? [];
    this.#found.set(key, isolates);
    let isolate = isolates.find((one) => one.culture === culture);
    if (isolate === undefined) {
      isolate = { organism: { key, organism }, culture, spread, rows: [] };
      isolates.push(isolate);
    }
    if (quantity !== undefined) isolate.organism.quantity ??= quantity;
    isolate.rows.push(row);
  }

  /**
   * What grew, and what becomes of it by the statuses of its rows. The same organism of two cultures (two bottles) is two,
   * told apart by `#2` in their order: the drugs of one must not pass for the other's.
   */
  settle(itemActions: ReportStatement['itemActions']): Organism[] {
    return [...this.#found.values()].flatMap((isolates) =>
      joined(isolates).map(({ organism, rows }, n) => {
        const key = n === 0 ? organism.key : `${organism.key}#${n + 1}`;
        return settleRows({ ...organism, key }, rows, itemActions);
      }),
    );
  }
}

/** Isolates of which no drug was tested twice are one, when their sender may have spread it over orders. */
function joined(isolates: readonly Isolate[]): Isolate[] {
  const cultures: Isolate[] = [];
  for (const isolate of isolates) {
    const drugs = keptDrugs(isolate.rows);
    const same = cultures.find(
      (one) => one.spread && isolate.spread && ![...keptDrugs(one.rows)].some((drug) => drugs.has(drug)),
    );
    if (same === undefined) cultures.push({ ...isolate, rows: [...isolate.rows] });
    else {
      same.rows.push(...isolate.rows);
      same.organism = { ...isolate.organism, ...same.organism };
    }
  }
  return cultures;
}

const nameOfDrug = ({ drug }: Susceptibility): string => drug.code ?? drug.name ?? '';
const keptDrugs = (rows: readonly Row[]): Set<string> =>
  new Set(rows.flatMap(({ action, tested }) => (tested && action !== 'remove-item' ? [nameOfDrug(tested)] : [])));

/**
 * The drugs of one organism, and their actions. A removed one beside a kept one of the same drug is its former value. An
 * organism goes, or waits, as its own row says; without one, with the last of its drugs.
 */
function settleRows(
  organism: Omit<Organism, 'susceptibilities'>,
  rows: readonly Row[],
  itemActions: ReportStatement['itemActions'],
): Organism {
  const kept = keptDrugs(rows);
  const drugRows = rows.filter(
    ({ action, tested }) => tested && !(action === 'remove-item' && kept.has(nameOfDrug(tested))),
  );
  const settled: Organism = { ...organism, susceptibilities: drugRows.flatMap(({ tested }) => tested ?? []) };
  for (const [i, { key }] of drugsOf(settled).entries()) {
    const action = drugRows[i]?.action;
    if (action === 'hold' || action === 'remove-item') itemActions[key] = action;
  }
  const own = rows.filter(({ tested }) => tested === undefined);
  const place = own.length > 0 ? organism.key : keyOfLastDrug(organism.key);
  const deciding = own.length > 0 ? own : drugRows;
  const left = deciding.filter(({ action }) => action !== 'remove-item');
  if (left.length === 0) itemActions[place] = 'remove-item';
  else if (left.every(({ action }) => action === 'hold')) itemActions[place] = 'hold';
  return settled;
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
