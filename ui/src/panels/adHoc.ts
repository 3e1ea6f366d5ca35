/** A panel model for a panel that stands outside any dashboard. */
import type { PanelModel } from '../core/dashboard';

export function adHocPanel(type: string, title: string, options: Record<string, unknown>): PanelModel {
  return { id: 0, key: 'ad-hoc', type, title, description: '', gridPos: { x: 0, y: 0, w: 24, h: 8 }, targets: [], options, fieldConfig: { defaults: {}, overrides: [] }, transformations: [], transparent: true, links: [], collapsed: false, panels: [] };
}
