/** PromQL in the editor: Prometheus' own CodeMirror language, asking our proxy for names. */
import type { Extension } from '@codemirror/state';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { prometheusNames } from '../../api/completion';

export function promql(uid: string): Extension {
  return new PromQLExtension().setComplete({ remote: prometheusNames(uid) }).activateLinter(false).asExtension();
}
