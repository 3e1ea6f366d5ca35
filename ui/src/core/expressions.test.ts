import { describe, expect, test } from 'vitest';
import { buildExpression, hiddenInputs, isExpression, refsOf } from './expressions';

const target = (refId: string, parts: object = {}) => ({ refId, ...parts });

describe('what an expression refers to', () => {
  test.each([
    [{ type: 'math', expression: '$A / ${B c} + $A' }, ['A', 'B c']],
    [{ type: 'reduce', expression: 'A' }, ['A']],
    [{ type: 'resample', expression: '$A' }, ['A']],
    [{ type: 'classic_conditions', conditions: [{ query: { params: ['A'] } }, { query: { params: ['B'] } }, {}] }, ['A', 'B']],
    [{ type: 'math' }, []],
  ])('%j', (parts, expected) => expect(refsOf(target('X', parts))).toEqual(expected));
});

test('hidden queries are needed by shown expressions, over any number of steps, and cycles end', () => {
  const targets = [
    target('A', { hide: true }),
    target('B', { type: 'reduce', expression: 'A', hide: true }),
    target('C', { type: 'math', expression: '$B + $C' }),
    target('D', { hide: true }),
  ];
  expect([...hiddenInputs(targets, (t) => 'type' in t)]).toEqual(['B', 'C', 'A']);
});

test('variables are filled in, but not the names of queries', () => {
  const scope = new Map([['A', { value: '7' }], ['limit', { value: '5' }]]);
  expect(buildExpression(target('B', { type: 'math', expression: '$A > $limit', window: '${limit}m' }), scope, new Set(['A', 'B']))).toMatchObject({ expression: '$A > 5', window: '5m' });
});

test('old and present names of their datasource', () => {
  expect([{ uid: '__expr__' }, { uid: '-100' }, { type: '__expr__' }, { uid: 'prom', type: 'prometheus' }, undefined].map(isExpression)).toEqual([true, true, true, false, false]);
});
