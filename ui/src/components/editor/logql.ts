/** LogQL in the editor: Grafana's published grammar for the colours, completion of our own. */
import { completeFromList, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { LanguageSupport, LRLanguage } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { parser } from '@grafana/lezer-logql';
import { styleTags, tags as t } from '@lezer/highlight';
import { lokiNames } from '../../api/completion';

const language = LRLanguage.define({
  name: 'logql',
  parser: parser.configure({
    props: [
      styleTags({
        'Json Logfmt Unpack Pattern Regexp Unwrap LabelFormat LineFormat Decolorize Drop Keep Offset Bool On Ignoring GroupLeft GroupRight By Without And Or Unless': t.keyword,
        'VectorOp! LabelReplace Vector CountOverTime Rate RateCounter BytesOverTime BytesRate AvgOverTime SumOverTime MinOverTime MaxOverTime StddevOverTime StdvarOverTime QuantileOverTime FirstOverTime LastOverTime AbsentOverTime ConvOp': t.function(t.variableName),
        'Matcher/Identifier Grouping/... LabelName Identifier': t.labelName,
        String: t.string,
        'Number Duration Bytes Range': t.number,
        LineComment: t.comment,
        '⚠': t.invalid,
      }),
    ],
  }),
  languageData: { closeBrackets: { brackets: ['(', '[', '{', '"', '`'] }, commentTokens: { line: '#' } },
});

const option = (type: string) => (label: string): Completion => ({ label, type });
const FUNCTIONS = ['rate', 'count_over_time', 'bytes_rate', 'bytes_over_time', 'absent_over_time', 'avg_over_time', 'sum_over_time', 'min_over_time', 'max_over_time', 'quantile_over_time', 'stddev_over_time', 'stdvar_over_time', 'first_over_time', 'last_over_time', 'rate_counter', 'sum', 'avg', 'min', 'max', 'count', 'topk', 'bottomk', 'stddev', 'stdvar', 'sort', 'sort_desc', 'label_replace', 'vector'].map(option('function'));
const STAGES = ['json', 'logfmt', 'regexp', 'pattern', 'unpack', 'line_format', 'label_format', 'unwrap', 'decolorize', 'drop', 'keep'].map(option('keyword'));

/** The selector that the cursor is in, up to the comma before it: `{a="b"}`. */
function streamBefore(text: string): string | undefined {
  const complete = [...text.matchAll(/[\w]+\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"/g)].map((m) => m[0]);
  return complete.length ? `{${complete.join(',')}}` : undefined;
}

function source(uid: string) {
  const names = lokiNames(uid);
  const words = completeFromList([...FUNCTIONS, option('keyword')('by'), option('keyword')('without')]);
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const before = context.state.sliceDoc(0, context.pos);
    const open = before.lastIndexOf('{');
    const inside = open >= 0 && before.lastIndexOf('}') < open ? before.slice(open + 1) : null;
    if (inside !== null) {
      const value = /(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(inside);
      if (value) return { from: context.pos - value[2].length, options: (await names.labelValues(value[1], streamBefore(inside.slice(0, value.index)))).map(option('text')), validFor: /^[^"]*$/ };
      const name = /(?:^|,)\s*(\w*)$/.exec(inside);
      return name ? { from: context.pos - name[1].length, options: (await names.labelNames()).map((label) => ({ label, type: 'property', apply: `${label}="` })), validFor: /^\w*$/ } : null;
    }
    const stage = /\|\s*(\w*)$/.exec(before);
    if (stage && open >= 0) return { from: context.pos - stage[1].length, options: [...STAGES, ...(await names.labelNames()).map(option('property'))], validFor: /^\w*$/ };
    const grouping = /\b(?:by|without)\s*\([^)]*?(\w*)$/.exec(before);
    if (grouping) return { from: context.pos - grouping[1].length, options: (await names.labelNames()).map(option('property')), validFor: /^\w*$/ };
    return words(context);
  };
}

export function logql(uid: string): Extension {
  return new LanguageSupport(language, language.data.of({ autocomplete: source(uid) }));
}
