#include "node/open_files.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <string>

namespace holdfast::node {
namespace {

/// What of the settings would fit.
std::string advice(const OpenFiles& files, std::uint64_t allowed) {
    const std::uint64_t others = files_needed(files) - files.connections;
    if (allowed > others) {
        return "or set [transport.limits] max_connections to at most " +
               std::to_string(allowed - others);
    }
    return "or serve fewer replicas with this process";
}

}  // namespace

std::uint64_t files_needed(const OpenFiles& files) {
    return files.connections + kFilesOfReplica * files.replicas + kFilesOfWorker * files.workers +
           kFilesOfDaemon;
}

Status make_room_for(const OpenFiles& files) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return fail_errno(errno, "the limit of open files");
    const std::uint64_t needed = files_needed(files);
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return {};
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= needed) {
        limit.rlim_cur = static_cast<rlim_t>(needed);
        if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
        return fail_errno(errno, "raising the limit of open files to " + std::to_string(needed));
    }
    return fail(ErrorCode::kInvalidArgument,
                "up to " + std::to_string(needed) + " files may be open at once (" +
                    std::to_string(files.connections) + " connections, " +
                    std::to_string(kFilesOfReplica * files.replicas) + " for " +
                    std::to_string(files.replicas) + " replicas, " +
                    std::to_string(kFilesOfWorker * files.workers) + " for " +
                    std::to_string(files.workers) + " workers, " + std::to_string(kFilesOfDaemon) +
                    " of the daemon's own), and the system " + "allows this process " +
                    std::to_string(limit.rlim_max) + " (ulimit -Hn): raise that, " +
                    advice(files, limit.rlim_max));
}

}  // namespace holdfast::node
