// The operator's heads that a node has seen, signed, in a file: one place for each height.
//
// `u8 form = 1 || network_id || operator_pk`, then for each height from genesis_height on the head
// (240 bytes) and the CRC-32C of it; zeros, or a place that fails its sum, is a height without one.
// A head that was torn by a crash is therefore one that has not been seen, and is asked for again.
// Threading: any. Errors: kCorrupt for another file, kRefused (kWrongNetwork, kNotOperator), kIo,
// kOutOfSpace. Spec: docs/spec.md section 15.5.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "core/params.hpp"
#include "proofs/journal.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// Signed heads by height, in a file.
class HeadFile {
  public:
    /// Makes a missing file.
    static Result<std::unique_ptr<HeadFile>> open(const std::filesystem::path& path,
                                                  const NetworkParams& params);

    /// Empty: none was seen.
    [[nodiscard]] Result<std::optional<JournalHead>> head(Height height) const;
    /// Of the largest height.
    [[nodiscard]] std::optional<JournalHead> newest() const;
    /// Whoever calls has checked it; sync() makes it durable.
    [[nodiscard]] Status keep(const JournalHead& head);
    [[nodiscard]] Status sync();

  private:
    HeadFile(File file, Height first) : file_(std::move(file)), first_(first) {}
    [[nodiscard]] Result<std::optional<JournalHead>> read(Height height) const;
    [[nodiscard]] Status find_newest();

    mutable std::mutex mutex_;  // guards everything below
    File file_;
    const Height first_;
    std::optional<JournalHead> newest_;
};

}  // namespace holdfast
