/**
 * Data that a dashboard carries inside itself, so that nothing is asked: snapshots (`-- Grafana --` with queryType `snapshot`, or a
 * panel's `snapshotData`), and the raw frames and CSV of TestData queries.
 */
import type { DatasourceRef, Target } from './dashboard';
import { decodeFrame, makeFrame, type Frame, type FrameJSON } from './frames';

const TEST_DATA = /^(grafana-testdata-datasource|testdata)$/;
const GRAFANA = new Set(['-- Grafana --', 'grafana']);

/** The frames of a target that holds its data; undefined: it must be asked. Throws an Error that says what is wrong with them. */
export function fixedFrames(target: Target, ref: DatasourceRef | undefined): Frame[] | undefined {
  const frames = contentOf(target, ref);
  return frames?.map((frame) => ({ ...frame, refId: target.refId }));
}

function contentOf(target: Target, ref: DatasourceRef | undefined): Frame[] | undefined {
  if (target.queryType === 'snapshot' && (GRAFANA.has(ref?.uid ?? '') || ref?.type === 'datasource')) return framesOf(target.snapshot);
  if (!TEST_DATA.test(ref?.type ?? '')) return undefined;
  if (target.scenarioId === 'raw_frames') return framesOf(parsed(target.rawFrameContent));
  if (target.scenarioId === 'csv_content') return [csvFrame(String(target.csvContent ?? ''))];
  throw new Error(`TestData: the scenario "${target.scenarioId ?? 'random_walk'}" makes its data on the server, which does not; raw_frames and csv_content work`);
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text || '[]'));
  } catch (error) {
    throw new Error(`TestData: the frames are no JSON: ${(error as Error).message}`);
  }
}

/** Frames in the wire form, or in the plain one of snapshots: `{fields: [{name, type, values, config}]}`. */
export function framesOf(raw: unknown): Frame[] {
  if (!Array.isArray(raw)) return [];
  return raw.filter((f) => f && typeof f === 'object').map((f: any) => {
    if (f.schema) return decodeFrame(structuredClone(f) as FrameJSON);
    const fields = (Array.isArray(f.fields) ? f.fields : []).filter((x: any) => x && Array.isArray(x.values ?? [])).map((x: any) => ({ name: String(x.name ?? ''), type: x.type, labels: x.labels, config: x.config ?? {}, values: x.values ?? [] }));
    return makeFrame(fields, { refId: f.refId, name: f.name, meta: f.meta });
  });
}

/** The first line names the columns; a column is a time where it is called so, a number where all of it is. */
function csvFrame(text: string): Frame {
  const [head = [], ...rows] = text.trim().split(/\r?\n/).map(csvCells);
  return makeFrame(
    head.map((name, i) => {
      const cells = rows.map((r) => r[i]?.trim() ?? '');
      const values = cells.map((c) => (c === '' || c === 'null' ? null : c));
      const numeric = values.every((v) => v === null || !Number.isNaN(Number(v)));
      if (/^(time|timestamp)$/i.test(name)) return { name, type: 'time' as const, values: values.map((v) => (v === null ? null : numeric ? Number(v) : Date.parse(v))) };
      return numeric ? { name, type: 'number' as const, values: values.map((v) => (v === null ? null : Number(v))) } : { name, type: 'string' as const, values };
    }),
  );
}

function csvCells(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)].slice(0, line.endsWith(',') ? undefined : -1).map((m) => (m[1].startsWith('"') ? m[1].slice(1, -1).replaceAll('""', '"') : m[1].trim()));
}
