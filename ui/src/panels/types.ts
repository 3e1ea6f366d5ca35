/** What every panel is given. Panels draw; they never fetch. */
import type { AnnotationEvent } from '../core/annotations';
import type { PanelModel } from '../core/dashboard';
import type { ThemeName } from '../core/colors';
import type { DerivedField } from '../core/derivedFields';
import type { Exemplar } from '../core/exemplars';
import type { Frame } from '../core/frames';
import type { Scope } from '../core/interpolate';
import type { TimeRange, TimeZone } from '../core/time';
import type { CursorBus } from './cursorBus';

export interface PanelProps {
  panel: PanelModel;
  /** With the panel's transformations and field settings applied. */
  frames: Frame[];
  /** What the frames were asked for. */
  range: TimeRange;
  /** Inner size, px. */
  width: number;
  height: number;
  zone: TimeZone;
  theme: ThemeName;
  /** Shares the crosshair between panels; absent: each alone. */
  cursor?: CursorBus;
  scope: Scope;
  /** Drawn over time series. */
  annotations?: AnnotationEvent[];
  exemplars?: Exemplar[];
  /** What the datasource of a query finds in log lines. */
  derivedFields?: (refId: string | undefined) => readonly DerivedField[];
  /** The panel's queries over another range, drawn as its own answer; rejects with what went wrong. */
  askOver?: (range: TimeRange, signal: AbortSignal) => Promise<Frame[]>;
  /** Epoch ms; the person chose this part of the time axis. */
  onZoom?: (from: number, to: number) => void;
}
