// Types of the package `holdfast`. Heights, counts and amounts come out as bigint and go in as bigint
// or as a number that is a safe integer. Digests, ids and keys are 32 bytes, signatures 64.

export type Integer = number | bigint;
export type Bytes = Uint8Array;
type Maybe<T> = T | Promise<T>;

export const version: string;
export const abiVersion: number;
export interface Reason { name: string; meaning: string; action: string }
export const reasons: readonly Reason[];
export function hasFeature(name: string): boolean;

export type StatusName =
  | 'invalid-argument' | 'not-found' | 'already-exists' | 'permission' | 'io' | 'corrupt'
  | 'out-of-space' | 'out-of-memory' | 'busy' | 'interrupted' | 'unavailable' | 'timeout' | 'refused'
  | 'unsupported' | 'short-buffer' | 'wrong-handle' | 'callback-failed' | 'internal';

/** A call that did not succeed. Hosts may throw it out of their methods, too. */
export class HoldfastError extends Error {
  constructor(message: string, code?: StatusName, reason?: string | null, index?: bigint | null);
  readonly code: StatusName;
  /** With code 'refused': the name of the verdict's reason. */
  readonly reason: string | null;
  readonly index: bigint | null;
}

export interface Verdict { accepted: boolean; reason: string | null; index: bigint | null }
export interface Progress { stage: string; done: bigint; total: bigint }
/** How to watch and stop one call. A listener that throws ends it. */
export interface Watch { signal?: AbortSignal; progress?: (news: Progress) => void }

declare class Handle {
  protected constructor();
  /** Lets the object go once no call uses it any more. */
  close(): Promise<void>;
}

// --- what a host gives ---------------------------------------------------------------------------

export interface GuardOptions { timeoutMs?: number; maxCalls?: number }
export interface Block { height: Integer; hash: Bytes; parent: Bytes; timeMs: Integer; final: boolean }
export type BondPurpose = 'storage' | 'challenger' | 'checkpoint' | 'evaluator' | 'accusation' | 'operator';
export interface BondEvent {
  what: 'created' | 'added' | 'released' | 'slashed';
  bond: Bytes; amount: Integer; number: Integer;
  /** Of 'created' alone. */
  purpose?: BondPurpose; owner?: Bytes; subject?: Bytes;
}
/** Null: no such block (yet). Objects carry their kind. */
export interface BlockchainHost {
  currentHeight(): Maybe<Integer>;
  blockByHeight(height: bigint): Maybe<Block | null>;
  submit(kind: string, object: Buffer): Maybe<void>;
  submissionsAt(height: bigint): Maybe<Bytes[] | null>;
  bondEventsAt(height: bigint): Maybe<BondEvent[] | null>;
}
export interface BondInfo {
  bond: Bytes; owner: Bytes; purpose: BondPurpose; released: boolean;
  createdAmount: Integer; heldAmount: Integer; slashedAmount: Integer;
}
export interface TokenHost {
  createBond(request: { owner: Buffer; amount: bigint; purpose: BondPurpose; key: Buffer }): Maybe<Bytes>;
  releaseBond(request: { bond: Buffer; amount: bigint; key: Buffer }): Maybe<Integer>;
  slashBond(request: { bond: Buffer; amount: bigint; offence: Buffer; key: Buffer }): Maybe<Integer>;
  payReward(request: { to: Buffer; amount: bigint; reference: Buffer; key: Buffer }): Maybe<void>;
  bondInfo(bond: Buffer): Maybe<BondInfo | null>;
}
export interface BeaconHost {
  randomness(round: bigint): Maybe<{ randomness: Bytes; proof: Bytes } | null>;
  verify(round: bigint, randomness: Buffer, proof: Buffer): Maybe<boolean>;
}
export interface PeersHost {
  peers(): Maybe<{ key: Bytes; address: string }[]>;
  measureLatency(peer: Buffer, samples: number, timeoutMs: number): Maybe<Integer[]>;
  sendChallenge(peer: Buffer, challenge: Buffer, deadlineMs: number):
    Maybe<{ response: Bytes; serviceUs: Integer; pingUs: Integer }>;
  verifyPlace(peer: Buffer, latitudeUdeg: number, longitudeUdeg: number, timeoutMs: number):
    Maybe<{ vantage: string; rttNs: Integer; distanceM: Integer }[]>;
}
export interface SignerHost {
  publicKey(): Maybe<Bytes>;
  /** The pure Ed25519 signature. */
  sign(message: Buffer): Maybe<Bytes>;
}

export class Blockchain extends Handle {
  private _blockchain: never;
  static from(host: BlockchainHost, options?: GuardOptions): Blockchain;
}
export class Token extends Handle {
  private _token: never;
  static from(host: TokenHost, options?: GuardOptions): Token;
}
export class Beacon extends Handle {
  private _beacon: never;
  static from(host: BeaconHost, options?: GuardOptions): Beacon;
}
export class Peers extends Handle {
  private _peers: never;
  static from(host: PeersHost, options?: GuardOptions): Peers;
}

// --- objects, networks, signers ------------------------------------------------------------------

export const objects: {
  kind(object: Bytes): string;
  toJSON(object: Bytes): Record<string, unknown>;
  fromJSON(fields: Record<string, unknown>): Buffer;
  sha256(data: Bytes): Buffer;
};

export class Network extends Handle {
  private _network: never;
  static load(path: string): Promise<Network>;
  static fromObject(object: Bytes): Network;
  static fromPreset(
    preset?: 'default' | 'dev', settings?: Record<string, string | Integer | boolean | Bytes>): Network;
  readonly id: Buffer;
  toObject(): Buffer;
  toJSON(): Record<string, unknown>;
  compactHeight(height: Integer): bigint;
  save(path: string): Promise<void>;
}

export class Signer extends Handle {
  private _signer: never;
  static generate(): Signer;
  static fromSecret(secret: Bytes): Signer;
  static load(path: string): Promise<Signer>;
  static from(host: SignerHost, options?: { timeoutMs?: number }): Promise<Signer>;
  static verify(publicKey: Bytes, message: Bytes, signature: Bytes): Verdict;
  readonly publicKey: Buffer;
  sign(message: Bytes): Promise<Buffer>;
  save(path: string): Promise<void>;
}

// --- the verifier --------------------------------------------------------------------------------

export interface KnownHeight {
  height: Integer; blockHash: Bytes; parent: Bytes; timeMs: Integer;
  y?: Bytes | null; global?: Bytes | null;
  beacon?: { round: Integer; randomness: Bytes; proof: Bytes };
}
export interface KnownChain {
  registration: Bytes; accepted: Integer; updates?: Bytes[];
  reveals?: { base: Integer; index: Integer; reveal: Bytes }[];
}
export interface Hints {
  chainId?: Bytes; height?: Integer; path?: Bytes; link?: Bytes; linkBefore?: Bytes;
  acknowledged?: Bytes; host?: Bytes;
}
export interface Report extends Verdict {
  kind: string | null; chainId: Buffer | null; height: bigint | null;
  window: {
    first: bigint; last: bigint; links: bigint; full: bigint; leftOut: bigint; heights: bigint;
    openings: bigint;
  } | null;
  totalChains: bigint | null; totalIsProven: boolean;
}
export class Verifier extends Handle {
  private _verifier: never;
  static create(network: Network): Verifier;
  static load(folder: string): Promise<Verifier>;
  readonly network: Network;
  readonly chains: Buffer[];
  save(folder: string): Promise<void>;
  setHeights(heights: KnownHeight[]): void;
  addChain(chain: KnownChain): Buffer;
  height(height: Integer): KnownHeight & { height: bigint };
  verify(object: Bytes, options?: Hints & Watch): Promise<Report>;
  verifySync(object: Bytes, hints?: Hints): Report;
  linkPlace(height: Integer): LinkPlace;
}

export class Vdf extends Handle {
  private _vdf: never;
  static create(network: Network, options?: { memoryBytes?: Integer; threads?: number }): Promise<Vdf>;
  static input(network: Network, height: Integer, blockHash: Bytes,
    beacon?: { round: Integer; randomness: Bytes }): Buffer;
  static epochSource(network: Network, height: Integer): bigint | null;
  evaluate(evaluator: Signer, what: { height: Integer; input: Bytes; epochSource?: Bytes } & Watch):
    Promise<{ proof: Buffer; y: Buffer }>;
  verify(proof: Bytes,
    what: { height: Integer; input: Bytes; epochSource?: Bytes; segments?: number } & Watch):
    Promise<{ verdict: Verdict; y: Buffer | null }>;
}

export const shards: {
  encode(source: string, data: number, parity: number, paths: string[], options?: Watch): Promise<Buffer>;
  decode(manifest: Bytes, paths: string[], output: string, options?: Watch): Promise<void>;
  rebuild(manifest: Bytes, paths: string[], shard: number, output: string, options?: Watch): Promise<void>;
};

export const evidence: {
  make(verifier: Verifier, request: {
    what: 'equivocation' | 'opening' | 'seal' | 'vdf' | 'checkpoint' | 'response' | 'head' | 'slots';
    objects: Bytes[]; chainId?: Bytes; replica?: string;
  }, options?: Watch): Promise<Buffer>;
  verify(verifier: Verifier, object: Bytes, options?: { withoutFill?: boolean } & Watch): Promise<{
    verdict: Verdict; offence: number; needsFill: boolean; offender: Buffer; height: bigint;
    offenceId: Buffer;
  }>;
};

// --- replicas and the prover ---------------------------------------------------------------------

export interface SealOptions extends Watch {
  preset?: string; segment?: Integer; nonce?: Integer; workers?: number; restart?: boolean;
}
export interface ReplicaInfo {
  replicaId: Buffer; prover: Buffer; rawRoot: Buffer; sealedRoot: Buffer; dataBytes: bigint;
  chunks: bigint; windows: bigint; windowsTakenOver: bigint;
}
export function seal(network: Network, prover: Bytes, source: string, replica: string,
  options?: SealOptions): Promise<ReplicaInfo>;
export function unseal(network: Network, replica: string, output: string,
  options?: { workers?: number } & Watch): Promise<void>;
export function unsealRange(network: Network, replica: string, offset: Integer, bytes: Integer,
  options?: { workers?: number } & Watch): Promise<Buffer>;
export function inspectReplica(network: Network, replica: string): Promise<ReplicaInfo>;

export interface LinkPlace { height: Integer; blockHash: Bytes; y: Bytes; anchor: Bytes }
export interface LinkFacts { chainId: Bytes; linkBefore: Bytes; revealBase?: Integer | null }
export interface ChallengeHeight {
  height: Integer; blockHash: Bytes; y?: Bytes | null; challengers?: { key: Bytes; part: Integer }[];
}
export interface ProverOptions {
  openFiles?: number; keptHeights?: number; threads?: number; responsesAtOnce?: number;
}
export class Prover extends Handle {
  private _prover: never;
  static open(network: Network, signer: Signer, records: string, options?: ProverOptions): Promise<Prover>;
  readonly count: bigint;
  toJSON(): { replicas: Record<string, unknown>[] };
  add(replica: string): Promise<Buffer>;
  remove(replica: string): Promise<bigint>;
  makeRegistration(replicaId: Bytes, terms: {
    genesisHeight: Integer; genesisBlockHash: Bytes; bond: Bytes;
    retention?: 'temporary' | 'default' | 'archival'; withCommitment?: boolean;
  }): Promise<{ registration: Buffer; chainId: Buffer }>;
  noteRegistration(registration: Bytes): Promise<Buffer>;
  makeUpdate(chainId: Bytes,
    update: { sequence: Integer; effective: Integer; withCommitment?: boolean }): Promise<Buffer>;
  makeRemoval(chainId: Bytes, removal: { sequence: Integer; tip: Integer }): Promise<Buffer>;
  reveal(chainId: Bytes, base: Integer, height: Integer): Promise<Buffer>;
  link(place: LinkPlace, chains: LinkFacts[]): Promise<{ bundle: Buffer; statuses: string[] }>;
  receipt(place: LinkPlace, chainId: Bytes): Promise<Buffer>;
  prove(place: LinkPlace, chain: LinkFacts,
    options?: { yCompact?: Bytes | null; path?: Bytes }): Promise<Buffer>;
  sealProof(chainId: Bytes, challenge: { yHeight: Integer; y: Bytes; audit?: boolean },
    options?: Watch): Promise<Buffer>;
  onFinalBlock(block: ChallengeHeight): Promise<void>;
  respond(from: Bytes, challenge: Bytes): Promise<Buffer>;
}
export const proofs: { shorten(proof: Bytes): Buffer; window(proofs: Bytes[]): Buffer };

// --- challenges ----------------------------------------------------------------------------------

export const challenges: {
  make(network: Network, challenger: Signer, challenge: ChallengeRequest): Promise<Buffer>;
  verifyResponse(network: Network, registration: Bytes, challenge: Bytes, response: Bytes): Verdict;
};
export interface ChallengeRequest {
  chainId: Bytes; height: Integer; blockHash: Bytes; y: Bytes; reveal: Bytes;
}
export interface ChallengedChain { chainId: Bytes; prover: Bytes; sealedRoot: Bytes; chunks: Integer }
export class Challenger extends Handle {
  private _challenger: never;
  static makeRegistration(network: Network, signer: Signer, base: Integer, bond: Bytes): Promise<Buffer>;
  static open(network: Network, signer: Signer,
    options: { base: Integer; journal: string; peers: Peers }): Promise<Challenger>;
  readonly nextDueMs: bigint | null;
  onFinalBlock(tip: Integer): Promise<void>;
  draw(height: ChallengeHeight, chains: ChallengedChain[]): Promise<bigint>;
  work(options?: Watch): Promise<{
    sent: bigint; served: bigint; late: bigint; invalid: bigint; unreachable: bigint; abandoned: bigint;
  }>;
  publish(chain: Blockchain): Promise<bigint>;
}

// --- clock and aggregator ------------------------------------------------------------------------

export interface ClockOptions {
  chain: Blockchain; beacon?: Beacon | null; evaluator?: Signer | null; folder?: string;
  threads?: number; atOnce?: number; memoryBytes?: Integer; keepProofs?: Integer; first?: Integer;
}
export class Clock extends Handle {
  private _clock: never;
  static open(network: Network, options: ClockOptions): Promise<Clock>;
  at(height: Integer, options?: Watch): Promise<{
    height: bigint; hash: Buffer; parent: Buffer; timeMs: bigint; final: boolean; input: Buffer; y: Buffer;
  }>;
  advance(options?: Watch): Promise<bigint>;
  proof(height: Integer): Promise<Buffer>;
  import(proof: Bytes, options?: Watch): Promise<Verdict>;
}

export interface AggregatorTerms {
  checkpointer?: Signer | null; checkpointBond?: Bytes; settlement?: string; statements?: string;
  proverReward?: Integer; challengerReward?: Integer; keptHeights?: Integer; mapBytes?: Integer;
  threads?: number; fillsAtOnce?: number;
}
export interface AggregatorOptions extends AggregatorTerms {
  chain: Blockchain; clock: Clock; registry: string; token?: Token | null; operator?: Signer | null;
}
export interface BlockSummary {
  height: bigint; y: Buffer | null; closed: bigint | null; global: Buffer | null; totalChains: bigint;
  active: bigint; late: bigint; removing: bigint; expired: bigint; objects: bigint; refused: bigint;
  links: bigint; proofs: bigint; faults: bigint; report: Record<string, unknown>;
}
export interface DigestInfo {
  height: bigint; blockHash: Buffer; timeMs: bigint; y: Buffer | null; closed: boolean;
  global: Buffer | null; regions: bigint; totalChains: bigint; active: bigint; late: bigint;
  removing: bigint; expired: bigint;
}
export interface Outcome extends Verdict {
  kind: string | null; chainId: Buffer | null; height: bigint | null; entry: bigint | null;
  members: bigint; membersRefused: bigint;
  /** Of a bundle: one for each member, in its order. */
  memberVerdicts: Verdict[];
}
export interface Statistics { totalChains: number; active: number; [name: string]: unknown }
export class Aggregator extends Handle {
  private _aggregator: never;
  static open(network: Network, options: AggregatorOptions): Promise<Aggregator>;
  advance(provers?: Prover[], options?: Watch): Promise<BlockSummary | null>;
  behind(): Promise<bigint>;
  submit(object: Bytes, options?: { peer?: string } & Watch): Promise<Outcome>;
  height(height: Integer): Promise<DigestInfo>;
  tip(): Promise<{ tip: bigint | null; closed: bigint | null }>;
  path(chainId: Bytes, height: Integer): Promise<Buffer>;
  head(height: Integer): Promise<Buffer>;
  linkFacts(chainId: Bytes, height: Integer): Promise<{ place: LinkPlace; chain: LinkFacts }>;
  sealDuties(chainId: Bytes): Promise<
    { audit: boolean; yHeight: bigint | null; y: Buffer | null; deadline: bigint | null }[]>;
  chain(chainId: Bytes): Promise<Record<string, unknown>>;
  statistics(): Promise<Statistics>;
  cases(): Promise<Record<string, unknown>>;
  challenges(height: Integer): Promise<{
    challengers: { key: Buffer; part: bigint }[];
    chains: { chainId: Buffer; prover: Buffer; sealedRoot: Buffer; chunks: bigint }[];
  }>;
  verifier(first?: Integer): Promise<Verifier>;
  settle(options?: Watch): Promise<{ answered: bigint; refused: bigint; open: bigint; timeouts: bigint }>;
}

// --- under the names of the field's library for Node.js ------------------------------------------

export interface LinkRequest {
  chainId?: Bytes; height?: Integer; place?: LinkPlace; chain?: LinkFacts; yCompact?: Bytes; path?: Bytes;
}
export class ProofOfStorageProver {
  constructor(network: Network, signer: Signer, prover: Prover);
  static open(options: { network: Network; signer: Signer; records: string } & ProverOptions):
    Promise<ProofOfStorageProver>;
  readonly prover: Prover;
  readonly publicKey: Buffer;
  attach(manager: HierarchicalNetworkManager): void;
  storeData(data: Bytes | string, outputDirectory: string, options?: SealOptions & { name?: string }):
    Promise<ReplicaInfo & { replica: string }>;
  generateCommitment(request: LinkRequest):
    Promise<{ chainId: Buffer; height: bigint; bundle: Buffer; receipt: Buffer }>;
  createCompactProof(request: LinkRequest): Promise<Buffer>;
  createFullProof(request: LinkRequest): Promise<Buffer>;
  createProofWindow(proofs: Bytes[]): { window: Buffer; commitments: Record<string, unknown>[] };
  respondToChallenge(challenge: Bytes, from: Bytes): Promise<Buffer>;
  getProverStats(): { publicKey: Buffer; replicas: Record<string, unknown>[] };
  close(): Promise<void>;
}
export class ProofOfStorageVerifier {
  constructor(verifier: Verifier);
  static open(options: { network?: Network; folder?: string }): Promise<ProofOfStorageVerifier>;
  readonly verifier: Verifier;
  judge(object: Bytes, kind?: string, hints?: Hints): Report;
  verifyCompactProof(proof: Bytes, hints?: Hints): boolean;
  verifyFullProof(proof: Bytes, hints?: Hints): boolean;
  verifyProofWindow(window: Bytes, hints?: Hints): Report & { commitments: Record<string, unknown>[] };
  generateChallenge(request: { challenger: Signer } & ChallengeRequest): Promise<Buffer>;
  verifyChallengeResponse(response: Bytes, challenge: Bytes, registration: Bytes): boolean;
  auditProver(request: {
    registration: Bytes; challenge: Bytes; send: (challenge: Bytes) => Maybe<Bytes>;
  }): Promise<{ served: boolean; reason: string | null; response: Bytes; milliseconds: number }>;
  close(): Promise<void>;
}
export class HierarchicalNetworkManager {
  constructor(network: Network, aggregator: Aggregator);
  static open(options: {
    network: Network; chain: BlockchainHost | Blockchain; token?: TokenHost | Token | null;
    beacon?: BeaconHost | Beacon | null; folder: string; operator?: Signer; evaluator?: Signer;
    guard?: GuardOptions;
  } & AggregatorTerms): Promise<HierarchicalNetworkManager>;
  readonly aggregator: Aggregator;
  registerProver(prover: ProofOfStorageProver): void;
  removeProver(prover: ProofOfStorageProver): boolean;
  processNetworkBlock(options?: Watch): Promise<BlockSummary | null>;
  getNetworkStats(): Promise<Statistics>;
  verifier(first?: Integer): Promise<ProofOfStorageVerifier>;
  close(): Promise<void>;
}
