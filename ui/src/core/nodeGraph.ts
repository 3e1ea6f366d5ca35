/** Frames of a node graph -> nodes and edges. One frame lists edges (it has `source` and `target`), another the nodes; without the second, nodes are what the edges name. */
import { resolveColor, type ThemeName } from './colors';
import { makeDisplay } from './display';
import type { Field, Frame } from './frames';
import type { TimeZone } from './time';

export interface NodeArc {
  name: string;
  /** Share of the ring, 0 to 1. */
  share: number;
  color: string;
}

export interface GraphNode {
  id: string;
  title: string;
  subtitle: string;
  mainStat: string;
  secondaryStat: string;
  arcs: NodeArc[];
  /** Ring colour where there are no arcs. */
  color?: string;
  details: [name: string, value: string][];
  /** Row in its frame, for links; absent: the node is only named by edges. */
  row?: { frame: Frame; index: number };
}

export interface GraphEdge {
  id: string;
  /** Indexes of nodes. */
  source: number;
  target: number;
  mainStat: string;
  secondaryStat: string;
  /** px */
  thickness: number;
  color?: string;
  dash?: string;
  details: [name: string, value: string][];
  row: { frame: Frame; index: number };
}

export interface NodeGraph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Nodes that are not drawn. */
  left: number;
}

export interface NodeGraphOptions {
  nodes?: { mainStatUnit?: string; secondaryStatUnit?: string; arcs?: { field?: string; color?: string }[] };
  edges?: { mainStatUnit?: string; secondaryStatUnit?: string };
}

/** More nodes than this are a hairball, and slow. */
const MOST_NODES = 500;

interface Context {
  theme: ThemeName;
  zone: TimeZone;
  now: number;
}

export function makeNodeGraph(frames: readonly Frame[], options: NodeGraphOptions, context: Context): NodeGraph {
  const edgeFrames = frames.filter((f) => fieldOf(f, 'source') && fieldOf(f, 'target'));
  const nodes: GraphNode[] = [];
  const places = new Map<string, number>();
  let left = 0;
  const add = (node: GraphNode) => {
    if (places.has(node.id)) return;
    if (nodes.length >= MOST_NODES) left += 1;
    places.set(node.id, nodes.length >= MOST_NODES ? -1 : nodes.push(node) - 1);
  };
  for (const frame of frames) if (!edgeFrames.includes(frame) && fieldOf(frame, 'id')) for (const node of nodesOf(frame, options, context)) add(node);
  for (const frame of edgeFrames) for (const name of ['source', 'target']) for (const id of fieldOf(frame, name)!.values) add(bareNode(String(id)));
  const edges = edgeFrames.flatMap((frame) => edgesOf(frame, places, options, context));
  return { nodes, edges, left };
}

const fieldOf = (frame: Frame, name: string): Field | undefined => frame.fields.find((f) => f.name.toLowerCase() === name);
const bareNode = (id: string): GraphNode => ({ id, title: id, subtitle: '', mainStat: '', secondaryStat: '', arcs: [], details: [] });

function nodesOf(frame: Frame, options: NodeGraphOptions, context: Context): GraphNode[] {
  const at = (name: string) => fieldOf(frame, name);
  const [title, subtitle, color] = [at('title'), at('subtitle'), at('color')];
  const stats = [statText(at('mainstat'), options.nodes?.mainStatUnit, context), statText(at('secondarystat'), options.nodes?.secondaryStatUnit, context)];
  const arcs = arcFields(frame, options, context);
  const details = detailTexts(frame, context);
  const tint = color && tintOf(color, context);
  return at('id')!.values.map((id, i): GraphNode => ({
    id: String(id),
    title: text(title?.values[i]),
    subtitle: text(subtitle?.values[i]),
    mainStat: stats[0](i),
    secondaryStat: stats[1](i),
    arcs: arcs.flatMap((a) => (Number(a.field.values[i]) > 0 ? [{ name: a.name, share: Math.min(1, Number(a.field.values[i])), color: a.color }] : [])),
    color: tint?.(i),
    details: details(i),
    row: { frame, index: i },
  }));
}

function edgesOf(frame: Frame, places: ReadonlyMap<string, number>, options: NodeGraphOptions, context: Context): GraphEdge[] {
  const at = (name: string) => fieldOf(frame, name);
  const [source, target, id, thickness, color, dash] = [at('source')!, at('target')!, at('id'), at('thickness'), at('color'), at('strokedasharray')];
  const stats = [statText(at('mainstat'), options.edges?.mainStatUnit, context), statText(at('secondarystat'), options.edges?.secondaryStatUnit, context)];
  const details = detailTexts(frame, context);
  return source.values.flatMap((from, i): GraphEdge[] => {
    const [a, b] = [places.get(String(from)) ?? -1, places.get(String(target.values[i])) ?? -1];
    if (a < 0 || b < 0) return [];
    const wide = Number(thickness?.values[i]);
    const dashes = text(dash?.values[i]);
    return [{ id: text(id?.values[i]) || `${from}→${target.values[i]}`, source: a, target: b, mainStat: stats[0](i), secondaryStat: stats[1](i), thickness: wide > 0 ? Math.min(12, wide) : 1.5, color: color && text(color.values[i]) ? resolveColor(text(color.values[i]), context.theme) : undefined, dash: /^[\d ,.]+$/.test(dashes) ? dashes : undefined, details: details(i), row: { frame, index: i } }];
  });
}

const text = (v: unknown): string => (v === null || v === undefined ? '' : String(v));

function statText(field: Field | undefined, unit: string | undefined, context: Context): (i: number) => string {
  if (!field) return () => '';
  const display = makeDisplay(unit ? { ...field, config: { ...field.config, unit } } : field, context);
  return (i) => (typeof field.values[i] === 'number' ? display.text(field.values[i]) : text(field.values[i]));
}

function arcFields(frame: Frame, options: NodeGraphOptions, context: Context): { name: string; field: Field; color: string }[] {
  const chosen = (options.nodes?.arcs ?? []).filter((a) => a.field);
  const named = chosen.length ? chosen.map((a) => ({ field: frame.fields.find((f) => f.name === a.field), color: a.color })) : frame.fields.filter((f) => f.name.startsWith('arc__')).map((field) => ({ field, color: field.config.color?.fixedColor }));
  return named.flatMap(({ field, color }, i) => (field ? [{ name: field.config.displayName ?? field.name.replace(/^arc__/, ''), field, color: resolveColor(color ?? ['green', 'red', 'blue', 'orange'][i % 4], context.theme) }] : []));
}

/** A node's own colour: a number by the field's scale, a text as a colour's name. */
function tintOf(field: Field, context: Context): (i: number) => string | undefined {
  if (field.type !== 'number') return (i) => (text(field.values[i]) ? resolveColor(text(field.values[i]), context.theme) : undefined);
  const display = makeDisplay(field, context);
  return (i) => (typeof field.values[i] === 'number' ? display(field.values[i]).color : undefined);
}

function detailTexts(frame: Frame, context: Context): (i: number) => [string, string][] {
  const fields = frame.fields.filter((f) => f.name.startsWith('detail__')).map((field) => ({ name: field.config.displayName ?? field.name.replace(/^detail__/, ''), field, display: makeDisplay(field, context) }));
  return (i) => fields.flatMap(({ name, field, display }): [string, string][] => (field.values[i] === null || field.values[i] === undefined ? [] : [[name, display.text(field.values[i])]]));
}
