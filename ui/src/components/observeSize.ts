/** Sizes of elements from one observer. It tells after the layout that the browser does anyway; to read `clientWidth` of what was just mounted costs one more for each. */
import type { Attachment } from 'svelte/attachments';

/** Content box, whole px. */
type Tell = (width: number, height: number) => void;

const listeners = new WeakMap<Element, Tell>();
let observer: ResizeObserver | undefined;

/** To attach to an element: `{@attach observeSize((width, height) => ...)}`. Told once it is laid out, within the same frame, and whenever it changes. */
export function observeSize(tell: Tell): Attachment<HTMLElement> {
  return (element) => {
    observer ??= new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) listeners.get(target)?.(Math.round(contentRect.width), Math.round(contentRect.height));
    });
    listeners.set(element, tell);
    observer.observe(element);
    return () => observer!.unobserve(element);
  };
}
