// What can go wrong, always with the name of a reason.

/** Anything that this package throws. `reason` is a stable name. */
export class HoldfastError extends Error {
  constructor(reason, message) {
    super(`${reason}: ${message}`);
    this.name = new.target.name;
    this.reason = reason;
  }
}

/** The object is bad: `reason` as in docs/verdicts.md, with the index of the bad part where there is one. */
export class Refusal extends HoldfastError {
  constructor({ name, meaning, action }, index) {
    super(name, index === undefined ? meaning : `${meaning} (${index})`);
    this.index = index;
    this.meaning = meaning;
    this.action = action;
  }
}

/** An argument that makes no sense: nothing has been judged. */
export class ArgumentError extends HoldfastError {
  constructor(message) {
    super('invalid-argument', message);
  }
}
