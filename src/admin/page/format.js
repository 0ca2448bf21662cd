/** How numbers, times and sizes are written. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** 1536 → '1.5 KB' */
export function bytes(value) {
  if (value === undefined || value === null) return '–';
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

export function number(value) {
  return value.toLocaleString('en');
}

/** 93 000 → '1 min 33 s' */
export function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 10) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function since(epoch) {
  return duration(Math.max(0, Date.now() - epoch));
}

/** The time of day, with the date where it is not today's. */
export function time(epoch) {
  const date = new Date(epoch);
  const clock = date.toLocaleTimeString('en-GB');
  return date.toDateString() === new Date().toDateString() ? clock : `${date.toISOString().slice(0, 10)} ${clock}`;
}

/** The upper bound of a bucket: 0.5 → '≤ 0.5 ms', null → 'more' */
export function bound(ms) {
  if (ms === null || ms === undefined) return 'more';
  return `≤ ${ms < 1000 ? `${ms} ms` : `${ms / 1000} s`}`;
}

export function milliseconds(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
