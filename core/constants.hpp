// Every fixed number of the protocol, once. Network parameters (which may differ from network to
// network) are in core/params.hpp; these may not. Spec: docs/spec.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast {

inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::string_view kTagPrefix = "holdfast/1/";
inline constexpr std::size_t kMaxTagBytes = 63;

// Units (bytes).
inline constexpr std::size_t kCellBytes = 256;
inline constexpr std::size_t kChunkBytes = 4096;
inline constexpr std::size_t kBlockBytes = 1024;
inline constexpr std::size_t kCellsPerChunk = kChunkBytes / kCellBytes;
inline constexpr std::size_t kBlocksPerChunk = kChunkBytes / kBlockBytes;
inline constexpr unsigned kChunkTreeLevel = 4;  // a chunk's root is level 4 of the cell tree
static_assert(kCellsPerChunk == 16 && (1U << kChunkTreeLevel) == kCellsPerChunk);
static_assert(kBlocksPerChunk == 4);
inline constexpr std::uint64_t kNsPerMs = 1'000'000;

// Replicas.
inline constexpr std::uint64_t kMinChunks = 16;
inline constexpr std::uint64_t kMaxChunks = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxDataBytes = std::uint64_t{1} << 32;
static_assert(kMaxChunks * kChunkBytes == kMaxDataBytes);
inline constexpr std::size_t kMaxCellPath = 24;  // hashes, from a cell to the root
static_assert((std::uint64_t{1} << kMaxCellPath) == kMaxChunks * kCellsPerChunk);
inline constexpr std::string_view kSealSalt = "holdfast-seal-v1";
inline constexpr std::uint64_t kGenesisMaxAge =
    100;  // blocks, at acceptance; also of a removal's height
static_assert(kSealSalt.size() == 16);

// Selection and links.
inline constexpr std::uint32_t kChunksPerLink = 16;
inline constexpr std::uint32_t kOpeningTreeDepth = 4;
inline constexpr std::uint32_t kChunksPerLinkV1 = 4;
inline constexpr std::uint64_t kMaxSelectionRange = std::uint64_t{1} << 63;
inline constexpr std::uint64_t kRevealChainLength = std::uint64_t{1} << 20;
inline constexpr std::size_t kWindowMaxLinks = 5;
inline constexpr std::uint32_t kBundleMaxMembers = 16'384;

// VDF.
inline constexpr std::size_t kVdfLineBytes = 64;
inline constexpr std::uint64_t kVdfLinesPerKib = 1024 / kVdfLineBytes;
inline constexpr std::string_view kVdfSalt = "holdfast-vdf--v1";
static_assert(kVdfSalt.size() == 16);

// Bounds that every build enforces on network parameters.
inline constexpr std::uint64_t kMaxNameBytes = 64;
inline constexpr std::uint64_t kMaxBeaconKeyBytes = 256;
inline constexpr std::uint32_t kMaxSealPresets = 16;
inline constexpr std::uint32_t kMinWindowChunks = 16;
inline constexpr std::uint32_t kMaxWindowChunks = 1U << 20;
inline constexpr std::uint64_t kMaxWorkBlocks = std::uint64_t{1} << 34;
inline constexpr std::uint32_t kMaxVdfPasses = 64;
inline constexpr std::uint32_t kMaxArenaKib = 1U << 22;
inline constexpr std::uint32_t kMaxCheckpoints = 1U << 16;
inline constexpr std::uint64_t kMaxVdfSteps = std::uint64_t{1} << 36;
inline constexpr std::uint32_t kMostChallengersInForce = 1U << 16;

// Sizes of bodies (bytes).
inline constexpr std::size_t kSealParamsBytes = 13;
inline constexpr std::size_t kVdfParamsBytes = 25;
inline constexpr std::size_t kReplicaHeaderBytes = 101;
inline constexpr std::size_t kRegistrationSignedBytes = 238;
inline constexpr std::size_t kRegistrationBytes = kRegistrationSignedBytes + 64;
inline constexpr std::size_t kUpdateBytes = 76 + 64;
inline constexpr std::size_t kRemovalBytes = 44 + 64;
inline constexpr std::size_t kReceiptBytes = 32 + 8 + 32 + 64;
inline constexpr std::size_t kLeafBytes = 32 + 32 + 8 + 1;
inline constexpr std::size_t kChallengeBytes = 136 + 64;
inline constexpr std::size_t kOutcomeBytes = 137;
inline constexpr std::size_t kCheckpointBytes = 144 + 64;
inline constexpr std::size_t kChallengerBytes = 104 + 64;
inline constexpr std::size_t kBundleFixedBytes = 32 + 8 + 32 + 4 + 64;
inline constexpr std::size_t kBundleEntryBytes = 32 + 32;
inline constexpr std::size_t kMemberFixedBytes = 32 + 32 + 8 + 32 + 4 + 4 + 64;
inline constexpr std::size_t kAcknowledgementBytes = 104 + 64;
inline constexpr std::size_t kHeadBytes = 176 + 64;
inline constexpr std::size_t kChallenge2Bytes = 168 + 64;
inline constexpr std::size_t kOutcome2Bytes = 169 + 64;
inline constexpr std::size_t kFileHeaderBytes = 4096;
static_assert(kReceiptBytes == 136 && kRegistrationBytes == 302 && kLeafBytes == 73);

/// Kinds of objects that stand alone: u8 version || u8 kind || body.
enum class Kind : std::uint8_t {
    kRegistration = 1,
    kUpdate = 2,
    kSealProof = 3,
    kReceipt = 4,
    kCompact = 5,
    kFull = 6,
    kPath = 7,
    kWindow = 8,
    kVdfProof = 9,
    kVdfSegment = 10,
    kChallenge = 11,
    kResponse = 12,
    kOutcome = 13,
    kManifest = 14,
    kCheckpoint = 15,
    kEvidence = 16,
    kReplicaFile = 17,
    kTreeFile = 18,
    kNetwork = 19,
    kRemoval = 20,
    kChallenger = 21,
    kBundle = 22,
    kMember = 23,
    kShortCompact = 24,
    kShortFull = 25,
    kAcknowledgement = 26,
    kOutcome2 = 27,
    kHead = 28,
    kChallenge2 = 29,
};

std::string_view to_string(Kind kind);

}  // namespace holdfast
