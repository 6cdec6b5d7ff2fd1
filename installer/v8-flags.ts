/**
 * What V8 is told in the binary, the demo and the tests; the start script in package.json says the same (decision 0007): small
 * young generations, and no copy of V8's own code beside each thread's.
 */
export const v8Flags = ['--max-semi-space-size=1', '--no-short-builtin-calls'];
