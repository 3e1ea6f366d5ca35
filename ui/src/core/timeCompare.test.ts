import { expect, test } from 'vitest';
import { makeFrame } from './frames';
import { comparedBack, comparedFrames, offersComparison } from './timeCompare';

const range = { from: 1000, to: 4000 };

test.each([[true, undefined], ['', undefined], ['nonsense', undefined], ['__previousPeriod', 3000], ['24h', 864e5], ['1w', 7 * 864e5]])('%s looks back by %s ms', (choice, back) => {
  expect(comparedBack(choice, range)).toBe(back);
});

test('what was before stands where it is compared, dashed, unstacked, in the colour of its like', () => {
  const before = makeFrame([{ name: 'Time', type: 'time', values: [10, 20] }, { name: 'cpu', type: 'number', values: [1, 2], config: { unit: 's', custom: { stacking: { mode: 'normal' }, lineWidth: 3 } } }, { name: 'gone', type: 'number', values: [3, 4], config: { color: { mode: 'palette-classic' } } }], { refId: 'A' });
  const [frame] = comparedFrames([before], 1000, (name) => (name === 'cpu' ? '#ff0000' : undefined));
  expect(frame.refId).toBe('A-compare');
  expect(frame.fields[0].values).toEqual([1010, 1020]);
  expect(frame.fields[1].config).toMatchObject({ displayName: 'cpu (before)', unit: 's', color: { mode: 'fixed', fixedColor: '#ff0000' }, custom: { lineWidth: 3, lineStyle: { fill: 'dash' }, stacking: undefined } });
  expect(frame.fields[2].config.color).toEqual({ mode: 'palette-classic' });
  expect(before.fields[1].config.displayName).toBeUndefined();
});

test.each([[true, true], ['24h', true], [{ timeCompare: true }, true], [{ timeCompare: false }, false], [false, false], [undefined, false], [null, false]])('%j offers a comparison: %s', (option, offers) => {
  expect(offersComparison(option)).toBe(offers);
});
