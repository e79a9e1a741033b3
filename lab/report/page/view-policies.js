export function policiesView() { return null; }
