import type { Frame } from '../frames';

export interface TransformContext {
  /** Fill variables in options. */
  fill: (text: string) => string;
}

/** Frames in, new frames out; columns that do not change are shared. `options` is Grafana's JSON, unchecked. */
export type Transformer = (frames: Frame[], options: any, context: TransformContext) => Frame[];
