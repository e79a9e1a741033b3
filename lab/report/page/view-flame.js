export function flameView() { return null; }
