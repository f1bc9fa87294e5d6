// The 4,096-byte header that *.replica and *.tree files start with.
//
// Pure functions of bytes, any thread. Spec: docs/spec.md section 12.
#pragma once

#include "core/constants.hpp"
#include "core/params.hpp"
#include "core/replica_header.hpp"
#include "core/result.hpp"

namespace holdfast {

struct FileHeader {
    ReplicaHeader replica;
    Root sealed_root;
    ReplicaId replica_id;
    NetworkId network_id;
    friend bool operator==(const FileHeader&, const FileHeader&) = default;
};

/// The header of a complete replica of this network: ids computed.
[[nodiscard]] FileHeader make_file_header(const ReplicaHeader& replica, const Root& sealed_root,
                                          const NetworkId& network);

/// 4,096 bytes. `kind` is kReplicaFile or kTreeFile.
[[nodiscard]] Bytes encode_file_header(Kind kind, const FileHeader& header);

/// Form only: kTruncated, kTrailingBytes, kBadMagic, kBadVersion, kBadKind, kBadSum, kNotCanonical
/// (bytes that must be zero). For tools that show a file of any network.
[[nodiscard]] Checked<FileHeader> decode_file_header(Kind kind, ByteView bytes);

/// kWrongNetwork, ReplicaHeader::check, then kBadField when replica_id is not that of the header.
[[nodiscard]] Verdict check_file_header(const FileHeader& header, const NetworkParams& network);

}  // namespace holdfast
