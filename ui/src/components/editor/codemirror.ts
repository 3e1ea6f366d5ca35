/** CodeMirror with PromQL or LogQL. Loaded only when an editor is shown: nothing outside this folder may import it. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags as t } from '@lezer/highlight';
import type { ErrorPosition } from '../../core/queryError';
import { logql } from './logql';
import { promql } from './promql';

export interface Editor {
  /** Replace the text, where it differs. */
  setText: (text: string) => void;
  setError: (error: { message: string; position?: ErrorPosition } | undefined) => void;
  destroy: () => void;
}

export interface EditorSettings {
  doc: string;
  language: 'promql' | 'logql';
  uid: string;
  dark: boolean;
  label: string;
  onChange: (text: string) => void;
  onRun: () => void;
}

const colors = HighlightStyle.define([
  { tag: [t.keyword, t.modifier, t.operatorKeyword], color: 'var(--code-keyword)' },
  { tag: [t.function(t.variableName), t.propertyName, t.labelName], color: 'var(--code-name)' },
  { tag: [t.string, t.special(t.string)], color: 'var(--code-string)' },
  { tag: [t.number, t.literal], color: 'var(--code-number)' },
  { tag: t.comment, color: 'var(--text-3)', fontStyle: 'italic' },
  { tag: t.invalid, color: 'var(--bad)' },
]);

const look = (dark: boolean) =>
  EditorView.theme(
    {
      '&': { fontSize: '13px', color: 'var(--text)', backgroundColor: 'transparent' },
      '&.cm-focused': { outline: 'none' },
      '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px' },
      '.cm-content': { padding: '7px 0', caretColor: 'var(--text)' },
      '.cm-line': { padding: '0 10px' },
      '.cm-cursor': { borderLeftColor: 'var(--text)' },
      '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--selected) !important' },
      '.cm-matchingBracket': { background: 'var(--selected) !important', color: 'inherit' },
      '.cm-placeholder': { color: 'var(--text-3)' },
      '.cm-tooltip': { background: 'var(--raised)', border: '1px solid var(--line)', borderRadius: '6px', boxShadow: 'var(--shadow)', overflow: 'hidden' },
      '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '260px' },
      '.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px' },
      '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--accent)', color: 'var(--on-accent)' },
      '.cm-completionDetail': { color: 'var(--text-3)', fontStyle: 'normal' },
      'li[aria-selected] .cm-completionDetail': { color: 'inherit' },
      '.cm-completionInfo': { padding: '6px 10px', maxWidth: '320px' },
      '.cm-diagnostic': { fontFamily: 'var(--font)', fontSize: '12px' },
    },
    { dark },
  );

export function createEditor(parent: HTMLElement, settings: EditorSettings): Editor {
  const run = () => {
    settings.onRun();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: settings.doc,
      extensions: [
        history(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ icons: false, closeOnBlur: true }),
        settings.language === 'promql' ? promql(settings.uid) : logql(settings.uid),
        syntaxHighlighting(colors),
        look(settings.dark),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': settings.label }),
        placeholder(settings.language === 'promql' ? 'rate(http_requests_total[5m])' : '{job="backend"} |= "error"'),
        EditorView.updateListener.of((update) => update.docChanged && settings.onChange(update.state.doc.toString())),
        // The completion's own keys stand higher, so that Enter takes a choice while the list is open.
        Prec.high(keymap.of(completionKeymap)),
        keymap.of([{ key: 'Enter', run, shift: insertNewlineAndIndent }, { key: 'Mod-Enter', run }, ...closeBracketsKeymap, ...historyKeymap, ...defaultKeymap]),
      ],
    }),
  });
  return {
    setText(text) {
      const current = view.state.doc.toString();
      if (text !== current) view.dispatch({ changes: { from: 0, to: current.length, insert: text } });
    },
    setError(error) {
      const length = view.state.doc.length;
      const at = error?.position;
      view.dispatch(setDiagnostics(view.state, error && at && at.from <= length ? [{ from: at.from, to: Math.min(length, at.to), severity: 'error', message: error.message }] : []));
    },
    destroy: () => view.destroy(),
  };
}
