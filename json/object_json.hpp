// Protocol objects as JSON, field by field; the same names everywhere.
#pragma once

#include "chunking/erasure.hpp"
#include "core/constants.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/formats.hpp"
#include "proofs/registration.hpp"
#include "vdf/proof.hpp"

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
Json to_json(const NetworkParams& params);
Json to_json(const VdfParams& params);
Json to_json(const VdfSegment& segment);
Json to_json(const VdfProof& proof);
Json to_json(const Manifest& manifest);

/// Any object that stands alone: {"kind", "bytes", …fields}. A Verdict when it is malformed.
Checked<Json> describe_object(ByteView object);

}  // namespace holdfast::json
