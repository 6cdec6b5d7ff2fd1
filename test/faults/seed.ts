/**
 * The seed of a test's random part: QIANZHI_SEED to repeat a run; by the clock in the proof, which looks for what nobody
 * thought of; always the same in the gate, which tells what a change broke.
 */
export const chooseSeed = (): number =>
  Number(process.env.QIANZHI_SEED ?? (process.env.QIANZHI_PROOF === '1' ? Date.now() % 1_000_000 : 2));
