/** Bytes, or a string of hexadecimal digits. */
export type BytesLike = Uint8Array | ArrayBuffer | string;
/** A BigInt where it may be over 2^53. */
export type Whole = number | bigint;

/** Anything that this package throws; `reason` is a stable name. */
export class HoldfastError extends Error {
  readonly reason: string;
}
/** The object is bad. Reasons: docs/verdicts.md. */
export class Refusal extends HoldfastError {
  readonly index?: number;
  readonly meaning: string;
  readonly action: string;
}
/** An argument that makes no sense; reason "invalid-argument". */
export class ArgumentError extends HoldfastError {}

export interface KnownReveal { i: Whole; reveal: BytesLike }
export interface KnownChain {
  /** Accepted: an object of kind 1 or its body. */
  registration: BytesLike;
  /** The commitment in force and the newest reveal known; null: none; absent: the registration's. */
  reveals?: null | ({ base: Whole } & KnownReveal);
}
export interface KnownHeight {
  height: Whole;
  blockHash: BytesLike;
  y?: BytesLike | null;
  /** Digest of height - 1 - link_lag, or the network's genesis digest. */
  anchor: BytesLike;
  linkBefore?: BytesLike | null;
  yCompact?: BytesLike | null;
  previousGlobal?: BytesLike | null;
  global?: BytesLike | null;
}
export interface KnownPlace { chain: KnownChain; height: KnownHeight }
export interface ChainChange {
  chainId: BytesLike; prover: BytesLike; lastSequence: number; lastEffective: Whole; accepted: Whole;
}
export interface VdfKnown { height: Whole; input: BytesLike; epochSource?: BytesLike | null }
export interface ChallengeKnown {
  chainId: BytesLike; height: Whole; blockHash: BytesLike; y: BytesLike;
  challengers: { key: BytesLike; part?: Whole }[];
}

/** What must be known to judge an object, by its kind. */
export type Known =
  | Record<string, never>
  | { accepted?: Whole; finalHash?: BytesLike | null }                                                 // registration
  | ChainChange                                                                                        // update, removal
  | { registration: BytesLike; yHeight: Whole; y: BytesLike; audit?: boolean; fills?: boolean }        // seal proof
  | KnownPlace                                                                                         // receipt, member
  | (KnownPlace & { mustCount?: boolean })                                                             // compact, full
  | (KnownPlace & { link?: BytesLike | null })                                                         // short proofs
  | { height: KnownHeight }                                                                            // path, bundle
  | { places: KnownPlace[] }                                                                           // window
  | (VdfKnown & { segments?: 'none' | 'all' | number[] })                                              // VDF proof
  | (VdfKnown & { root: BytesLike; walk?: boolean })                                                   // VDF segment
  | ChallengeKnown                                                                                     // challenge
  | { registration: BytesLike; y: BytesLike; challenge: BytesLike }                                    // response
  | { challenge: BytesLike; prover?: BytesLike; base: Whole; reveal: KnownReveal }                     // outcome
  | { own?: { blockHash: BytesLike; global: BytesLike; totalChains: Whole } }                          // checkpoint
  | { host: BytesLike; object: BytesLike }                                                             // acknowledgement
  | {                                                                                                  // evidence
      chains?: KnownChain[];
      blocks?: { height: Whole; blockHash?: BytesLike; y?: BytesLike; seed?: BytesLike }[];
      epochSeeds?: { epoch: Whole; seed: BytesLike }[];
      fills?: boolean;
    };

export interface VerifierOptions {
  /** Bytes that the verifier may ever hold: 4 MiB to 2 GiB, 64 MiB by default. */
  memoryLimit?: number;
  /** A module compiled already. */
  module?: WebAssembly.Module;
}

export class Verifier {
  /** `network`: the file network.params. */
  static create(network: BytesLike, options?: VerifierOptions): Promise<Verifier>;
  readonly networkId: Uint8Array;
  readonly memoryBytes: number;
  /** Returns where the object holds; throws Refusal where it does not. */
  verify(object: BytesLike, known?: Known): void;
  inspect(object: BytesLike): { kind: string; bytes: number; [field: string]: unknown };
  ids(registration: BytesLike): { replicaId: Uint8Array; chainId: Uint8Array };
  seed(of: { height: Whole; blockHash: BytesLike; beacon?: { round: Whole; randomness: BytesLike } }): Uint8Array;
  around(height: Whole): { isFirst: boolean; anchor: bigint | null; compactDraw: bigint; genesisGlobal: Uint8Array };
  verifySignature(key: BytesLike, message: BytesLike, signature: BytesLike): void;
  checkKey(key: BytesLike): void;
  multiproofRoot(of: { leaves: Whole; indices: Whole[]; hashes: BytesLike[]; siblings: BytesLike[] }): Uint8Array;
  verifyEntry(of: { head: BytesLike; index: Whole; entry: BytesLike; path: BytesLike[] }): void;
  verifyExtension(of: { older: BytesLike; newer: BytesLike; proof: BytesLike[] }): void;
  fillTag(of: {
    lanes: number; passes: number; blocks: Whole; password: BytesLike; salt: BytesLike; associatedData?: BytesLike;
  }): Uint8Array;
}

export interface RecordedHeight { height: number; blockHash: string; y?: string; global?: string }
export interface RecordedChain {
  id: string; registration: string; genesisHeight: number; commitment: string;
  updates: { effective: number; commitment: string }[];
  reveals: { base: number; i: number; reveal: string }[];
}
/** public.json, as `holdfast public export` writes it. */
export class PublicRecord {
  constructor(verifier: Verifier);
  readonly heights: Map<number, RecordedHeight>;
  readonly chains: Map<string, RecordedChain>;
  add(text: string): { heights: RecordedHeight[]; chains: RecordedChain[] };
  noteHeight(height: RecordedHeight): void;
  knownHeight(height: number): KnownHeight;
  knownChain(chainId: string, height: number): KnownChain;
}

/** Every reason that an object can be refused for. */
export function reasons(): Promise<{ name: string; meaning: string; action: string }[]>;
export function toBytes(value: BytesLike, name: string, length?: number): Uint8Array;
export function toHex(bytes: Uint8Array): string;
