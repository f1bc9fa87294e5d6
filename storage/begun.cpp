#include "storage/begun.hpp"

#include <string>

#include "core/types.hpp"
#include "storage/file.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

Result<bool> is_there(const fs::path& path) {
    std::error_code failed;
    const fs::file_status status = fs::symlink_status(path, failed);
    if (status.type() == fs::file_type::not_found) return false;
    if (failed) return fail_errno(failed.value(), "cannot look for '" + path.string() + "'");
    return true;
}

Result<bool> holds_nothing(const fs::path& store) {
    std::error_code failed;
    const bool empty = fs::is_empty(store, failed);
    if (failed) return fail_errno(failed.value(), "cannot examine '" + store.string() + "'");
    return empty;
}

Status remove_path(const fs::path& path) {
    std::error_code failed;
    fs::remove(path, failed);
    if (failed) return fail_errno(failed.value(), "cannot remove '" + path.string() + "'");
    return {};
}

}  // namespace

fs::path begun_marker(const fs::path& store) {
    fs::path marker = store.has_filename() ? store : store.parent_path();
    marker += ".begun";
    return marker;
}

Result<bool> has_begun(const fs::path& store) { return is_there(begun_marker(store)); }

Status check_not_vanished(const fs::path& store) {
    HOLDFAST_ASSIGN(begun, has_begun(store));
    if (!begun) return {};
    HOLDFAST_ASSIGN(there, is_there(store));
    if (!there) return vanished(store);
    HOLDFAST_ASSIGN(empty, holds_nothing(store));
    return empty ? Status(vanished(store)) : Status();
}

tl::unexpected<Error> vanished(const fs::path& store) {
    return fail(ErrorCode::kCorrupt, "'" + store.string() +
                                         "' is missing or empty, but has held records; mount or " +
                                         "restore it. To begin without what it held, remove '" +
                                         begun_marker(store).string() + "'");
}

Status mark_begun(const fs::path& store) {
    HOLDFAST_ASSIGN(begun, has_begun(store));
    if (begun) return {};
    HOLDFAST_ASSIGN(there, is_there(store));
    if (!there) return {};
    HOLDFAST_ASSIGN(empty, holds_nothing(store));
    if (empty) return {};
    const std::string text = store.filename().string() + " holds records. Where it is missing or " +
                             "empty beside this file, it has been lost.\n";
    return write_file(begun_marker(store), view(std::string_view(text)), true);
}

Status forget_begun(const fs::path& store) { return remove_path(begun_marker(store)); }

Status remove_store_file(const fs::path& store) {
    HOLDFAST_TRY(forget_begun(store));
    return remove_path(store);
}

}  // namespace holdfast
