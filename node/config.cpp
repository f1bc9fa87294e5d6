#include "node/config.hpp"

#include <toml++/toml.h>

#include <algorithm>

#include "node/config_settings_impl.hpp"
#include "storage/file.hpp"

namespace holdfast::node {

using json::Json;

namespace {

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 20;
constexpr std::size_t kMaxEntries = 65'536;

/// Reads one file; the first thing that is wrong ends it.
class Reader {
  public:
    Reader(std::string name, std::filesystem::path folder)
        : name_(std::move(name)), folder_(std::move(folder)) {}

    Result<Config> read(const toml::table& root) {
        HOLDFAST_TRY(read_table(root, ""));
        HOLDFAST_TRY(check_whole(root));
        return std::move(config_);
    }

    [[nodiscard]] tl::unexpected<Error> wrong(std::size_t line, const std::string& what) const {
        return fail(ErrorCode::kInvalidArgument, name_ + ":" + std::to_string(line) + ": " + what);
    }

  private:
    [[nodiscard]] tl::unexpected<Error> wrong(const toml::node& at, const std::string& what) const {
        return wrong(at.source().begin.line, what);
    }

    // --- values --------------------------------------------------------------------------------

    Result<std::string> text(const toml::node& node, const std::string& key) const {
        const auto* const value = node.as_string();
        if (value == nullptr) return wrong(node, key + " must be a string in quotes");
        if (value->get().find('\0') != std::string::npos) {
            return wrong(node, key + " must not hold a zero byte");
        }
        return value->get();
    }

    Result<std::filesystem::path> path(const toml::node& node, const std::string& key) const {
        HOLDFAST_ASSIGN(value, text(node, key));
        if (value.empty()) return std::filesystem::path();
        return (folder_ / value).lexically_normal();
    }

    Status take(const toml::node& node, const std::string& key, const PathSlot& slot) {
        HOLDFAST_ASSIGN(value, path(node, key));
        slot.at(config_) = std::move(value);
        return {};
    }
    Status take(const toml::node& node, const std::string& key, const TextSlot& slot) {
        HOLDFAST_ASSIGN(value, text(node, key));
        if (const char* const problem = slot.problem(value)) {
            return wrong(node, key + " must be " + problem + ", not \"" + value + "\"");
        }
        slot.at(config_) = std::move(value);
        return {};
    }
    Status take(const toml::node& node, const std::string& key, const FlagSlot& slot) {
        const auto* const value = node.as_boolean();
        if (value == nullptr) return wrong(node, key + " must be true or false");
        slot.at(config_) = value->get();
        return {};
    }
    Status take(const toml::node& node, const std::string& key, const NumberSlot& slot) {
        const auto* const value = node.as_integer();
        if (value == nullptr || value->get() < 0 ||
            static_cast<std::uint64_t>(value->get()) < slot.min ||
            static_cast<std::uint64_t>(value->get()) > slot.max) {
            return wrong(node, key + " must be a whole number from " + std::to_string(slot.min) +
                                   " to " + std::to_string(slot.max));
        }
        slot.set(config_, static_cast<std::uint64_t>(value->get()));
        return {};
    }
    Status take(const toml::node& node, const std::string& key, const WordSlot& slot) {
        HOLDFAST_ASSIGN(value, text(node, key));
        if (!slot.set(config_, value)) {
            return wrong(node, key + " must be " + slot.allowed + ", not \"" + value + "\"");
        }
        return {};
    }

    // --- entries -------------------------------------------------------------------------------

    template <class Take>
    Status read_entry(const toml::node& node, const std::string& section, const char* allowed,
                      const Take& take_field) {
        const auto* const table = node.as_table();
        if (table == nullptr) return wrong(node, section + " must be a table");
        for (const auto& [key, value] : *table) {
            const std::string name(key.str());
            HOLDFAST_ASSIGN(known, take_field(name, value));
            if (!known) {
                return wrong(value, "there is no key \"" + name + "\" in " + section + "; it has " +
                                        allowed);
            }
        }
        return {};
    }

    Result<PeerEntry> peer(const toml::node& node, const std::string& section) {
        PeerEntry out;
        bool has_key = false;
        HOLDFAST_TRY(read_entry(
            node, section, "key, address",
            [&](const std::string& name, const toml::node& value) -> Result<bool> {
                const std::string full = section + " " + name;
                if (name == "key") {
                    HOLDFAST_ASSIGN(hex, text(value, full));
                    has_key = from_hex(hex, MutByteView(out.key.bytes)) &&
                              check_registrable_key(out.key).accepted();
                    if (!has_key) {
                        return wrong(value, full +
                                                " must be an Ed25519 public key in hex, 64 "
                                                "digits");
                    }
                } else if (name == "address") {
                    HOLDFAST_ASSIGN(address, text(value, full));
                    const char* const problem =
                        address.empty() ? nullptr : address_problem(address);
                    if (problem != nullptr) return wrong(value, full + " must be " + problem);
                    out.address = std::move(address);
                } else {
                    return false;
                }
                return true;
            }));
        if (!has_key) return wrong(node, section + " needs a key");
        return out;
    }

    Result<FolderEntry> replica_folder(const toml::node& node) {
        FolderEntry out;
        HOLDFAST_TRY(
            read_entry(node, "[[folders]]", "path",
                       [&](const std::string& name, const toml::node& value) -> Result<bool> {
                           if (name != "path") return false;
                           HOLDFAST_ASSIGN(found, path(value, "[[folders]] path"));
                           out.path = std::move(found);
                           return true;
                       }));
        if (out.path.empty()) return wrong(node, "[[folders]] needs a path");
        return out;
    }

    Result<ReplicaEntry> replica(const toml::node& node) {
        ReplicaEntry out;
        HOLDFAST_TRY(
            read_entry(node, "[[replicas]]", "replica, raw",
                       [&](const std::string& name, const toml::node& value) -> Result<bool> {
                           if (name != "replica" && name != "raw") return false;
                           HOLDFAST_ASSIGN(file, path(value, "[[replicas]] " + name));
                           (name == "replica" ? out.replica : out.raw) = std::move(file);
                           return true;
                       }));
        if (out.replica.empty()) return wrong(node, "[[replicas]] needs a replica");
        return out;
    }

    Result<DepositClientQuota> depositor(const toml::node& node) {
        DepositClientQuota out{{}, std::uint64_t{100} << 30, 1'000};
        bool has_key = false;
        const auto number = [&](const toml::node& value, const std::string& name,
                                std::int64_t most) -> Result<std::uint64_t> {
            const auto* const given = value.as_integer();
            if (given == nullptr || given->get() < 1 || given->get() > most) {
                return wrong(value,
                             name + " must be a whole number from 1 to " + std::to_string(most));
            }
            return static_cast<std::uint64_t>(given->get());
        };
        HOLDFAST_TRY(read_entry(
            node, "[[depositors]]", "key, bytes, count",
            [&](const std::string& name, const toml::node& value) -> Result<bool> {
                const std::string full = "[[depositors]] " + name;
                if (name == "key") {
                    HOLDFAST_ASSIGN(hex, text(value, full));
                    has_key = from_hex(hex, MutByteView(out.key.bytes)) &&
                              check_registrable_key(out.key).accepted();
                    if (!has_key) {
                        return wrong(value,
                                     full + " must be an Ed25519 public key in hex, 64 digits");
                    }
                } else if (name == "bytes") {
                    HOLDFAST_ASSIGN(bytes, number(value, full, INT64_MAX));
                    out.bytes = bytes;
                } else if (name == "count") {
                    HOLDFAST_ASSIGN(count, number(value, full, UINT32_MAX));
                    out.count = static_cast<std::uint32_t>(count);
                } else {
                    return false;
                }
                return true;
            }));
        if (!has_key) return wrong(node, "[[depositors]] needs a key");
        return out;
    }

    template <class T, class Read>
    Status read_list(const toml::node& node, const char* section, std::vector<T>& out,
                     const Read& read_one) {
        const auto* const list = node.as_array();
        if (list == nullptr || list->size() > kMaxEntries) {
            return wrong(node, std::string(section) + " must be a list of at most " +
                                   std::to_string(kMaxEntries) + " tables");
        }
        for (const toml::node& element : *list) {
            HOLDFAST_ASSIGN(entry, read_one(element));
            out.push_back(std::move(entry));
        }
        return {};
    }

    Result<bool> read_entries(const std::string& name, const toml::node& node) {
        if (name == "hosts") {
            HOLDFAST_TRY(read_list(node, "[[hosts]]", config_.hosts,
                                   [&](const toml::node& one) -> Result<PeerEntry> {
                                       HOLDFAST_ASSIGN(entry, peer(one, "[[hosts]]"));
                                       if (entry.address.empty()) {
                                           return wrong(one, "[[hosts]] needs an address");
                                       }
                                       return entry;
                                   }));
        } else if (name == "peers") {
            HOLDFAST_TRY(read_list(node, "[[peers]]", config_.peers,
                                   [&](const toml::node& one) { return peer(one, "[[peers]]"); }));
        } else if (name == "depositors") {
            HOLDFAST_TRY(read_list(node, "[[depositors]]", config_.deposits.clients,
                                   [&](const toml::node& one) { return depositor(one); }));
        } else if (name == "replicas") {
            HOLDFAST_TRY(read_list(node, "[[replicas]]", config_.replicas,
                                   [&](const toml::node& one) { return replica(one); }));
        } else if (name == "folders") {
            HOLDFAST_TRY(read_list(node, "[[folders]]", config_.folders,
                                   [&](const toml::node& one) { return replica_folder(one); }));
        } else {
            return false;
        }
        return true;
    }

    // --- sections ------------------------------------------------------------------------------

    [[nodiscard]] static std::string what_there_is(const std::string& section) {
        std::string out;
        const auto add = [&](std::string_view name) {
            out += (out.empty() ? "" : ", ") + std::string(name);
        };
        if (section.empty()) {
            for (const Section& one : config_sections()) add(one.name);
        }
        for (const Setting& one : config_settings()) {
            if (one.section == section) add(one.key);
        }
        return out;
    }

    /// The settings of a section; of "": the sections themselves.
    Status read_table(const toml::table& table, const std::string& section) {
        for (const auto& [key, node] : table) {
            const std::string name(key.str());
            const std::string full = section.empty() ? name : section + "." + name;
            if (section.empty()) {
                HOLDFAST_ASSIGN(done, read_entries(name, node));
                if (done) continue;
            }
            const auto settings = config_settings();
            const auto setting = std::find_if(
                settings.begin(), settings.end(),
                [&](const Setting& one) { return one.section == section && one.key == name; });
            if (setting != settings.end()) {
                HOLDFAST_TRY(std::visit([&](const auto& slot) { return take(node, full, slot); },
                                        setting->slot));
                continue;
            }
            const auto sections = config_sections();
            if (std::none_of(sections.begin(), sections.end(),
                             [&](const Section& one) { return one.name == full; })) {
                return wrong(node,
                             (section.empty() ? "there is no section [" + name
                                              : "there is no key \"" + name + "\" in [" + section) +
                                 (section.empty() ? "]; there are " : "]; it has ") +
                                 what_there_is(section));
            }
            const auto* const below = node.as_table();
            if (below == nullptr) return wrong(node, full + " must be a section: [" + full + "]");
            HOLDFAST_TRY(read_table(*below, full));
        }
        return {};
    }

    /// What only several settings together can get wrong.
    Status check_whole(const toml::table& root) const {
        const auto wrong_at = [&](const char* one, const char* other, const std::string& what) {
            const toml::node* node = root.at_path(one).node();
            if (node == nullptr) node = root.at_path(other).node();
            return wrong(node == nullptr ? 1 : node->source().begin.line, what);
        };
        const TcpLimits& limits = config_.limits;
        if (limits.idle_timeout_ms <= limits.keepalive_ms) {
            return wrong_at("transport.limits.idle_timeout_ms", "transport.limits.keepalive_ms",
                            "transport.limits.idle_timeout_ms must be above keepalive_ms, " +
                                std::to_string(limits.keepalive_ms));
        }
        if (limits.backoff_max_ms < limits.backoff_first_ms) {
            return wrong_at("transport.limits.backoff_max_ms", "transport.limits.backoff_first_ms",
                            "transport.limits.backoff_max_ms must not be below backoff_first_ms, " +
                                std::to_string(limits.backoff_first_ms));
        }
        std::vector<PublicKey> depositors;
        for (const auto& one : config_.deposits.clients) depositors.push_back(one.key);
        std::sort(depositors.begin(), depositors.end());
        const auto double_key = std::adjacent_find(depositors.begin(), depositors.end());
        if (double_key != depositors.end()) {
            return wrong_at("depositors", "depositors",
                            "[[depositors]] names " + to_hex(*double_key) + " twice");
        }
        if (config_.deposits.min_bytes > config_.deposits.max_bytes) {
            return wrong_at("deposits.min_bytes", "deposits.max_bytes",
                            "deposits.min_bytes must not be above max_bytes, " +
                                std::to_string(config_.deposits.max_bytes));
        }
        for (const auto& [section, entries] :
             {std::pair("peers", &config_.peers), std::pair("hosts", &config_.hosts)}) {
            std::vector<PublicKey> keys;
            for (const PeerEntry& one : *entries) keys.push_back(one.key);
            std::sort(keys.begin(), keys.end());
            const auto twice = std::adjacent_find(keys.begin(), keys.end());
            if (twice != keys.end()) {
                return wrong_at(
                    section, section,
                    "[[" + std::string(section) + "]] names " + to_hex(*twice) + " twice");
            }
        }
        return {};
    }

    std::string name_;
    std::filesystem::path folder_;
    Config config_;
};

Json value_of(Config& config, const PathSlot& slot) { return slot.at(config).string(); }
Json value_of(Config& config, const TextSlot& slot) { return slot.at(config); }
Json value_of(Config& config, const FlagSlot& slot) { return slot.at(config); }
Json value_of(Config& config, const NumberSlot& slot) { return slot.get(config); }
Json value_of(Config& config, const WordSlot& slot) { return std::string(slot.get(config)); }
Json value_of(Config& config, const Setting& setting) {
    return std::visit([&](const auto& slot) { return value_of(config, slot); }, setting.slot);
}
/// As the file would have it: TOML's basic strings escape as JSON's do.
std::string value_text(Config& config, const Setting& setting) {
    return json::dump(value_of(config, setting));
}

std::string comment(const std::string& lines) {
    std::string out = "# ";
    for (const char c : lines) {
        out += c;
        if (c == '\n') out += "# ";
    }
    return out + "\n";
}

constexpr const char* kExampleKey =
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

/// Entries have no defaults: their examples are comments.
std::string example_entry(std::string_view section) {
    const std::string key = "# key = \"" + std::string(kExampleKey) + "\"\n";
    if (section == "hosts") {
        return "# [[hosts]]\n" + key + "# address = \"node.example:9001\"\n";
    }
    if (section == "depositors") {
        return "# [[depositors]]\n" + key + "# bytes = 107374182400  # of data\n# count = 1000\n";
    }
    if (section == "folders") return "# [[folders]]\n# path = \"/mnt/disk1\"\n";
    if (section == "peers") return "# [[peers]]\n" + key + "# address = \"prover.example:9001\"\n";
    return "# [[replicas]]\n# replica = \"data.bin.replica\"  # with .tree and .registration "
           "beside "
           "it\n# raw = \"data.bin\"  # the data as before sealing, for readers; may be absent\n";
}

Json peer_json(const PeerEntry& peer) {
    return {{"key", to_hex(peer.key)}, {"address", peer.address}};
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& name,
                            const std::filesystem::path& folder) {
    Reader reader(name, folder);
    try {
        return reader.read(toml::parse(text, name));
    } catch (const toml::parse_error& error) {
        return reader.wrong(error.source().begin.line,
                            "not TOML: " + std::string(error.description()));
    }
}

Result<Config> load_config(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(bytes, read_stored_file(file, kMaxConfigBytes));
    const std::string text(bytes.begin(), bytes.end());
    HOLDFAST_ASSIGN(config, parse_config(text, file.string(), file.parent_path()));
    config.file = file;
    return config;
}

std::string example_config() {
    Config defaults;
    std::string out =
        "# Settings of holdfast node, prover, challenger and keeper. What is not set has the value "
        "given here.\n"
        "# Paths are relative to this file's folder. Options of a command go before this file.\n";
    for (const Section& section : config_sections()) {
        out += "\n" + comment(section.help);
        const auto settings = config_settings();
        const auto is_here = [&](const Setting& one) { return one.section == section.name; };
        if (std::none_of(settings.begin(), settings.end(), is_here)) {
            out += example_entry(section.name);
            continue;
        }
        out += "[" + std::string(section.name) + "]\n";
        for (const Setting& one : settings) {
            if (!is_here(one)) continue;
            out += comment(one.help);
            out += std::string(one.key) + " = " + value_text(defaults, one) + "\n";
        }
    }
    return out;
}

Json to_json(const Config& config) {
    Config copy = config;
    Json out = Json::object();
    for (const Section& section : config_sections()) {
        if (section.name == "hosts") {
            out["hosts"] = Json::array();
            for (const PeerEntry& one : config.hosts) out["hosts"].push_back(peer_json(one));
        } else if (section.name == "folders") {
            out["folders"] = Json::array();
            for (const FolderEntry& one : config.folders) {
                out["folders"].push_back({{"path", one.path.string()}});
            }
        } else if (section.name == "depositors") {
            out["depositors"] = Json::array();
            for (const DepositClientQuota& one : config.deposits.clients) {
                out["depositors"].push_back(
                    {{"key", to_hex(one.key)}, {"bytes", one.bytes}, {"count", one.count}});
            }
        } else if (section.name == "peers") {
            out["peers"] = Json::array();
            for (const PeerEntry& one : config.peers) out["peers"].push_back(peer_json(one));
        } else if (section.name == "replicas") {
            out["replicas"] = Json::array();
            for (const ReplicaEntry& one : config.replicas) {
                out["replicas"].push_back(
                    {{"replica", one.replica.string()}, {"raw", one.raw.string()}});
            }
        }
        std::string pointer = "/" + std::string(section.name) + "/";
        std::replace(pointer.begin(), pointer.end(), '.', '/');
        for (const Setting& one : config_settings()) {
            if (one.section != section.name) continue;
            out[Json::json_pointer(pointer + std::string(one.key))] = value_of(copy, one);
        }
    }
    return out;
}

}  // namespace holdfast::node
