// Light or dark: the system's choice until somebody makes another. Runs before anything is drawn.

const THEMES = ['system', 'light', 'dark'];

/** What the browser remembers between visits; nothing, where it may not. */
const memory = {
  get(key) {
    try { return localStorage.getItem(`callboard.${key}`); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(`callboard.${key}`, value); } catch { /* private windows remember nothing */ }
  },
};

const theme = {
  current: THEMES.includes(memory.get('theme')) ? memory.get('theme') : 'system',

  apply() {
    const root = document.documentElement;
    if (theme.current === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme.current;
  },

  /** Goes on to the next of the three. */
  turn() {
    theme.current = THEMES[(THEMES.indexOf(theme.current) + 1) % THEMES.length];
    memory.set('theme', theme.current);
    theme.apply();
  },
};

theme.apply();
