/** The code that draws a kind of panel, and what transforms its frames: loaded once the panel is near the view, and asked for again when the server is back. */
import type { Component } from 'svelte';
import { session } from '../../app/session.svelte';
import type { PanelModel } from '../../core/dashboard';
import type { transform as Transform } from '../../core/transformations';
import { panelKind } from '../../panels/registry';
import type { PanelProps } from '../../panels/types';

export interface CodeInput {
  readonly panel: PanelModel;
  readonly near: boolean;
}

/** To be made while a component is: it has effects. */
export class PanelCode {
  readonly #input: CodeInput;
  Panel = $state.raw<Component<PanelProps> | null>(null);
  transform = $state.raw<typeof Transform | undefined>();
  /** Why there is none. */
  problem = $state('');
  readonly kind = $derived.by(() => panelKind(this.#input.panel.type));
  /** The kind whose code is here. */
  #loaded: unknown;

  constructor(input: CodeInput) {
    this.#input = input;
    $effect(() => {
      void session.epoch;
      if (input.near && this.#loaded !== this.kind) return this.#load();
    });
  }

  /** Returns how to give up. */
  #load(): () => void {
    const { kind } = this;
    let gone = false;
    // Most panels transform nothing: what does comes when it is needed, and before the panel is drawn.
    const transforming = this.#input.panel.transformations.length ? import('../../core/transformations') : undefined;
    Promise.all([kind.load(), transforming]).then(
      ([code, found]) => {
        if (!gone) [this.Panel, this.transform, this.problem, this.#loaded] = [code.default, found?.transform, '', kind];
      },
      () => {
        if (!gone) this.problem = 'The code of this panel could not be loaded';
      },
    );
    return () => {
      gone = true;
    };
  }
}
