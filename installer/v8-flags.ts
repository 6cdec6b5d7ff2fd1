/** What V8 is told in the binary, the demo and the tests; the start script in package.json says the same (decision 0007). */
export const v8Flags = ['--max-semi-space-size=2'];
