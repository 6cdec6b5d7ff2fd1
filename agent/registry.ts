import type { ImagePlatformAdapter } from './delivery/image-platform.ts';
import type { PlatformAdapter } from './delivery/platform.ts';
import type { ImageReader } from './images/image-reader.ts';
import type { UrgencyRule } from './images/urgency.ts';
import type { ImageSourceAdapter } from './intake/instance.ts';
import type { SourceAdapter } from './intake/source.ts';
import type { MessageReader } from './mapping/mapper.ts';
import type { FormatAdapter, FormatCheck } from './rendering/format.ts';
import type { StudyClock } from './store/image-contract.ts';

/** How the profiles of some kinds of source are compiled: from the plain data that their check made. */
export interface ProfileLanguage {
  sourceKinds: string[];
  compile(checked: unknown): MessageReader;
  /** Of sources of images: how instances are read and their studies put together. */
  images?(checked: unknown): ImageRules;
}

export interface ImageRules {
  reader: ImageReader;
  urgency: UrgencyRule;
  clock: StudyClock;
  /** Stands between the accession numbers of several orders in one value. */
  accessionSeparator?: string | undefined;
}

/** What mapping and rendering speak. */
export interface Languages {
  profiles: ProfileLanguage[];
  formats: FormatAdapter[];
}

/**
 * What the outside world offers, handed to the core by adapters/registry.ts. The core knows the
 * contracts only; no file under agent/ but main.ts and the worker entry names an adapter.
 */
export interface Registry extends Languages {
  sources: SourceAdapter[];
  imageSources: ImageSourceAdapter[];
  /** `check` throws QianzhiError CFG-5009 with `where` = line:column. */
  profiles: Array<ProfileLanguage & { check(profileText: string): unknown }>;
  formats: Array<FormatAdapter & FormatCheck>;
  platforms: PlatformAdapter[];
  /** Those that take images, not documents. */
  imagePlatforms: ImagePlatformAdapter[];
}
