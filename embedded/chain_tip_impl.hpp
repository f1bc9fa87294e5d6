// The acknowledged size of a local chain's log. Internal to local_chain.cpp.
#pragma once

#include <filesystem>

#include "core/codec.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// The acknowledged size of the log: u64 size || u64 ~size, so that a torn write reads as
/// "unknown", which is 0. It is a guard against lost blocks, not their record.
class TipFile {
  public:
    static Result<std::uint64_t> read(const std::filesystem::path& path) {
        const Result<Bytes> bytes = read_file(path, 16);
        if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::uint64_t{0};
        if (!bytes) return fail(bytes.error());
        if (bytes->size() != 16) return std::uint64_t{0};
        const std::uint64_t size = load_le64(bytes->data());
        return load_le64(bytes->data() + 8) == ~size ? size : std::uint64_t{0};
    }
    static Status write(File& file, std::uint64_t size) {
        Writer w(16);
        w.u64(size).u64(~size);
        HOLDFAST_TRY(file.write_at(0, w.bytes()));
        return file.sync();
    }
};

}  // namespace holdfast
