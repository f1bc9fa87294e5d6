// Protocol objects as JSON, field by field; the same names everywhere.
#pragma once

#include "core/constants.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/bundle.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/evidence_format.hpp"
#include "proofs/formats.hpp"
#include "proofs/journal.hpp"
#include "proofs/registration.hpp"
#include "vdf/proof.hpp"

namespace holdfast {
struct Manifest;  // chunking/erasure.hpp
}

namespace holdfast::json {

Json to_json(const Registration& registration);
Json to_json(const Receipt& receipt);
Json to_json(const HierarchyPath& path);
Json to_json(const PathProof& proof);
Json to_json(const Compact& proof);
Json to_json(const Full& proof);
/// The links are in "commitments".
Json to_json(const ProofWindow& window);
Json to_json(const Update& update);
Json to_json(const Removal& removal);
Json to_json(const Checkpoint& checkpoint);
Json to_json(const Bundle& bundle);
Json to_json(const Member& member);
Json to_json(const ShortCompact& proof);
Json to_json(const ShortFull& proof);
Json to_json(const Acknowledgement& acknowledgement);
Json to_json(const Challenge2& challenge);
Json to_json(const Outcome2& outcome);
Json to_json(const JournalHead& head);
/// What it accuses whom of; the parts are in the object itself.
Json to_json(const Evidence& evidence);
Json to_json(const NetworkParams& params);
Json to_json(const VdfParams& params);
Json to_json(const VdfSegment& segment);
Json to_json(const VdfProof& proof);
Json to_json(const Manifest& manifest);

/// Any object that stands alone: {"kind", "bytes", …fields}. A Verdict when it is malformed.
Checked<Json> describe_object(ByteView object);
/// The same of whatever the trusted rooms have a form for: every kind but manifests, of which it
/// tells kind and length. Needs those rooms alone.
Checked<Json> describe_trusted_object(ByteView object);

}  // namespace holdfast::json
