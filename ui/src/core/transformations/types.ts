import type { Frame } from '../frames';

/** Frames in, new frames out; columns that do not change are shared. `options` is Grafana's JSON, unchecked, its variables filled. */
export type Transformer = (frames: Frame[], options: any) => Frame[];
