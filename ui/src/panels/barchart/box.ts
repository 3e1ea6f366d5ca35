/** The part of a chart that bars may fill, px. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}
