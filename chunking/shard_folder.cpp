#include "chunking/shard_folder.hpp"

#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace holdfast {
namespace {

// Some 2 million roots: a manifest of petabytes.
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{64} << 20;

/// A hidden folder that is removed with everything in it unless it is published.
class PendingFolder {
  public:
    static Result<PendingFolder> create(const std::filesystem::path& final_path) {
        std::error_code failed;
        if (std::filesystem::exists(final_path, failed) &&
            !(std::filesystem::is_directory(final_path, failed) &&
              std::filesystem::is_empty(final_path, failed))) {
            return fail(ErrorCode::kAlreadyExists,
                        "'" + final_path.string() + "' exists already and is no empty folder");
        }
        PendingFolder pending;
        pending.final_ = final_path;
        pending.parent_ = final_path.parent_path().empty() ? "." : final_path.parent_path();
        // Made as any other folder, so that the process's umask says who may look into it.
        for (;;) {
            std::uint8_t random[8];
            if (::getrandom(random, sizeof random, 0) != sizeof random) {
                return fail_errno(errno, "no randomness for a temporary name");
            }
            const std::filesystem::path path = pending.parent_ / (".holdfast-" + to_hex(random));
            if (::mkdir(path.c_str(), 0777) == 0) {
                pending.temporary_ = path;
                return pending;
            }
            if (errno == EEXIST) continue;
            return fail_errno(errno, "cannot make a folder in '" + pending.parent_.string() + "'");
        }
    }
    PendingFolder(PendingFolder&& other) noexcept
        : final_(std::move(other.final_)),
          parent_(std::move(other.parent_)),
          temporary_(std::exchange(other.temporary_, {})) {}
    PendingFolder& operator=(PendingFolder&&) = delete;
    ~PendingFolder() {
        std::error_code ignored;
        if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return temporary_; }
    Status publish() {
        HOLDFAST_TRY(sync_folder(temporary_));
        if (std::rename(temporary_.c_str(), final_.c_str()) != 0) {
            return fail_errno(errno, "cannot publish '" + final_.string() + "'");
        }
        temporary_.clear();
        return sync_folder(parent_);
    }

  private:
    PendingFolder() = default;
    std::filesystem::path final_;
    std::filesystem::path parent_;
    std::filesystem::path temporary_;
};

std::string shard_name(const std::string& name, unsigned shard) {
    char number[8];
    std::snprintf(number, sizeof number, "%03u", shard);
    return name + ".shard-" + number;
}

}  // namespace

Result<ShardFolder> shard_to_folder(const std::filesystem::path& source, CodeShape shape,
                                    const std::filesystem::path& folder,
                                    const ErasureOptions& options) {
    // A name that ends in a slash has no last part.
    const std::filesystem::path target = folder.has_filename() ? folder : folder.parent_path();
    HOLDFAST_ASSIGN(pending, PendingFolder::create(target));
    const std::string name = source.filename().string();
    ShardFolder out;
    if (shape == CodeShape{1, 0}) {
        HOLDFAST_ASSIGN(manifest, manifest_of_file(source, options));
        out.manifest = std::move(manifest);
        out.shard_paths.push_back(source);
    } else {
        std::vector<std::filesystem::path> paths;
        for (unsigned i = 0; i < shape.shards(); ++i) {
            paths.push_back(pending.path() / shard_name(name, i));
            out.shard_paths.push_back(target / shard_name(name, i));
        }
        HOLDFAST_ASSIGN(manifest, shard_file(source, shape, paths, options));
        out.manifest = std::move(manifest);
    }
    HOLDFAST_TRY(write_file(pending.path() / (name + ".manifest"),
                            wrap_object(Kind::kManifest, out.manifest.encode())));
    out.manifest_path = target / (name + ".manifest");
    HOLDFAST_TRY(pending.publish());
    return out;
}

Result<Manifest> read_manifest(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(object, read_stored_file(path, kMaxManifestBytes));
    const Checked<ByteView> body = unwrap_object(Kind::kManifest, object);
    if (!body) return fail_refused(body.error(), "'" + path.string() + "'");
    const Checked<Manifest> manifest = Manifest::decode(*body);
    if (!manifest) return fail_refused(manifest.error(), "'" + path.string() + "'");
    return *manifest;
}

}  // namespace holdfast
