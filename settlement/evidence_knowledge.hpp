// What a judge of evidence knows, out of a public record.
//
// Block hashes, y, reveals and registrations are the record's; seeds and epoch seeds are computed
// from it, and an arena is filled when kind 4 asks for one (the last is kept). Whoever does not
// believe a record's y checks it first (VdfClock on PublicBlockchain). The record must outlive the
// result; the functions are called by one thread at a time. Spec: docs/spec.md section 11.
#pragma once

#include "clock/public_record.hpp"
#include "core/fill.hpp"
#include "proofs/evidence.hpp"

namespace holdfast {

struct EvidenceWork {
    unsigned threads = 1;  // for an arena's fill; 0: all cores
    StopCheck stop;
};

[[nodiscard]] EvidenceKnowledge evidence_knowledge(const PublicRecord& record,
                                                   const EvidenceWork& work = {});

/// seed_h of a block of the record; empty where the block or a required source is missing.
[[nodiscard]] std::optional<Seed> seed_from(const PublicRecord& record, Height height);
/// The seed of an epoch; empty where its y is not in the record.
[[nodiscard]] std::optional<EpochSeed> epoch_seed_from(const PublicRecord& record,
                                                       std::uint64_t epoch);

}  // namespace holdfast
