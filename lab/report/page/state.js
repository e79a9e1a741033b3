// state.js: what several views share: the moment that is shown, the stretch of time that is looked
// at, the call site that is lit. Views listen, and draw themselves anew.

import { wasted } from "./data.js";

export class State {
  constructor(report) {
    this.moment = report.momentOfMost(wasted);
    this.range = null; // [first, last] point of the time line; null: all of it
    this.site = 0;
    this.listeners = [];
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  set(changes) {
    const changed = Object.keys(changes).filter((name) => this[name] !== changes[name]);
    Object.assign(this, changes);
    if (changed.length > 0) for (const listener of this.listeners) listener(changed);
  }
}
