/** 2026-11-22 02:41:07 in Shanghai. */
export const night = Date.UTC(2026, 10, 21, 18, 41, 7);
