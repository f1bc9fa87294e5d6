// The one rule against beginning anew by accident: beside every durable store stands a marker that
// says that it has begun.
//
// A store is a file or a folder. Its marker STORE.begun is published once what it first held is on
// the device, and goes before the store does where it is removed on purpose. So a store that is
// missing or empty
//
//   without a marker   has never held anything, or not durably: it begins
//   beside its marker  has vanished (a file emptied or lost, a disk not mounted): kCorrupt, nothing
//                      is made in its place
//
// Whoever wants to begin without what was lost removes the marker; the error says so. Record logs,
// databases and the folders of a node keep the rule by themselves; their callers need not.
// Threading: any thread; one process writes a store at a time. Reasons: docs/architecture.md 5.
#pragma once

#include <filesystem>

#include "core/result.hpp"

namespace holdfast {

/// STORE.begun, beside it.
[[nodiscard]] std::filesystem::path begun_marker(const std::filesystem::path& store);
/// An error where the marker cannot be looked for.
[[nodiscard]] Result<bool> has_begun(const std::filesystem::path& store);
/// kCorrupt where the store is missing or empty (a file without bytes, a folder without entries)
/// beside its marker.
[[nodiscard]] Status check_not_vanished(const std::filesystem::path& store);
/// The error of such a store, for those who know better whether it is empty.
[[nodiscard]] tl::unexpected<Error> vanished(const std::filesystem::path& store);
/// Publishes the marker where there is none and the store holds something; on the device when it
/// returns.
[[nodiscard]] Status mark_begun(const std::filesystem::path& store);
/// Removes the marker: before the store is removed or emptied on purpose.
[[nodiscard]] Status forget_begun(const std::filesystem::path& store);
/// Removes the marker, then the file, which may be missing.
[[nodiscard]] Status remove_store_file(const std::filesystem::path& store);

}  // namespace holdfast
