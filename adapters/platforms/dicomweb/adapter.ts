import type { ImagePlatformAdapter } from '../../../agent/delivery/image-platform.ts';
import { dicomwebConfig } from './config.ts';

/** The `dicomweb` platform: STOW-RS and QIDO-RS (PS3.18 §10.5, §10.6) over mutual TLS. The HTTP client is loaded when it is opened, not before listening. */
export const dicomwebPlatform: ImagePlatformAdapter<typeof dicomwebConfig> = {
  kind: 'dicomweb',
  config: dicomwebConfig,
  open: async (context, config) => (await import('./platform.ts')).openDicomweb(context, config),
};
