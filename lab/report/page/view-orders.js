export function ordersView() { return null; }
