// The manifest of a kept file: the one small file that, with the owner's key, is all that it takes
// to have the file back. Signed by the owner; holds no secret.
//
// Form and signature are checked here; what provers say of their shards is not believed because it
// stands in it. Pure; any thread. Sizes in bytes. Spec: docs/spec.md section 16.3.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chunking/erasure.hpp"
#include "core/codec.hpp"
#include "core/keys.hpp"
#include "deposit/messages.hpp"
#include "keep/stream_cipher.hpp"

namespace holdfast {

inline constexpr Kind kKeptFileKind{30};
inline constexpr Kind kKeptRemovalKind{31};
inline constexpr std::size_t kMaxKeptText = 255;  // of a name, of an address

enum class KeptScheme : std::uint8_t {
    kPlain = 0,       // provers can read it
    kAesGcmHkdf = 1,  // keep/stream_cipher.hpp
};

/// One segment of one shard: where it is.
struct KeptShard {
    PublicKey prover;
    std::string address;  // of the prover, when the manifest was made
    DepositId deposit;
    ReplicaId replica;  // zeros: not sealed yet when the manifest was made
    ChainId chain;      // zeros: not registered yet
    friend bool operator==(const KeptShard&, const KeptShard&) = default;
};

struct KeptFile {
    PublicKey owner;
    NetworkId network;
    std::uint64_t counter = 1;  // of this file's manifests and removals: the highest stands
    std::uint64_t plain_len = 0;
    KeptScheme scheme = KeptScheme::kAesGcmHkdf;
    Digest salt;          // drawn for each put: of the file's key, and of its name
    StreamHeader header;  // as in front of the ciphertext; zeros where nothing is encrypted
    std::string name;     // for people; may be empty
    Manifest manifest;    // of what is coded: the ciphertext
    std::vector<KeptShard> shards;  // shard by shard, within a shard segment by segment
    Signature signature;
    friend bool operator==(const KeptFile&, const KeptFile&) = default;

    /// The file's name in catalogues: the same for all its manifests.
    [[nodiscard]] Digest id() const;
    [[nodiscard]] StreamShape shape() const {
        return {plain_len, scheme != KeptScheme::kPlain, kCipherSegmentBytes};
    }
    [[nodiscard]] const KeptShard& at(unsigned shard, std::uint64_t segment) const {
        return shards[shard * manifest.segments_per_shard() + segment];
    }
    /// Bytes of one segment of a shard: of its deposit.
    [[nodiscard]] std::uint64_t segment_bytes(std::uint64_t segment) const;

    [[nodiscard]] Digest signed_digest() const;
    /// Sets owner and signature.
    [[nodiscard]] Status sign(const KeyPair& owner_key);
    [[nodiscard]] Bytes encode() const;
    /// Form and signature: kTruncated, kTrailingBytes, kBadField (counter, scheme, salt, name,
    /// address), kBadGeometry (lengths that do not fit each other), kProofLength (number of
    /// shards), kBadKey, kBadSignature, and those of Manifest::decode. Two segments of one shard
    /// have one prover, two shards have two, and no deposit stands twice (kBadField).
    [[nodiscard]] static Checked<KeptFile> decode(ByteView body);
};

/// The owner's word that a file is kept no longer.
struct KeptRemoval {
    PublicKey owner;
    NetworkId network;
    Digest file;  // KeptFile::id()
    std::uint64_t counter = 1;
    Signature signature;
    friend bool operator==(const KeptRemoval&, const KeptRemoval&) = default;

    [[nodiscard]] Digest signed_digest() const;
    [[nodiscard]] Status sign(const KeyPair& owner_key);
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] static Checked<KeptRemoval> decode(ByteView body);
};

/// The body of a standing-alone object of this room; as unwrap_object(), which knows the kinds of
/// the protocol alone.
[[nodiscard]] Checked<ByteView> unwrap_kept(Kind kind, ByteView object);

/// A manifest file (kind 30, standing alone). kRefused with what is wrong with it; kNotFound.
[[nodiscard]] Result<KeptFile> read_kept_file(const std::filesystem::path& path);
/// Replaces what is there, atomically.
[[nodiscard]] Status write_kept_file(const std::filesystem::path& path, const KeptFile& file);

}  // namespace holdfast
