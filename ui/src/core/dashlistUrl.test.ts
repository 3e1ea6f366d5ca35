import { expect, test } from 'vitest';
import { listedUrl } from './dashlistUrl';

const scope = new Map([['__from', { value: '1000', text: '' }], ['__to', { value: '2000', text: '' }], ['host', { value: ['a', 'b c'], text: '' }]]) as never;

test('range and variables go along where that is wanted', () => {
  expect(listedUrl('/d/x/y', scope, { keepTime: false, includeVars: false })).toBe('/d/x/y');
  expect(listedUrl('/d/x/y', scope, { keepTime: true, includeVars: false })).toBe('/d/x/y?from=1000&to=2000');
  expect(listedUrl('/d/x/y?kiosk', scope, { keepTime: true, includeVars: true })).toBe('/d/x/y?kiosk&from=1000&to=2000&var-host=a&var-host=b%20c');
});
