export function pinsView() { return null; }
