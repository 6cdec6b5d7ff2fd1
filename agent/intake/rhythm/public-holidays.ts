/**
 * Whether a local day is one on which a Chinese hospital may be as quiet as on its quietest weekday. The festivals are
 * those of the State Council's rule on public holidays (国务院令第795号); the days off around them are set anew each year,
 * so the three long ones reach as far as such notices do. Too long a holiday only makes us slower to call a sender silent.
 */
export function isPublicHoliday(year: number, month: number, day: number): boolean {
  if (month === 1) return day === 1 || isLunarHoliday(year, month, day);
  // 清明 is the solar term of 4 or 5 April, and at most a bridge of a weekend.
  if (month === 4) return day >= 3 && day <= 6;
  if (month === 5 && day <= 5) return true;
  if (month === 10 && day <= 8) return true;
  return isLunarHoliday(year, month, day);
}

const lunar = new Intl.DateTimeFormat('en-u-ca-chinese', { timeZone: 'UTC', month: 'numeric', day: 'numeric' });

function isLunarHoliday(year: number, month: number, day: number): boolean {
  const noon = Date.UTC(year, month - 1, day, 12);
  const [m, d] = lunarDay(noon);
  if (m === '1') return d <= 8;
  // 除夕 is the 29th or the 30th: whatever has the new year within two days.
  if (m === '12' && d >= 28) return lunarDay(noon + 2 * 86_400_000)[0] === '1';
  return (m === '5' && d === 5) || (m === '8' && d === 15);
}

/** A leap month is written as `6bis` and is none of those with a festival. */
function lunarDay(noonUtc: number): [month: string, day: number] {
  const parts = lunar.formatToParts(noonUtc);
  const of = (type: string): string => parts.find((p) => p.type === type)?.value ?? '';
  return [of('month'), Number(of('day'))];
}
