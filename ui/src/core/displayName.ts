/** What a field is called on the screen. Order: override, datasource, labels that tell series apart, name. */
import type { Field, Frame, Labels } from './frames';

const GENERIC_NAMES = new Set(['Value', 'Time', 'value', 'time']);

/** `{a="b", c="d"}` without `__name__`. */
export function formatLabels(labels: Labels, withoutName = true): string {
  const parts = Object.entries(labels)
    .filter(([name]) => !(withoutName && name === '__name__'))
    .map(([name, value]) => `${name}="${value}"`);
  return parts.length ? `{${parts.join(', ')}}` : '';
}

export function displayName(field: Field, frame?: Frame, frames: readonly Frame[] = []): string {
  const { displayName: fixed, displayNameFromDS } = field.config;
  if (fixed) return fillName(fixed, field, frame);
  if (displayNameFromDS) return isAutomatic(field) ? distinguishing(field, frames) : displayNameFromDS;
  if (field.type === 'time' && !field.labels) return field.name || 'Time';
  return derivedName(field, frame, frames);
}

/** The datasource was given no legend and wrote all labels. */
function isAutomatic(field: Field): boolean {
  const { displayNameFromDS } = field.config;
  return displayNameFromDS!.startsWith('{') && displayNameFromDS === formatLabels(field.labels ?? {});
}

const told = new WeakMap<readonly Frame[], Set<string>>();

/** Only labels in which series differ: what all share tells nothing. */
function distinguishing(field: Field, frames: readonly Frame[]): string {
  let names = told.get(frames);
  if (!names) told.set(frames, (names = differingLabels(frames)));
  const labels = Object.fromEntries(Object.entries(field.labels ?? {}).filter(([name]) => names.has(name)));
  return formatLabels(labels) || field.config.displayNameFromDS!;
}

function differingLabels(frames: readonly Frame[]): Set<string> {
  const sets = frames.flatMap((f) => f.fields.filter((x) => x.type === 'number' && x.labels).map((x) => x.labels!));
  const all = new Set(sets.flatMap((s) => Object.keys(s)));
  return new Set([...all].filter((name) => sets.some((s) => s[name] !== sets[0][name])));
}

function fillName(pattern: string, field: Field, frame?: Frame): string {
  return pattern.replace(/\$\{__(field|series)\.([^}]+)\}/g, (whole, _scope, path: string) => {
    if (path === 'name') return field.name;
    if (path === 'displayName') return derivedName(field, frame, []);
    if (path === 'labels') return formatLabels(field.labels ?? {});
    if (path.startsWith('labels.')) return field.labels?.[path.slice(7)] ?? '';
    const quoted = /^labels\[["']?(.+?)["']?\]$/.exec(path);
    return quoted ? (field.labels?.[quoted[1]] ?? '') : whole;
  });
}

function derivedName(field: Field, frame: Frame | undefined, frames: readonly Frame[]): string {
  const labels = field.labels ?? {};
  const generic = GENERIC_NAMES.has(field.name) || !field.name;
  const names = Object.keys(labels).filter((n) => n !== '__name__');
  const parts: string[] = [];
  if (frame?.name && (generic || sameNameTwice(field, frame))) parts.push(frame.name);
  else if (!generic) parts.push(field.name);
  else if (labels.__name__) parts.push(labels.__name__);
  if (names.length && !(frame?.name && parts[0] === frame.name && frame.name.includes('{'))) {
    const single = names.length === 1 ? singleLabel(names[0], frames) : undefined;
    parts.push(single && !parts.length ? labels[names[0]] : formatLabels(labels));
  }
  return parts.join(' ') || field.name || 'Value';
}

function singleLabel(name: string, frames: readonly Frame[]): boolean {
  return frames.every((f) => f.fields.every((x) => !x.labels || Object.keys(x.labels).every((n) => n === name || n === '__name__')));
}

function sameNameTwice(field: Field, frame: Frame): boolean {
  return frame.fields.filter((f) => f.name === field.name).length > 1;
}
