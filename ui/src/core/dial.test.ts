import { expect, test } from 'vitest';
import { CIRCLE, dialArc, dialPoint, dialSegments, GAUGE } from './dial';

test('a gauge goes from lower left to lower right, a circle begins at its top', () => {
  expect(dialPoint(GAUGE, 0, 40).y).toBeCloseTo(70);
  expect(dialPoint(GAUGE, 0.5, 40)).toMatchObject({ x: expect.closeTo(50), y: expect.closeTo(10) });
  expect(dialPoint(CIRCLE, 0, 40)).toMatchObject({ x: expect.closeTo(50), y: expect.closeTo(10) });
});

test('arcs: none of no length, a whole circle is drawn all the same', () => {
  expect(dialArc(GAUGE, 0.5, 0.5, 40)).toBe('');
  expect(dialArc(GAUGE, -1, 2, 40)).toBe(dialArc(GAUGE, 0, 1, 40));
  const [, start, end] = /^M(\S+ \S+)A40 40 0 1 1 (\S+ \S+)$/.exec(dialArc(CIRCLE, 0, 1, 40))!;
  expect(start).not.toBe(end);
});

test('segments fill the dial; a circle has a gap after its last one too', () => {
  const gauge = dialSegments(GAUGE, 4, 0.2);
  expect([gauge.length, gauge[0].from, gauge.at(-1)!.to]).toEqual([4, 0, expect.closeTo(1)]);
  expect(gauge[1].from - gauge[0].to).toBeCloseTo(0.05);
  expect(dialSegments(CIRCLE, 4, 0.2).at(-1)!.to).toBeCloseTo(0.95);
  expect(dialSegments(GAUGE, 1e9, 0)).toHaveLength(100);
  expect(dialSegments(GAUGE, NaN, 0)).toHaveLength(1);
});
