/** Both sides' frames in one form: what a person sees of them, a line a field, so that a difference can be read. */
import type { Transformation } from '../src/core/dashboard';
import { displayName } from '../src/core/displayName';
import type { Frame } from '../src/core/frames';
import { transform } from '../src/core/transformations';
import { nameOf, transformed } from './grafana';

const plainValue = (v: unknown): unknown => (v === undefined ? null : typeof v === 'number' ? (Number.isFinite(v) ? Number(v.toPrecision(10)) : String(v)) : v);

function line(name: string, field: { type: string; labels?: object; values: ArrayLike<unknown> }): string {
  const labels = Object.entries(field.labels ?? {}).sort();
  return `  ${name}: ${field.type}${labels.length ? JSON.stringify(Object.fromEntries(labels)) : ''} ${JSON.stringify(Array.from(field.values, plainValue))}`;
}

export const seenByGrafana = (frames: any[]): string[] => frames.flatMap((frame, i) => [`frame ${i}`, ...frame.fields.map((f: any) => line(nameOf(f, frame, frames), f))]);
export const seenByUs = (frames: readonly Frame[]): string[] => frames.flatMap((frame, i) => [`frame ${i}`, ...frame.fields.map((f) => line(displayName(f, frame, frames), f))]);

/** What both make of transformations: `[ours, theirs]`. */
export async function both(frames: Frame[], steps: readonly Transformation[]): Promise<[string[], string[]]> {
  const theirs = seenByGrafana(await transformed(frames, steps));
  return [seenByUs(transform(frames, steps)), theirs];
}
