// Runs before the first paint, so that a stored theme does not flash. A file of its own: the page needs no inline script.
(function () {
  var stored = null;
  try {
    stored = localStorage.getItem('spyglass.theme');
  } catch (e) {
    /* storage may be forbidden */
  }
  if (stored === 'light' || stored === 'dark') document.documentElement.dataset.theme = stored;
})();
