#include "hierarchy/registry_backup.hpp"

#include <system_error>

#include "core/constants.hpp"
#include "hierarchy/registry_impl.hpp"
#include "storage/file.hpp"
#include "storage/temporary_folder.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

/// A checked copy of the newest commit, on the device, as the only content of `into`.
Result<RegistryStatistics> copy_checked(const Store& source, const NetworkParams& params,
                                        const fs::path& into) {
    {
        HOLDFAST_ASSIGN(data, File::open(into / kStoreDataFile, File::Mode::kCreateNew));
        HOLDFAST_TRY(source.copy_to(data));
        HOLDFAST_TRY(data.sync());
    }
    HOLDFAST_TRY(
        write_file(into / kRegistryNetworkFile, wrap_object(Kind::kNetwork, params.encode())));
    RegistryOptions options;
    options.read_only = true;
    RegistryStatistics found;
    {
        HOLDFAST_ASSIGN(copy, Registry::open(into, params, options));
        HOLDFAST_ASSIGN(statistics, copy->statistics());
        found = statistics;
    }
    for (const std::string_view lock : {kRegistryLockFile, kStoreLockFile}) {
        std::error_code failed;
        fs::remove(into / lock, failed);
        if (failed) return fail_errno(failed.value(), "cannot remove a lock file of the copy");
    }
    HOLDFAST_TRY(sync_folder(into));
    return found;
}

Result<RegistryStatistics> publish_copy(const Store& source, const NetworkParams& params,
                                        const fs::path& wanted) {
    const fs::path to = named_path(wanted);
    std::error_code failed;
    if (fs::exists(fs::symlink_status(to, failed))) {
        return fail(ErrorCode::kAlreadyExists, to.string() + " exists already");
    }
    HOLDFAST_ASSIGN(temporary, TemporaryFolder::make(parent_of(to), to.filename().string()));
    HOLDFAST_ASSIGN(found, copy_checked(source, params, temporary.path()));
    HOLDFAST_TRY(temporary.publish(to));
    return found;
}

Result<std::unique_ptr<Store>> open_source(const fs::path& folder) {
    Store::Options options;
    options.read_only = true;
    return Store::open(folder, options, false);
}

}  // namespace

Result<RegistryStatistics> Registry::backup(const fs::path& to) const {
    return publish_copy(*impl_->store, impl_->params, to);
}

Result<RegistryStatistics> backup_registry(const fs::path& folder, const fs::path& to) {
    HOLDFAST_ASSIGN(params, registry_network(folder));
    HOLDFAST_ASSIGN(source, open_source(folder));
    return publish_copy(*source, params, to);
}

Result<RegistryStatistics> restore_registry(const fs::path& backup, const fs::path& folder,
                                            const NetworkParams& params, bool replace) {
    HOLDFAST_ASSIGN(found, registry_network(backup));
    if (found != params) {
        return fail_refused(Reason::kWrongNetwork, "backup of network \"" + found.name + "\"");
    }
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make the folder " + folder.string());
    const fs::path data = folder / kStoreDataFile;
    if (!replace && fs::exists(data, failed)) {
        return fail(ErrorCode::kAlreadyExists, folder.string() + " holds a registry already");
    }
    HOLDFAST_ASSIGN(lock, File::open(folder / kRegistryLockFile, File::Mode::kCreate));
    HOLDFAST_TRY(lock.lock_exclusive());
    HOLDFAST_ASSIGN(temporary, TemporaryFolder::make(folder, "restore"));
    RegistryStatistics restored;
    {
        HOLDFAST_ASSIGN(source, open_source(backup));
        HOLDFAST_ASSIGN(copied, copy_checked(*source, params, temporary.path()));
        restored = copied;
    }
    // The step: after it the registry is the backup, before it whatever it was.
    fs::rename(temporary.path() / kStoreDataFile, data, failed);
    if (failed) return fail_errno(failed.value(), "cannot put the backup in place");
    HOLDFAST_TRY(sync_folder(folder));
    // Where it is missing or damaged; a crash before this leaves an error that says so, and
    // restoring again repairs it.
    const Bytes network = wrap_object(Kind::kNetwork, params.encode());
    const Result<NetworkParams> stands = registry_network(folder);
    if (!stands || *stands != params) {
        HOLDFAST_TRY(write_file(folder / kRegistryNetworkFile, network, true));
    }
    return restored;
}

}  // namespace holdfast
