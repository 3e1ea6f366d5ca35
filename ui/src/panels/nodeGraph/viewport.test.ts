import { expect, test } from 'vitest';
import { fit, reveal, zoom } from './viewport';

const at = (view: { scale: number; x: number; y: number }, x: number, y: number) => [x * view.scale + view.x, y * view.scale + view.y];

test('fit puts the middle in the middle, and shrinks what is too large', () => {
  const view = fit([{ x: 0, y: 0 }, { x: 800, y: 200 }], 500, 400, 100);
  expect(view.scale).toBe(0.5);
  expect(at(view, 400, 100)).toEqual([250, 200]);
  expect(fit([{ x: 0, y: 0 }], 500, 400, 50).scale).toBe(1);
  expect(fit([], 500, 400, 50)).toEqual({ scale: 1, x: 250, y: 200 });
});

test('what is under the pointer stays there while zooming, up to the limits', () => {
  const view = zoom({ scale: 1, x: 10, y: 20 }, 2, 110, 70);
  expect(at(view, 100, 50)).toEqual([110, 70]);
  expect(zoom(view, 100, 0, 0).scale).toBe(2.5);
  expect(zoom(view, 0.001, 0, 0).scale).toBe(0.08);
});

test('reveal moves only as far as it must', () => {
  const view = { scale: 1, x: 0, y: 0 };
  expect(reveal(view, { x: 50, y: 50 }, 100, 100, 20)).toEqual(view);
  expect(reveal(view, { x: 150, y: 5 }, 100, 100, 20)).toEqual({ scale: 1, x: -70, y: 15 });
});
