// From objects that contradict each other, or what a public record knows, to evidence.
//
// What the objects are follows from their kinds; what does not fit is refused by name. The evidence
// is not judged here: judge_evidence() (proofs/evidence.hpp) with evidence_knowledge()
// (settlement/evidence_knowledge.hpp) does that, first without a fill. Any thread. Memory: one
// window's fill for a seal, one arena for the VDF. Spec: docs/spec.md section 11.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "clock/public_record.hpp"
#include "proofs/evidence.hpp"
#include "settlement/evidence_knowledge.hpp"

namespace holdfast {

enum class AccusationKind : std::uint8_t {
    kEquivocation,  // two of receipt, compact, full, member, bundle; `chain`
    kOpening,       // a compact or full proof; `replica`, any whole copy of the chain's
    kSeal,          // a seal proof: fills
    kVdf,           // a VDF proof: fills an arena and verifies it in full
    kCheckpoint,    // two checkpoints
    kSlots,         // a checkpoint and two paths
    kResponse,      // a challenge and its response
    kHead,          // two heads
};
/// How many objects it takes.
[[nodiscard]] std::size_t objects_of(AccusationKind what);

/// An object standing alone, under a name for errors.
struct NamedObject {
    std::string name;
    Bytes bytes;
};

struct Accusation {
    AccusationKind what = AccusationKind::kEquivocation;
    std::vector<NamedObject> objects;
    std::optional<ChainId> chain = {};
    std::filesystem::path replica = {};
};

struct MadeEvidence {
    Checked<Evidence> evidence;          // kNoOffence and others: there is none to be had, and why
    std::optional<Verdict> object = {};  // what a verifier says of the accused proof, where asked
};

/// kRefused: an object that is malformed, or of another kind or chain. kInvalidArgument: too few
/// objects, no chain. kNotFound: the record lacks something. kInterrupted, kOutOfMemory; errors of
/// reading the replica.
[[nodiscard]] Result<MadeEvidence> make_evidence(const PublicRecord& record,
                                                 const Accusation& accusation,
                                                 const EvidenceWork& work);

}  // namespace holdfast
