"""Rating with the keyboard: the script of the form in `rate_tab`."""

from typing import Final

RATE: Final = """
const aspects = () => [...element.querySelectorAll('.aspect')];
const go = (at) => {
  const all = aspects();
  all.forEach((one, number) => one.classList.toggle('now', number === Math.max(0, Math.min(all.length - 1, at))));
};
const here = () => aspects().findIndex((one) => one.classList.contains('now'));
const chosen = () => aspects().map((one) => one.querySelector('[aria-pressed=true]')?.dataset.level);
const choose = (aspect, button) => {
  aspect.querySelectorAll('[data-level]').forEach((one) => one.setAttribute('aria-pressed', one === button));
  go(aspects().indexOf(aspect) + 1);
};
const keep = () => {
  const form = element.querySelector('.rating'), values = chosen();
  const open = values.findIndex((value) => value === undefined);
  if (!form || form.dataset.sent) return;
  if (open >= 0) { go(open); return; }
  form.dataset.sent = 'yes';
  trigger('rated', {token: form.dataset.token, values});
  setTimeout(() => { delete form.dataset.sent; }, 3000);
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-level]');
  if (button) choose(button.closest('.aspect'), button);
  if (event.target.closest('.save')) keep();
});
const press = (event) => {
  if (!element.isConnected) { document.removeEventListener('keydown', press); return; }
  if (!element.offsetParent || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches('input:not([type=radio]), textarea, select') || !element.querySelector('.rating')) return;
  const aspect = aspects()[here()], button = aspect?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (button) choose(aspect, button);
  else if (event.key === 'Enter') keep();
  else if (event.key === 'ArrowDown') go(here() + 1);
  else if (event.key === 'ArrowUp') go(here() - 1);
  else if (event.key === 'Backspace') trigger('back', {});
  else return;
  event.preventDefault();
};
document.addEventListener('keydown', press);
watch('value', () => { if (element.querySelector('.rating')) document.activeElement?.blur(); });
"""
"""A digit answers the marked aspect and marks the next; a second Enter before the answer came sends nothing."""
