/**
 * Grafana's own library, as an oracle. Loaded as CommonJS, since its ES modules import folders; it wants a `navigator`, and its registries start empty:
 * without the entries below it ignores units, thresholds and colours in silence.
 */
import { createRequire } from 'node:module';
import type { Transformation } from '../src/core/dashboard';
import type { Field, Frame } from '../src/core/frames';

Object.defineProperty(globalThis, 'navigator', { value: { language: 'en-US', languages: ['en-US'], userAgent: 'node', platform: 'linux' }, configurable: true });

/** The library has types, but they would be installed with it only; the calls below are few. */
export const grafana: any = createRequire(new URL('./package.json', import.meta.url))('@grafana/data');

// Only now: while it loads, a window would mean a document too.
Object.defineProperty(globalThis, 'window', { value: globalThis, configurable: true });

const isNumber = (field: Field) => field.type === 'number';
const property = (id: string, process: unknown, shouldApply: (field: Field) => boolean = () => true) => ({ id, path: id, name: id, process, shouldApply, settings: { expandTemplateVars: true }, getItemsCount: () => 0 });

grafana.standardFieldConfigEditorRegistry.setInit(() => [
  property('displayName', grafana.displayNameOverrideProcessor),
  property('unit', grafana.unitOverrideProcessor),
  property('min', grafana.numberOverrideProcessor, isNumber),
  property('max', grafana.numberOverrideProcessor, isNumber),
  property('decimals', grafana.numberOverrideProcessor, isNumber),
  property('noValue', grafana.stringOverrideProcessor),
  property('color', grafana.identityOverrideProcessor),
  property('thresholds', grafana.thresholdsOverrideProcessor),
  property('mappings', grafana.valueMappingsOverrideProcessor),
  property('links', grafana.dataLinksOverrideProcessor),
]);

const transformers: [string, any][] = Object.values(grafana.standardTransformers).map((t: any) => [t.id, t]);
/** The old name of joining carries its new id there. */
transformers.push(['seriesToColumns', grafana.standardTransformers.seriesToColumnsTransformer]);
grafana.standardTransformersRegistry.setInit(() => [...new Map(transformers)].map(([id, transformation]) => ({ id, name: id, transformation: () => transformation })));

export const themes: Record<'dark' | 'light', any> = { dark: grafana.createTheme({ colors: { mode: 'dark' } }), light: grafana.createTheme({ colors: { mode: 'light' } }) };

/** Frames of ours as the library takes them: copies, because it keeps state on its fields. */
export function toGrafana(frames: readonly Frame[]): any[] {
  return frames.map((frame) => grafana.createDataFrame({ ...frame, fields: frame.fields.map((f) => ({ ...f, values: [...f.values], config: structuredClone(f.config), labels: f.labels && { ...f.labels } })) }));
}

/** Its answer to transformations; variables are left as they are. */
export function transformed(frames: readonly Frame[], steps: readonly Transformation[]): Promise<any[]> {
  return new Promise((next, error) => grafana.transformDataFrame(structuredClone(steps), toGrafana(frames), { interpolate: (text: string) => text }).subscribe({ next, error }));
}

/** The name that it would show for a field. */
export function nameOf(field: any, frame: any, frames: any[]): string {
  field.state = undefined;
  return grafana.getFieldDisplayName(field, frame, frames);
}
