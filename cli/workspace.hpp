// What commands share around a node's folder: opening it for reading, writing objects, progress.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "node/node_commands.hpp"
#include "node/node_folder.hpp"
#include "node/read_node.hpp"

namespace holdfast::cli {

using node::kMaxObjectFileBytes;
using node::Node;
using node::NodePaths;
using node::open_chain;
using node::open_ledger;
using node::open_prover;
using node::read_network;
using node::read_object;
using node::read_registration;
using node::ReadNode;
using node::registration_file;

/// A node's folder with everything open for writing; where a node runs there, the error says what
/// to do `instead`.
Result<Node> open_whole_node(const std::filesystem::path& dir, const std::string& instead,
                             AggregatorOptions options = {});
/// A public key given as 64 hexadecimal digits, as a file that holds them, or as a key file.
Result<PublicKey> read_public_key(const std::string& word, const std::string& what);

/// The registry's folder of a node's, or the folder itself where it is a registry's or a backup's.
/// kNotFound.
Result<std::filesystem::path> registry_folder(const std::filesystem::path& dir);
/// That registry, opened beside whoever writes it.
Result<std::unique_ptr<Registry>> open_registry_for_reading(const std::filesystem::path& dir);

/// Writes an object to `out`, atomically; refuses to replace a file unless `force`.
Status write_object(const std::filesystem::path& out, ByteView object, bool force);

/// Progress of VDF work on the terminal. work()'s callback may be called from any thread.
class ClockProgress {
  public:
    ClockProgress(const Globals& globals, std::string prefix);
    [[nodiscard]] VdfClockWork work();

  private:
    const Globals& globals_;
    std::string prefix_;
    std::mutex mutex_;
    std::string stage_;
    std::unique_ptr<Progress> progress_;
};

/// Evaluators are not believed: verifies the y of these heights in full, as far as the record has
/// them, from the VDF proofs in its folder. kVdfOutputMismatch where the record says another y.
Result<Verdict> check_clock(const PublicRecord& record, const std::filesystem::path& folder,
                            std::span<const Height> heights, const Globals& globals);

/// The clock of a node folder by itself, with the local chain (and beacon) opened for reading: a
/// process that makes blocks may be at work beside it.
struct ClockNode {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
    std::unique_ptr<LocalBeacon> beacon;
    std::unique_ptr<VdfClock> clock;

    [[nodiscard]] const NetworkParams& params() const { return chain->params(); }

    /// options.folder is set here. kInvalidArgument for a network without a VDF.
    static Result<ClockNode> open(const std::filesystem::path& dir, VdfClockOptions options);
};

/// --dir with its default and help.
void add_dir_option(CLI::App* command, std::string& dir);
/// --map-bytes, the largest size of the registry's file.
void add_map_bytes_option(CLI::App* command, std::optional<std::uint64_t>& map_bytes);

/// A file that holds one object of this kind.
template <class T>
Result<T> read_as(Kind kind, const std::string& file) {
    HOLDFAST_ASSIGN(object, read_object(file));
    const Checked<ByteView> body = unwrap_object(kind, object);
    if (!body) return fail_refused(body.error(), file);
    Checked<T> decoded = T::decode(*body);
    if (!decoded) return fail_refused(decoded.error(), file);
    return std::move(*decoded);
}
/// The same for whatever has a registry.
void add_readable_dir(CLI::App* command, std::string& dir);

}  // namespace holdfast::cli
