// The limit of open files (ulimit -n), looked at before a daemon takes connections: later it would
// show as connections, replicas and stores that fail one by one.
//
// Threading: any thread; the limit is the whole process's. POSIX.
#pragma once

#include <cstdint>

#include "core/result.hpp"

namespace holdfast::node {

/// Files that may be open at once, at most.
struct OpenFiles {
    std::uint64_t connections = 0;  // of the transport, with those that it dials
    std::uint64_t replicas = 0;     // kFilesOfReplica each
    std::uint64_t workers = 0;      // threads that read for strangers: kFilesOfWorker each
};

/// A replica with its tree, its data before sealing, its records.
inline constexpr std::uint64_t kFilesOfReplica = 4;
inline constexpr std::uint64_t kFilesOfWorker = 4;
/// Stores and their locks, log, monitor (256 connections), control socket, what libraries hold.
inline constexpr std::uint64_t kFilesOfDaemon = 456;

[[nodiscard]] std::uint64_t files_needed(const OpenFiles& files);
/// Raises the limit where it is too low and may be raised. kInvalidArgument where it may not: how
/// many files are needed for what, how many the system allows, and what to change.
[[nodiscard]] Status make_room_for(const OpenFiles& files);

}  // namespace holdfast::node
