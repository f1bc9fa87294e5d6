// What a node does at a height, and what strangers can make it do in a block: counted work times
// what one piece of it takes here.
//
// node_work() is a pure function, any thread. Floating point: nothing here is hashed, signed or
// part of a verdict. Times are core-seconds; waits for the device are none. Spec:
// docs/security.md section 3.14.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/geometry.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast {

/// Seconds of one core for one piece of work.
struct WorkRates {
    double signature_s = 0;  // one Ed25519 signature verified
    double hash_s = 0;       // one hash of two hashes
    double record_s = 0;     // one record looked up, walked over or changed in a large table
    double fill_s = 0;       // one fill of the largest window
    double arena_s = 0;      // one fill of the VDF's arena
};

/// Records that the registry looks up, walks over or changes, at most, for one link in a bundle of
/// its own, one proof of a link, one chain in the digest that closes, one challenge with its
/// outcome, one registration that a block lists, and one that falls void. Held by
/// tests/attack/counted_work_test.cpp and bounded_work_test.cpp.
inline constexpr double kLinkRecords = 20;
inline constexpr double kProofRecords = 20;
inline constexpr double kCloseRecords = 4;
inline constexpr double kOutcomeRecords = 30;
inline constexpr double kListedRecords = 16;
inline constexpr double kVoidRecords = 30;

struct WorkSize {
    std::uint64_t chains = 100'000;
    std::uint64_t listed = 65'536;  // objects in a block, at most
    unsigned workers = 2;           // threads that answer peers
    unsigned evidence_fills = 1;    // in a block, at most
};

struct WorkItem {
    std::string what;
    double times = 0;
    double core_s = 0;  // of all of them
};

struct NodeWork {
    std::vector<WorkItem> height;     // every chain alive, each of a prover of its own
    std::vector<WorkItem> strangers;  // in a block, at most
    double block_s = 0;
    double height_s = 0;     // the sum of the first
    double strangers_s = 0;  // the sum of the second: the ceiling
    unsigned cores = 0;      // for both: what a block brings, y, sockets, answers
    std::uint64_t memory_bytes = 0;
};

/// `plan`: of the replicas, all of one size.
[[nodiscard]] NodeWork node_work(const NetworkParams& params, const WindowPlan& plan,
                                 const WorkSize& size, const WorkRates& rates);

/// signature_s, hash_s and record_s, measured for some tenths of a second each; records in a
/// database in the system's folder for temporary files, removed afterwards.
[[nodiscard]] Result<WorkRates> measure_work_rates();

}  // namespace holdfast
