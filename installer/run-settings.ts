/**
 * What V8 is told in the binary, the demo and the tests; the start script in package.json says the same (decision 0007): small
 * young generations, no copy of V8's own code beside each thread's, no optimizing of what is not worth the memory it takes
 * (the HTTP parser's WebAssembly, and code that is about to be optimized for good), one thread instead of four for what it
 * does in the background, and to look for what is dead among all, a little at a time, once the heap has grown by a fifth.
 */
export const v8Flags = [
  '--max-semi-space-size=1',
  '--no-short-builtin-calls',
  '--liftoff-only',
  '--no-sparkplug',
  '--v8-pool-size=1',
  '--heap-growing-percent=20',
];

/** What the service definition adds to the environment (decision 0007): two arenas of the C library for all threads. */
export const serviceEnvironment = { MALLOC_ARENA_MAX: '2' };
