#include "cli/block_inputs.hpp"

#include <cstdio>
#include <map>
#include <set>

#include "api/unheld_chains.hpp"
#include "chunking/tree_file.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

class Opening {
  public:
    Opening(const Globals& globals, node::Node& node, const BlockInputNames& names, Output& out)
        : globals_(globals), node_(node), names_(names), out_(out) {}

    Result<BlockInputs> all() {
        for (std::size_t i = 0; i < names_.replicas.size(); ++i) open_replica(i);
        for (std::size_t i = 0; i < names_.sets.size(); ++i) {
            HOLDFAST_TRY(open_set(names_.sets[i], names_.set_keys[i]));
        }
        HOLDFAST_TRY(check_missing());
        open_provers();
        open_records();
        const bool any_given = !names_.replicas.empty() || !names_.sets.empty();
        if (any_given && first_error_ && inputs_.provers.empty() && inputs_.sets.empty()) {
            return fail(*first_error_);
        }
        return std::move(inputs_);
    }

  private:
    /// Named in the output; `key`: whose replica it may be, where that is known.
    void fault(const std::string& what, const Error& error, const std::optional<PublicKey>& key) {
        ++inputs_.faults;
        out_.json["input_faults"].push_back({{"input", what}, {"error", error.message}});
        out_.line("NOT TAKEN IN: " + error.message);
        if (!first_error_) first_error_ = error;
        if (key) ++accounted_for_[*key];
    }

    void open_replica(std::size_t i) {
        const std::string& name = names_.replicas[i];
        const Result<KeyPair> key = load_key_pair(names_.keys[i]);
        if (!key) return fault(name, key.error(), std::nullopt);
        keys_.insert(key->public_key());
        const auto header = read_replica_header(name, node_.params());
        if (!header) return fault(name, header.error(), key->public_key());
        held_.insert(header->replica_id);
        found_.push_back(i);
    }

    /// Only now, since this makes the records of links beside each replica.
    void open_provers() {
        for (const std::size_t i : found_) {
            const std::string& name = names_.replicas[i];
            Result<Prover> prover = node::open_prover(node_.params(), name, names_.keys[i]);
            if (!prover) {
                fault(name, prover.error(), std::nullopt);
                continue;
            }
            inputs_.provers.push_back(std::move(*prover));
        }
    }

    Status open_set(const std::string& folder, const std::string& key_file) {
        Result<KeyPair> key = load_key_pair(key_file);
        if (!key) {
            fault(folder, key.error(), std::nullopt);
            return {};
        }
        const PublicKey owner = key->public_key();
        ProverSet set = ProverSet::prepare(node_.params(), std::move(*key));
        Progress progress(globals_, "reading headers", "replicas");
        const auto refused = [&](const std::filesystem::path& file, const Error& error) {
            out_.json["set_faults"].push_back(error.message);
            // A file of another key accounts for none of this key's.
            const bool own = error.code != ErrorCode::kInvalidArgument;
            fault(file.string(), error, own ? std::optional(owner) : std::nullopt);
        };
        const Result<std::uint64_t> taken = set.add_folder(
            folder, refused,
            [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); });
        if (!taken) {
            fault(folder, taken.error(), std::nullopt);
            absent_.insert(owner);
            return {};
        }
        keys_.insert(owner);
        if (*taken == 0) return empty_set(folder, owner);
        for (const SetMember& m : set.members()) held_.insert(m.replica_id);
        inputs_.sets.push_back(std::move(set));
        set_folders_.push_back(folder);
        return {};
    }

    /// A folder without a replica: a set that is yet to come, or a disk that is not mounted.
    Status empty_set(const std::string& folder, const PublicKey& owner) {
        RegistryDuties duties(node_.registry());
        HOLDFAST_ASSIGN(known,
                        unheld_chains(duties, owner, [](const ReplicaId&) { return false; }));
        if (known.owing == 0) {
            out_.line("no replicas in " + folder + " yet");
            return {};
        }
        fault(folder,
              Error{ErrorCode::kNotFound,
                    "no replica of this key in " + folder + ", and the registry knows " +
                        with_commas(known.owing) + "; is its disk mounted?",
                    {}},
              std::nullopt);
        absent_.insert(owner);
        return {};
    }

    Status check_missing() {
        RegistryDuties duties(node_.registry());
        for (const PublicKey& key : keys_) {
            HOLDFAST_ASSIGN(found, unheld_chains(duties, key, [&](const ReplicaId& id) {
                                return held_.contains(id);
                            }));
            if (found.missing <= accounted_for_[key] || absent_.contains(key)) continue;
            const std::string text =
                "the registry knows " + with_commas(found.owing) + " replica(s) of key " +
                to_hex(key).substr(0, 16) + "... that owe proofs, and " +
                with_commas(found.missing) + " of them are not among those given (" +
                to_hex(found.first.front()).substr(0, 16) +
                "... is one): mount or name them all, or --allow-missing misses their links";
            if (!names_.allow_missing) return fail(ErrorCode::kNotFound, text);
            out_.json["missing"][to_hex(key)] = found.missing;
            out_.line("WARNING: " + text);
            if (!globals_.quiet) std::fprintf(stderr, "holdfast: %s\n", text.c_str());
        }
        return {};
    }

    /// Only now is it known that the folders are the sets' own.
    void open_records() {
        std::vector<ProverSet> opened;
        for (std::size_t i = 0; i < inputs_.sets.size(); ++i) {
            ProverSet& set = inputs_.sets[i];
            const std::filesystem::path folder = set_folders_[i];
            if (const Status records = set.open_records(folder / "links"); !records) {
                fault(folder.string(), records.error(), set.key().public_key());
                continue;
            }
            opened.push_back(std::move(set));
        }
        inputs_.sets = std::move(opened);
    }

    const Globals& globals_;
    node::Node& node_;
    const BlockInputNames& names_;
    Output& out_;
    BlockInputs inputs_;
    std::vector<std::size_t> found_;        // of names_.replicas: their headers could be read
    std::vector<std::string> set_folders_;  // of inputs_.sets
    std::set<PublicKey> keys_;
    std::set<ReplicaId> held_;
    std::map<PublicKey, std::uint64_t> accounted_for_;  // inputs named as faults
    std::set<PublicKey> absent_;                        // whose whole set has been named as a fault
    std::optional<Error> first_error_;
};

}  // namespace

Result<BlockInputs> open_block_inputs(const Globals& globals, node::Node& node,
                                      const BlockInputNames& names, Output& out) {
    return Opening(globals, node, names, out).all();
}

}  // namespace holdfast::cli
