import type { PlatformAdapter } from '../../../agent/delivery/platform.ts';
import { httpsConfig } from './config.ts';

/** The `https` platform: docs/platform-api.md over mutual TLS. The HTTP client is loaded when it is opened, not before listening. */
export const httpsPlatform: PlatformAdapter<typeof httpsConfig> = {
  kind: 'https',
  config: httpsConfig,
  open: async (context, config) => (await import('./platform.ts')).openHttps(context, config),
};
