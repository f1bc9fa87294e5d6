// The chain that a vector case tells: data, key, registration, and the replica sealed again.
#pragma once

#include "chunking/replica.hpp"
#include "conformance/vector_file.hpp"
#include "core/keys.hpp"
#include "proofs/registration.hpp"

namespace holdfast::conformance {

struct ChainCase {
    KeyPair key;
    Registration registration;
    ReplicaId replica_id;
    ChainId chain_id;
    Bytes data;
};

/// Compares every field of the chain but sealed_root, which it takes over: for replicas that nobody
/// sealed as they should be.
ChainCase check_chain(Checker& check, const Value& v, const Network& network);

struct SealedCase {
    ChainCase chain;
    Replica replica;
    std::filesystem::path replica_file;
    std::filesystem::path tree_file;
};

/// check_chain; then seals the data in the scratch folder, compares sealed_root, and unseals.
SealedCase check_sealed_chain(Checker& check, const Value& v, const Network& network);

/// The replica's sealed bytes.
Bytes read_sealed(Checker& check, const Value& v, const Replica& replica);

}  // namespace holdfast::conformance
