/** Small repeatable generator (mulberry32): the same seed plays the same traffic. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
export type Random = () => number;
export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

/** An invented person. Region 999999 is assigned to nobody; the checksum holds (GB 11643-1999). */
export interface InventedPatient {
  patientId: string;
  residentId: string;
  name: string;
  sex: 'M' | 'F';
  birthDate: string;
  phone: string;
}

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** Region 999999, birth date, a running number whose parity is the sex, and the check character. */
export function inventedResidentId(birthDate: string, running: number): string {
  const body = `999999${birthDate}${String(running).padStart(3, '0')}`;
  const sum = weights.reduce((total, weight, at) => total + weight * Number(body[at]), 0);
  return body + '10X98765432'[sum % 11]!;
}

const families = [
  '赵',
  '钱',
  '孙',
  '李',
  '周',
  '吴',
  '郑',
  '王',
  '冯',
  '陈',
  '褚',
  '卫',
  '蒋',
  '沈',
  '韩',
  '杨',
  '欧阳',
];
// 珅 玘 are among the characters whose second GB18030 byte is | or ^: a reader that splits before
// decoding breaks on them.
const given = ['试一', '示例', '珅', '玘', '演示', '样本', '小测', '范例', '𠮷人', '虚构', '文玘', '子珅'];

/** The demo's invented patients: the same ones for the same seed. */
export function inventPatients(random: Random, count: number): InventedPatient[] {
  return Array.from({ length: count }, (_, index) => {
    const sex = random() < 0.5 ? 'M' : 'F';
    const year = 1935 + Math.floor(random() * 80);
    const month = String(1 + Math.floor(random() * 12)).padStart(2, '0');
    const day = String(1 + Math.floor(random() * 28)).padStart(2, '0');
    const birthDate = `${year}${month}${day}`;
    const running = ((index * 2) % 998) + (sex === 'M' ? 1 : 2);
    return {
      patientId: `DEMO${String(index + 1).padStart(5, '0')}`,
      residentId: inventedResidentId(birthDate, running),
      name: pick(random, families) + given[index % given.length]!,
      sex,
      birthDate,
      phone: `1990000${String(index).padStart(4, '0')}`,
    };
  });
}
