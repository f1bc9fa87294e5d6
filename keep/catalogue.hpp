// What an owner has put: a durable map from files to their newest manifest, or to the word that
// they were removed.
//
// For each file the entry with the highest signed counter stands; between two of one counter a
// removal, then the lower digest. So catalogues of several devices merge into the same one, in any
// order and however often. Entries of another owner, or whose signature does not hold, are refused.
//
// Several processes may have one open, a keeper and a put among them: each opens the store for the
// moment of a call, and waits for another that writes (ten seconds at most, then kBusy).
//
// Threading: any thread. Errors: kCorrupt, kRefused (an export that is malformed), kOutOfSpace,
// kIo. Spec: docs/spec.md section 16.4.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "keep/kept_file.hpp"

namespace holdfast {

inline constexpr Kind kCatalogueKind{32};

using CatalogueEntry = std::variant<KeptFile, KeptRemoval>;
[[nodiscard]] Digest file_id(const CatalogueEntry& entry);
[[nodiscard]] std::uint64_t entry_counter(const CatalogueEntry& entry);
/// Whether `a` stands where both are known; false for equal ones.
[[nodiscard]] bool supersedes(const CatalogueEntry& a, const CatalogueEntry& b);

/// All entries, by file.
using CatalogueEntries = std::map<Digest, CatalogueEntry>;
/// Takes what supersedes; gives the number of entries taken.
std::size_t merge_entries(CatalogueEntries& into, const CatalogueEntries& from);
/// Standing alone (kind 32).
[[nodiscard]] Bytes encode_catalogue(const CatalogueEntries& entries);
/// Every entry as its own decoder says; kWrongObject for one of another owner, kBadField where
/// files do not ascend.
[[nodiscard]] Checked<CatalogueEntries> decode_catalogue(ByteView object, const PublicKey& owner);

/// KEYFILE.catalogue, beside the owner's key.
[[nodiscard]] std::filesystem::path default_catalogue(const std::filesystem::path& key_file);

class Catalogue {
  public:
    /// Makes the folder where it is missing. kRefused where it is another owner's.
    [[nodiscard]] static Result<std::unique_ptr<Catalogue>> open(
        const std::filesystem::path& folder, const PublicKey& owner);
    /// Beside whoever writes: take() and merge() then fail. kNotFound where there is none.
    [[nodiscard]] static Result<std::unique_ptr<Catalogue>> open_for_reading(
        const std::filesystem::path& folder, const PublicKey& owner);
    ~Catalogue();

    [[nodiscard]] Result<CatalogueEntries> entries() const;
    [[nodiscard]] Result<std::optional<CatalogueEntry>> find(const Digest& file) const;
    /// Durable when it returns. False, and nothing changes, where what is there stands.
    [[nodiscard]] Result<bool> take(const CatalogueEntry& entry);
    /// All of them in one transaction; how many were taken.
    [[nodiscard]] Result<std::size_t> merge(const CatalogueEntries& from);

  private:
    class Impl;
    explicit Catalogue(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
