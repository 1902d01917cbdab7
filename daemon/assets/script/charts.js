// Courses of figures as SVG paths.

/** Samples in the small charts of a list: two minutes. */
const SPARK = 60;

/** The line through values, and the area below it; gaps where values are missing. */
function course(values, width, height, top, slots) {
  const step = width / Math.max(1, slots - 1);
  const first = slots - values.length;
  let line = '';
  let area = '';
  let begun = null;
  const close = (x) => {
    if (begun !== null) area += `L${x.toFixed(1)} ${height}L${begun.toFixed(1)} ${height}Z`;
    begun = null;
  };
  values.forEach((value, at) => {
    const x = (first + at) * step;
    if (Number.isNaN(value)) return close(x - step);
    const y = height - Math.min(1, value / top) * (height - 1);
    const point = `${begun === null ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    line += point;
    area += point;
    begun ??= x;
    return undefined;
  });
  close(width);
  return { line, area };
}

class Chart {
  constructor(kind, slots, width, height) {
    Object.assign(this, { slots, width, height });
    this.area = svg('path', { class: 'area' });
    this.line = svg('path', { class: 'line' });
    this.node = svg(
      'svg',
      {
        class: `chart ${kind}`, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true',
      },
      this.area,
      this.line,
    );
  }

  /** Draws the last values; `floor` is the least that fills the height, so that noise stays small. */
  draw(history, floor) {
    const values = history.last(this.slots);
    const top = values.reduce((most, value) => (value > most ? value : most), floor);
    const { line, area } = course(values, this.width, this.height, top, this.slots);
    mark(this.line, 'd', line);
    mark(this.area, 'd', area);
    return top;
  }
}

const LEAST_CPU = 5;
const LEAST_MEMORY = 1024 * 1024;
