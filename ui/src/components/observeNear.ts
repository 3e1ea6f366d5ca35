/** Which elements are near the view, from one observer for each distance: a dashboard may have thousands of panels. */
import type { Attachment } from 'svelte/attachments';

type Tell = (near: boolean) => void;

interface Watch {
  observer: IntersectionObserver;
  listeners: WeakMap<Element, Tell>;
}

const watches = new Map<string, Watch>();

/** `margin`: how far above and below the view counts as near, in px or per cent of its height. */
function watchFor(margin: string): Watch {
  let watch = watches.get(margin);
  if (!watch) {
    const listeners = new WeakMap<Element, Tell>();
    const observer = new IntersectionObserver((entries) => entries.forEach((e) => listeners.get(e.target)?.(e.isIntersecting)), { rootMargin: `${margin} 0px` });
    watch = { observer, listeners };
    watches.set(margin, watch);
  }
  return watch;
}

/** To attach to an element. Told once it is laid out, and whenever it comes near or leaves. */
export function observeNear(margin: string, tell: Tell): Attachment<HTMLElement> {
  return (element) => {
    const { observer, listeners } = watchFor(margin);
    listeners.set(element, tell);
    observer.observe(element);
    return () => observer.unobserve(element);
  };
}
