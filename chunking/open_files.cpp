#include "chunking/open_files.hpp"

#include <algorithm>

namespace holdfast {

Result<std::shared_ptr<const File>> OpenFiles::get(const std::filesystem::path& path) {
    {
        const std::lock_guard lock(mutex_);
        const auto known = by_path_.find(path.native());
        if (known != by_path_.end()) {
            order_.splice(order_.begin(), order_, known->second);
            return known->second->file;
        }
        if (order_.size() + opening_ >= limit_ && !close_one()) {
            return fail(ErrorCode::kBusy, std::to_string(limit_) +
                                              " files are open and in use; allow more, or read "
                                              "fewer at once");
        }
        ++opening_;
        most_ = std::max(most_, order_.size() + opening_);
    }
    // Without the lock: a cold name costs a wait for the disk.
    Result<File> file = File::open(path, File::Mode::kRead);
    const std::lock_guard lock(mutex_);
    --opening_;
    if (!file) return fail(file.error());
    const auto known = by_path_.find(path.native());
    if (known != by_path_.end()) return known->second->file;  // another thread was faster
    order_.push_front({path.native(), std::make_shared<const File>(std::move(*file))});
    by_path_.emplace(path.native(), order_.begin());
    return order_.front().file;
}

bool OpenFiles::close_one() {
    for (auto at = order_.end(); at != order_.begin();) {
        --at;
        if (at->file.use_count() > 1) continue;
        by_path_.erase(at->path);
        order_.erase(at);
        return true;
    }
    return false;
}

void OpenFiles::forget(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    const auto known = by_path_.find(path.native());
    if (known == by_path_.end() || known->second->file.use_count() > 1) return;
    order_.erase(known->second);
    by_path_.erase(known);
}

std::size_t OpenFiles::open() const {
    const std::lock_guard lock(mutex_);
    return order_.size();
}

std::size_t OpenFiles::most() const {
    const std::lock_guard lock(mutex_);
    return most_;
}

}  // namespace holdfast
