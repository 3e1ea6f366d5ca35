/** Markdown and HTML from dashboards to a safe fragment. Loaded with the first text panel. */
import DOMPurify from 'dompurify';
import { marked } from 'marked';
import { safeUrl } from '../../core/links';

const purify = DOMPurify(window);

purify.addHook('afterSanitizeAttributes', (node) => {
  for (const name of ['href', 'src', 'xlink:href']) {
    const value = node.getAttribute(name);
    if (value !== null && !safeUrl(value) && !(name === 'src' && /^data:image\/(png|jpeg|gif|webp);/i.test(value))) node.removeAttribute(name);
  }
  if (node.tagName === 'IMG' && !node.hasAttribute('alt')) node.setAttribute('alt', '');
  if (node.tagName === 'A' && /^https?:/i.test(node.getAttribute('href') ?? '')) {
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer');
  }
});

/** Scripts, frames, forms, styles and event handlers are dropped; links go to http, https, mailto and this site only. */
export function render(text: string, mode: string): DocumentFragment {
  const html = mode === 'html' ? text : (marked.parse(text, { async: false, gfm: true, breaks: true }) as string);
  return purify.sanitize(html, { RETURN_DOM_FRAGMENT: true, USE_PROFILES: { html: true }, FORBID_TAGS: ['style', 'form', 'input', 'button', 'textarea', 'select', 'iframe', 'video', 'audio'], FORBID_ATTR: ['id', 'name', 'srcset', 'ping'] });
}
