import { z } from 'zod';

/**
 * A configured path to a file. The mark tells the configuration loader to resolve a relative path
 * against the folder of the configuration file, so that adapters always see absolute paths.
 */
export const filePath = () => z.string().min(1).meta({ filePath: true });
