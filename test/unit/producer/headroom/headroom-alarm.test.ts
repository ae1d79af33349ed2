import { describe, expect, it } from 'vitest';
import { HeadroomAlarm } from '#producer/headroom/headroom-alarm.js';

/** What is said of each of these percentages in turn. */
function said(...percentages: number[]): (string | undefined)[] {
  const alarm = new HeadroomAlarm();
  return percentages.map((percent) => {
    const answer = alarm.judge(percent);
    return answer?.kind === 'low' ? `low ${answer.level}` : answer?.kind;
  });
}

describe('HeadroomAlarm', () => {
  it('speaks once at each level, and once of the recovery', () => {
    expect(said(90, 49, 45, 24, 24, 9, 1, 0, 30, 80, 90)).toEqual([
      undefined,
      'low 50',
      undefined,
      'low 25',
      undefined,
      'low 10',
      undefined,
      undefined,
      undefined,
      'recovered',
      undefined,
    ]);
  });

  it('leaves out levels that were jumped over', () => {
    expect(said(90, 5, 60)).toEqual([undefined, 'low 10', 'recovered']);
  });

  it('does not speak again and again at the edge of a level', () => {
    expect(said(49, 51, 49, 54, 49, 56, 49)).toEqual(['low 50', undefined, undefined, undefined, undefined, 'recovered', 'low 50']);
  });

  it('speaks again of a level that was left upwards', () => {
    expect(said(20, 40, 20, 9, 26, 9)).toEqual(['low 25', undefined, 'low 25', 'low 10', undefined, 'low 10']);
  });
});
