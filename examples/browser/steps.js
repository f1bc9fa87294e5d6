// The steps that a verifier takes, in its order (spec section 7), in words; and which of them a refusal
// stands for. The words follow the verdict: nothing is judged here.

const FORM = {
  does: 'The bytes are exactly one object, with the lengths that its own fields give.',
  refuses: ['truncated', 'trailing-bytes', 'version', 'kind', 'field', 'not-canonical', 'too-large'],
};
const PLACE = {
  does: 'It is of this height, and names the older digest that this height must be anchored to.',
  refuses: ['height', 'anchor'],
};
const CLAIM = {
  does: 'It is of a chain that this browser knows, with every y that it needs.',
  refuses: ['chain', 'no-entropy'],
};
const SIGNATURE = {
  does: "The chain's prover has signed the link over this very block, with the key that it registered.",
  refuses: ['signature', 'key'],
};
const REVEAL = {
  does: "The prover's own part of the randomness is the one that it committed to before.",
  refuses: ['reveal', 'reveal-distance', 'reveal-exhausted'],
};
const CELLS = {
  does: 'y draws the cells; those shown lead to the root that was registered, so the prover holds its sealed copy of them.',
  refuses: ['proof-length', 'sealed-root', 'multiproof'],
};
const LINK = {
  does: 'The link, computed again from what is shown, is the one that was signed.',
  refuses: ['link', 'opening'],
};
const DIGEST = {
  does: "The link's leaf stands under the digest of the height, which everybody shares.",
  refuses: ['digest-unknown', 'slot', 'status', 'proof-length', 'global-digest'],
};
const COUNTS = {
  does: 'A proof of this kind counts at this height (one time in sixteen only a full one does).',
  refuses: ['full-required'],
};
const WINDOW_ORDER = { does: 'The links are of one chain and ascend.', refuses: ['window-order'] };

const LINK_STEPS = [FORM, CLAIM, PLACE, SIGNATURE, REVEAL, CELLS, LINK];

const STEPS = {
  receipt: [FORM, PLACE, SIGNATURE],
  compact: [...LINK_STEPS, DIGEST, COUNTS],
  full: [...LINK_STEPS, COUNTS],
  window: [FORM, WINDOW_ORDER, ...LINK_STEPS.slice(1), DIGEST, COUNTS],
  path: [FORM, DIGEST],
  registration: [
    FORM,
    { does: "The sealing is one of the network's presets, and the sizes fit each other.", refuses: ['seal-policy', 'geometry', 'min-chunks'] },
    { does: 'The key may be registered: it is canonical and of full order.', refuses: ['key'] },
    { does: 'The key has signed the registration in this network.', refuses: ['signature'] },
  ],
  checkpoint: [
    FORM,
    { does: 'Its height is one at which checkpoints are made.', refuses: ['checkpoint-height'] },
    { does: 'Its submitter has signed it.', refuses: ['signature', 'key'] },
    { does: 'It says what this browser knows of that height.', refuses: ['block', 'global-digest'] },
  ],
  head: [
    FORM,
    { does: "Its signer is the operator that the network's parameters name.", refuses: ['not-operator'] },
    { does: 'The operator has signed it.', refuses: ['signature'] },
  ],
};

export const isExplained = (kind) => kind in STEPS;

/**
 * [{words, state: 'good' | 'bad' | 'open'}]; `reason` is undefined where the object is accepted. A reason
 * that several steps have is shown at the first of them, so that no step is ticked that was not taken.
 */
export function explain(kind, reason) {
  const steps = STEPS[kind] ?? [FORM];
  if (reason === undefined) return steps.map((step) => ({ words: step.does, state: 'good' }));
  let failed = steps.findIndex((step) => step.refuses.includes(reason));
  if (failed < 0) failed = 0;
  return steps.map((step, i) => ({ words: step.does, state: i < failed ? 'good' : i === failed ? 'bad' : 'open' }));
}

/** What an accepted object means. */
export const MEANING = {
  receipt: 'The prover has committed itself to this link. Whether it stores the data a proof must show.',
  compact: 'At this height the prover held the cell that y drew, in its own sealed copy.',
  full: 'At this height the prover held all sixteen cells that y drew, in its own sealed copy.',
  window: 'At each of these heights the prover held what y drew, in its own sealed copy.',
  path: 'This chain stood in the digest of the height with this link and status.',
  registration: 'The prover has registered this sealed copy. That it was sealed as it should be a seal proof shows.',
  checkpoint: 'Its submitter stands for this digest with a bond.',
  head: "The operator stands for this digest and this journal.",
  network: 'The parameters of a network.',
};
