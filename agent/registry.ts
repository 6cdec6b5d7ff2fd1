import type { z } from 'zod';
import type { ImagePlatformAdapter } from './delivery/image-platform.ts';
import type { PlatformAdapter } from './delivery/platform.ts';
import type { ImageReader } from './images/image-reader.ts';
import type { UrgencyRule } from './images/urgency.ts';
import type { ImageSourceAdapter } from './intake/instance.ts';
import type { FileSourceContext, SourceAdapter } from './intake/source.ts';
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

/** Organisation codes that a profile maps to, with where they stand in it. */
export interface NamedOrganisations {
  numbers: 'own' | 'shared';
  named: Array<{ path: string[]; code: string }>;
}

/** How profiles are checked, before anything is opened: only the main thread needs YAML and schemas. */
export interface ProfileCheck {
  check(profileText: string, file?: string): unknown;
  /** What a checked profile says of institutions; undefined: it tells none apart. */
  organisations?(checked: unknown): NamedOrganisations | undefined;
}

/**
 * What the outside world offers, handed to the core by adapters/registry.ts. The core knows the
 * contracts only; no file under agent/ but main.ts and the worker entry names an adapter.
 */
export interface Registry extends Languages {
  sources: SourceAdapter<z.ZodObject, FileSourceContext>[];
  imageSources: ImageSourceAdapter[];
  /** `check` throws ConfigError with an issue (CFG-5009) for each mistake, at its line and column of `file`. */
  profiles: Array<ProfileLanguage & ProfileCheck>;
  formats: Array<FormatAdapter & FormatCheck>;
  platforms: PlatformAdapter[];
  /** Those that take images, not documents. */
  imagePlatforms: ImagePlatformAdapter[];
}
