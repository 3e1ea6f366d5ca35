/** Whether an answer says what the last one said: then nothing needs to be drawn again. */
import type { Field, Frame } from './frames';

export function sameFrames(a: readonly Frame[], b: readonly Frame[]): boolean {
  return a.length === b.length && a.every((frame, i) => sameFrame(frame, b[i]));
}

function sameFrame(a: Frame, b: Frame): boolean {
  return a.length === b.length && a.refId === b.refId && a.name === b.name && a.fields.length === b.fields.length && a.fields.every((f, i) => sameField(f, b.fields[i])) && JSON.stringify(notices(a)) === JSON.stringify(notices(b));
}

// Statistics of the query change with every answer and are not drawn.
const notices = (frame: Frame) => [frame.meta?.type, frame.meta?.custom, frame.meta?.notices];

function sameField(a: Field, b: Field): boolean {
  if (a.name !== b.name || a.type !== b.type || JSON.stringify([a.labels, a.config]) !== JSON.stringify([b.labels, b.config])) return false;
  return sameValues(a.values, b.values) && sameValues(a.nanos ?? [], b.nanos ?? []);
}

function sameValues(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i]) && !(typeof a[i] === 'object' && JSON.stringify(a[i]) === JSON.stringify(b[i]))) return false;
  return true;
}
