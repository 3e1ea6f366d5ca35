/** Transformations in order; each is a file and a line in the registry. One that fails or is unknown leaves the frames as they are. */
import type { Transformation } from '../dashboard';
import type { Frame } from '../frames';

export interface TransformContext {
  /** Fill variables in options. */
  fill: (text: string) => string;
}

export type Transformer = (frames: Frame[], options: any, context: TransformContext) => Frame[];

const TRANSFORMERS: Record<string, Transformer> = {};

export function transform(frames: Frame[], steps: readonly Transformation[], fill: (text: string) => string = (t) => t): Frame[] {
  let current = frames;
  for (const step of steps) {
    const apply = Object.hasOwn(TRANSFORMERS, step.id) ? TRANSFORMERS[step.id] : undefined;
    if (!apply || step.disabled) continue;
    current = apply(current, step.options ?? {}, { fill });
  }
  return current;
}
