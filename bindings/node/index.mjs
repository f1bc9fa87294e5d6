import holdfast from './index.js';

export const {
  version, abiVersion, reasons, hasFeature, HoldfastError,
  Blockchain, Token, Beacon, Peers,
  objects, Network, Signer, Verifier, Vdf, shards, evidence,
  seal, unseal, unsealRange, inspectReplica, Prover, proofs, challenges, Challenger, Clock, Aggregator,
  ProofOfStorageProver, ProofOfStorageVerifier, HierarchicalNetworkManager,
} = holdfast;
export default holdfast;
