import type { PlatformAdapter } from './delivery/platform.ts';
import type { SourceAdapter } from './intake/source.ts';
import type { MessageReader } from './mapping/mapper.ts';
import type { FormatAdapter } from './rendering/format.ts';

/**
 * What the outside world offers, handed to the core by adapters/registry.ts. The core knows the
 * contracts only; no file under agent/ but main.ts and the worker entry names an adapter.
 */
export interface Registry {
  sources: SourceAdapter[];
  /** For each kind of source, how its profile is compiled. Throws QianzhiError CFG-5009 with `where` = line:column. */
  profiles: Array<{ sourceKinds: string[]; compile(profileText: string): MessageReader }>;
  formats: FormatAdapter[];
  platforms: PlatformAdapter[];
}
