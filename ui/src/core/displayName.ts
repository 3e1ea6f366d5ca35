/** What a field is called on the screen. Order: override, datasource, labels that tell series apart, name. */
import type { Field, Frame, Labels } from './frames';

/** Every series of a time series database has this one: it tells nothing. */
const GENERIC_NAME = 'Value';

/** `{a="b", c="d"}` without `__name__`, by name. */
export function formatLabels(labels: Labels): string {
  const parts = Object.keys(labels)
    .filter((name) => name !== '__name__')
    .sort()
    .map((name) => `${name}="${labels[name]}"`);
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
  const all = frames.length || !frame ? frames : [frame];
  const parts: string[] = [];
  const told = labelText(field.labels, all);
  const named = frame?.name && frames.some((f) => f.name !== frames[0].name);
  if (named) parts.push(frame.name!);
  if (field.name && field.name !== GENERIC_NAME) parts.push(field.name);
  else if (field.labels?.__name__) parts.push(field.labels.__name__);
  if (told && frame) parts.push(told);
  else if (frame?.name && !named && field.name === GENERIC_NAME) parts.push(frame.name);
  const name = parts.join(' ') || field.name || GENERIC_NAME;
  return name === field.name ? numbered(field, frame) : name;
}

/** Where all series have the same one label, its value is enough. */
function labelText(labels: Labels | undefined, frames: readonly Frame[]): string {
  const names = Object.keys(labels ?? {}).filter((n) => n !== '__name__');
  if (!names.length) return '';
  return names.length === 1 && isOnlyLabel(names[0], frames) ? labels![names[0]] : formatLabels(labels!);
}

function isOnlyLabel(name: string, frames: readonly Frame[]): boolean {
  return frames.every((f) => f.fields.every((x) => !x.labels || Object.keys(x.labels).every((n) => n === name || n === '__name__')));
}

/** Fields of one frame that share a name: `x 1`, `x 2`. */
function numbered(field: Field, frame: Frame | undefined): string {
  const same = frame?.fields.filter((f) => f.name === field.name) ?? [];
  return same.length > 1 ? `${field.name} ${same.indexOf(field) + 1}` : field.name;
}
