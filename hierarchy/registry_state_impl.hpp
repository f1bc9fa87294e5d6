// Shared by what writes and what reads states: the tables of the export and their forms, and the
// files in a registry's folder. Internal to this room.
#pragma once

#include <span>

#include "hierarchy/registry_impl.hpp"
#include "hierarchy/registry_state.hpp"
#include "storage/file.hpp"

namespace holdfast {

inline constexpr std::uint8_t kExportForm = 1;
inline constexpr std::uint8_t kMachineNumber = 1;
inline constexpr std::uint8_t kLeavesNumber = 28;
inline constexpr std::size_t kLeavesKeyBytes = 16;

/// A table of the export that is one of the database's, as it stands there.
struct StateTable {
    std::uint8_t number;
    Table table;
    std::size_t key_bytes;
    /// Whether key and value are what this build would have written.
    bool (*holds)(const NetworkId& network_id, ByteView key, ByteView value);
};
/// Ascending by number.
[[nodiscard]] std::span<const StateTable> state_tables();

/// The lowest height whose leaves the export holds.
[[nodiscard]] Height oldest_exported(const NetworkParams& params, Height closed);

[[nodiscard]] Digest root_of_parts(std::span<const Digest> parts);
[[nodiscard]] std::filesystem::path state_path(const std::filesystem::path& registry,
                                               Height height);

/// The file of a state while its export is made. What goes wrong with it never ends the export: it
/// is said at the end.
class StateFileWriter {
  public:
    StateFileWriter(const std::filesystem::path& registry, const NetworkId& network_id,
                    JournalHead head, std::vector<Digest> parts);
    void add(ByteView piece);
    /// With the digest of the export; under its name when this returns.
    [[nodiscard]] Status finish(const Digest& state);

  private:
    [[nodiscard]] Status open();

    std::filesystem::path registry_;
    NetworkId network_id_;
    JournalHead head_;
    std::vector<Digest> parts_;
    std::optional<File> file_;
    std::uint64_t at_ = 0;
    Status fault_;
};

/// Puts a state file, of which every byte was checked, among those of a registry.
[[nodiscard]] Status keep_state_file(const std::filesystem::path& file,
                                     const std::filesystem::path& registry, Height height);

/// Removes all but the newest `most`, and those above `closed`, which another history left.
[[nodiscard]] Status forget_state_files(const std::filesystem::path& registry, std::size_t most,
                                        Height closed);

}  // namespace holdfast
