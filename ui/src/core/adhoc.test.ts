import { describe, expect, test } from 'vitest';
import { applyFilters, filterText, parseFilter, type AdhocFilter } from './adhoc';

const F: AdhocFilter[] = [{ key: 'a', operator: '=', values: ['x'] }];

describe('filters go into every selector of PromQL', () => {
  test.each([
    ['up', 'up{a="x"}'],
    ['up{}', 'up{a="x"}'],
    ['up { job="b", }', 'up {a="x",  job="b", }'],
    ['{__name__="up"}', '{a="x", __name__="up"}'],
    ['sum by (job, up) (rate(http:r_total{c="}"}[5m])) / on(b) group_left up', 'sum by (job, up) (rate(http:r_total{a="x", c="}"}[5m])) / on(b) group_left up{a="x"}'],
    ['SUM(up) BY (up) > bool 5m', 'SUM(up{a="x"}) BY (up) > bool 5m'],
    ['sum without (le) (up offset 5m) and up @ start() or Inf', 'sum without (le) (up{a="x"} offset 5m) and up{a="x"} @ start() or Inf'],
    ['label_replace(up, "up", "$1", \'{up}\', `up{`)', 'label_replace(up{a="x"}, "up", "$1", \'{up}\', `up{`)'],
    ['up # up{}\n+ 1e3', 'up{a="x"} # up{}\n+ 1e3'],
    ['up{# none\nb="c" # end\n}', 'up{a="x", # none\nb="c" # end\n}'],
    ['max_over_time(up[1h:5m])', 'max_over_time(up{a="x"}[1h:5m])'],
    ['vector(1)', 'vector(1)'],
    ['up{b="', 'up{a="x", b="'],
  ])('%s', (expr, expected) => expect(applyFilters(expr, F)).toBe(expected));
});

test('LogQL: only stream selectors', () => {
  expect(applyFilters('sum by (b) (rate({job="b"} |= "{" | json | line_format `{{.a}}` [5m]))', F, 'logql')).toBe('sum by (b) (rate({a="x", job="b"} |= "{" | json | line_format `{{.a}}` [5m]))');
});

test('values cannot leave their string', () => {
  expect(applyFilters('up', [{ key: 'a', operator: '!=', values: ['"} or b{c="\\\n'] }])).toBe('up{a!="\\"} or b{c=\\"\\\\\\n"}');
  expect(applyFilters('up', [{ key: 'a.b', operator: '=|', values: ['x', 'y.z'] }])).toBe('up{"a.b"=~"x|y\\\\.z"}');
});

test('the form of the address', () => {
  const filter = { key: 'a', operator: '=~', values: ['x|y,z'] };
  expect(filterText(filter)).toBe('a|=~|x__gfp__y__gfc__z');
  expect(parseFilter(filterText(filter))).toEqual(filter);
  expect(parseFilter(filterText({ key: 'a', operator: '=|', values: ['x', 'y'] }))).toEqual({ key: 'a', operator: '=|', values: ['x', 'y'] });
  expect(['', 'a', 'a|=', 'a|<|3', '|=|x'].map(parseFilter)).toEqual([undefined, undefined, undefined, undefined, undefined]);
});
