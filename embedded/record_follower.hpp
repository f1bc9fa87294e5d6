// Follows a record file that another process (or object) appends to.
//
// Takes no lock and changes nothing. poll() hands over what is new and complete; a record that is
// still being written, or torn, is left for a later poll. Used by one thread at a time. Spec:
// docs/spec.md section 12 (the form of a record file).
#pragma once

#include <filesystem>
#include <functional>

#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// Reads what another process appends to a record file.
class RecordFollower {
  public:
    /// kNotFound, kPermission, kIo; kCorrupt where its records have vanished. Longer records than
    /// `max_body_bytes` end the file.
    static Result<RecordFollower> open(const std::filesystem::path& path,
                                       std::uint32_t max_body_bytes);

    /// `offset` is where the body stands in the file; its bytes are valid during the call only.
    using Visitor = std::function<Status(std::uint64_t offset, ByteView body)>;
    /// Calls `visit` for every record since the last poll. The visitor's error ends it, and that
    /// record comes again. kCorrupt when the file has become shorter than what was read.
    [[nodiscard]] Status poll(const Visitor& visit);
    /// Bytes of a body that poll() has shown.
    [[nodiscard]] Result<Bytes> read(std::uint64_t offset, std::uint64_t size) const;
    /// End of the last record that holds.
    [[nodiscard]] std::uint64_t good_bytes() const { return good_bytes_; }

  private:
    RecordFollower(File file, std::uint32_t max_body_bytes)
        : file_(std::move(file)), max_body_bytes_(max_body_bytes) {}
    /// The next record whole, or empty when there is none that holds.
    [[nodiscard]] Result<Bytes> next_record(std::uint64_t file_bytes) const;

    File file_;
    std::uint32_t max_body_bytes_;
    std::uint64_t good_bytes_ = 0;
    Digest last_;
};

}  // namespace holdfast
