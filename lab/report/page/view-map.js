export function mapView() { return null; }
