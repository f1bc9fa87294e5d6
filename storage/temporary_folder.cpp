#include "storage/temporary_folder.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "storage/file.hpp"

namespace holdfast {

namespace fs = std::filesystem;

Result<TemporaryFolder> TemporaryFolder::make(const fs::path& parent, const std::string& name) {
    std::string pattern = (parent / ("." + name + ".partial-XXXXXX")).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        return fail_errno(errno, "cannot make a folder in " + parent.string());
    }
    return TemporaryFolder(pattern);
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status TemporaryFolder::publish(const fs::path& to) {
    HOLDFAST_TRY(sync_folder(path_));
    std::error_code failed;
    fs::permissions(path_, static_cast<fs::perms>(0755), failed);
    if (!failed) fs::rename(path_, to, failed);
    if (failed) return fail_errno(failed.value(), "cannot publish the folder " + to.string());
    path_.clear();
    return sync_folder(parent_of(to));
}

fs::path parent_of(const fs::path& path) {
    const fs::path parent = path.parent_path();
    return parent.empty() ? fs::path(".") : parent;
}

fs::path named_path(const fs::path& path) {
    return path.has_filename() ? path : path.parent_path();
}

}  // namespace holdfast
