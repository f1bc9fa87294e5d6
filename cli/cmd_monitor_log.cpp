// monitor-log: whether what nodes have acknowledged stands in the operator's journal.

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "api/acknowledgements.hpp"
#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/peer_link.hpp"
#include "cli/standard_output.hpp"
#include "cli/workspace.hpp"
#include "core/hash.hpp"
#include "node/log_monitor.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using node::LogMonitor;
using node::Promise;
using node::PromiseResult;
using node::PromiseState;

constexpr std::uint32_t kQuestionTimeoutMs = 10'000;
constexpr std::chrono::milliseconds kLook{50};

struct MonitorArguments {
    std::vector<std::string> from;
    std::string network;
    std::vector<std::string> acknowledgements;
    std::vector<std::string> objects;
    std::string heads;
    std::string evidence;
    std::string key;
    double timeout = 10;
    double every = 2;
    bool follow = false;
};

/// What there is to check, by the SHA-256 of each object and the acknowledgement.
class Promises {
  public:
    /// Objects that lie in files, so that their entries are known by their hashes.
    Status add_object(const fs::path& file) {
        HOLDFAST_ASSIGN(object, node::read_object(file));
        leaves_[sha256(object)] = Promise::leaf_of(object);
        return {};
    }
    /// A file of kind 26, or a folder of acknowledgements that a prover keeps.
    Status add(const fs::path& path, const NetworkId& network_id) {
        std::error_code ignored;
        if (fs::is_directory(path, ignored)) {
            return Acknowledgements::for_each(
                path, network_id, [&](const KeptAcknowledgement& kept) -> Status {
                    for (const AcknowledgedObject& object : kept.objects) {
                        add(kept.acknowledgement, object.digest, object.entry,
                            std::string(to_string(object.kind)) + " " +
                                to_hex(view(object.digest)).substr(0, 16));
                    }
                    return {};
                });
        }
        HOLDFAST_ASSIGN(object, node::read_object(path));
        const Checked<ByteView> body = unwrap_object(Kind::kAcknowledgement, object);
        if (!body) return fail_refused(body.error(), path.string());
        const Checked<Acknowledgement> said = Acknowledgement::decode(*body);
        if (!said) return fail_refused(said.error(), path.string());
        if (const Verdict v =
                verify_signature(said->host, view(said->digest(network_id)), said->signature);
            !v) {
            return fail_refused(v, path.string());
        }
        add(*said, said->object, std::nullopt, path.string());
        return {};
    }
    [[nodiscard]] std::vector<Promise> open() const {
        std::vector<Promise> out;
        for (const auto& [key, promise] : open_) out.push_back(promise);
        for (Promise& promise : out) {
            const auto leaf = leaves_.find(promise.object);
            if (leaf != leaves_.end()) promise.leaf = leaf->second;
        }
        return out;
    }
    void settle(const Promise& promise) {
        const Key key{promise.acknowledgement.height, promise.object};
        open_.erase(key);
        settled_.insert(key);
    }
    [[nodiscard]] std::optional<Height> lowest() const {
        if (open_.empty()) return std::nullopt;
        return open_.begin()->first.first;
    }

  private:
    using Key = std::pair<Height, Digest>;
    void add(const Acknowledgement& said, const Digest& object,
             const std::optional<std::uint64_t>& entry, std::string name) {
        const Key key{said.height, object};
        if (settled_.contains(key)) return;
        open_.emplace(key, Promise{said, object, std::nullopt, entry, std::move(name)});
    }
    std::map<Key, Promise> open_;
    std::set<Key> settled_;
    std::map<Digest, Digest> leaves_;
};

class Monitoring {
  public:
    Monitoring(const Globals& globals, const MonitorArguments& a, const NetworkParams& params,
               LogMonitor monitor)
        : globals_(globals), a_(a), params_(params), monitor_(std::move(monitor)) {}

    Status connect() {
        HOLDFAST_ASSIGN(key, a_.key.empty() ? generate_key_pair() : load_key_pair(a_.key));
        TcpNetworkOptions options;
        options.network = params_.id();
        options.roles = kRoleReader;
        HOLDFAST_ASSIGN(network, TcpNetwork::start(key, std::move(options)));
        network_ = std::move(network);
        for (const std::string& word : a_.from) {
            HOLDFAST_ASSIGN(peer, parse_peer(word, "--from", true));
            HOLDFAST_TRY(network_->add_peer({peer.key, peer.address}));
            nodes_.push_back({peer.key, word,
                              std::make_unique<HistoryClient>(
                                  [this, to = peer.key](ByteView m) -> Result<Bytes> {
                                      HOLDFAST_ASSIGN(reply,
                                                      network_->request(to, m, kQuestionTimeoutMs));
                                      return std::move(reply.response);
                                  })});
        }
        Status connected = fail(ErrorCode::kUnavailable, "no node");
        for (const Node& node : nodes_) {
            const Status one = wait_connected(*network_, {node.key, node.name}, a_.timeout);
            if (one || !connected) connected = one;
            if (one) break;
        }
        return connected;
    }

    /// One look at everything that is open.
    Status look() {
        HOLDFAST_TRY(gather());
        const std::uint64_t back = params_.link_lag + 1 + LogMonitor::kLookBack;
        const Height lowest = promises_.lowest().value_or(params_.genesis_height);
        const Height from = lowest.value > back ? lowest - back : params_.genesis_height;
        for (const Node& node : nodes_) {
            const auto taken = monitor_.follow(*node.client, from);
            if (!taken) HOLDFAST_TRY(note(node, taken.error()));
        }
        waiting_ = 0;
        for (const Promise& promise : promises_.open()) {
            HOLDFAST_ASSIGN(result, ask(promise));
            if (!result) continue;
            tell(promise, *result);
        }
        return {};
    }

    Output summary() const {
        Output out;
        out.field("kept", kept_);
        out.field("waiting", waiting_);
        out.field("unknown", unknown_);
        out.field("broken", broken_);
        const auto newest = monitor_.newest();
        out.field("newest_head", newest ? Json(newest->height.value) : Json(nullptr));
        out.json["promises"] = told_;
        out.json["faults"] = faults_;
        for (const std::string& fault : faults_) out.line("refused: " + fault);
        if (away_) out.line("not to be had: " + away_->message);
        if (broken_ > 0 || !faults_.empty()) out.exit_code = kExitRefused;
        return out;
    }

  private:
    struct Node {
        PublicKey key;
        std::string name;
        std::unique_ptr<HistoryClient> client;
    };

    Status gather() {
        for (const std::string& file : a_.objects) HOLDFAST_TRY(promises_.add_object(file));
        for (const std::string& path : a_.acknowledgements) {
            HOLDFAST_TRY(promises_.add(path, params_.id()));
        }
        return {};
    }
    /// A node that is away is asked again; what does not hold is told.
    Status note(const Node& node, const Error& error) {
        if (error.code != ErrorCode::kRefused) {
            away_ = error;
            return {};
        }
        const std::string fault = node.name + ": " + error.message;
        if (std::find(faults_.begin(), faults_.end(), fault) == faults_.end()) {
            faults_.push_back(fault);
            say({{"event", "refused"}, {"what", fault}}, "refused: " + fault);
        }
        return {};
    }
    /// Of the first node that can tell; empty: none could now.
    Result<std::optional<PromiseResult>> ask(const Promise& promise) {
        std::optional<PromiseResult> best;
        for (const Node& node : nodes_) {
            auto result = monitor_.check(*node.client, promise);
            if (!result) {
                HOLDFAST_TRY(note(node, result.error()));
                continue;
            }
            // One node that shows it is enough; one that does not may lie.
            if (!best || result->state == PromiseState::kKept) best = std::move(*result);
            if (best->state == PromiseState::kKept) break;
        }
        if (!best) ++waiting_;
        return best;
    }
    void tell(const Promise& promise, const PromiseResult& result) {
        if (result.state == PromiseState::kWaiting) {
            ++waiting_;
            return;
        }
        if (result.state == PromiseState::kUnknown) {
            ++unknown_;
        } else if (result.state == PromiseState::kKept) {
            ++kept_;
        } else {
            ++broken_;
        }
        promises_.settle(promise);
        Json one = {{"name", promise.name},
                    {"object", to_hex(view(promise.object))},
                    {"height", promise.acknowledgement.height.value},
                    {"host", to_hex(view(promise.acknowledgement.host))},
                    {"state", std::string(to_string(result.state))}};
        if (result.entry) one["entry"] = *result.entry;
        if (result.head) one["head"] = result.head->value;
        if (!result.why.empty()) one["why"] = result.why;
        if (!result.files.empty()) one["files"] = Json::array();
        for (const fs::path& file : result.files) one["files"].push_back(file.string());
        told_.push_back(one);
        if (result.state == PromiseState::kKept) return;
        std::string text =
            std::string(to_string(result.state)) + ": " + promise.name + ": " + result.why;
        for (const fs::path& file : result.files) text += "\n  " + file.string();
        one["event"] = "promise";
        say(one, text);
    }
    /// At once, where the command goes on.
    void say(const Json& event, const std::string& text) const {
        if (a_.follow) (void)write_output((globals_.json ? dump(event) : text) + "\n");
    }

    const Globals& globals_;
    const MonitorArguments& a_;
    const NetworkParams& params_;
    LogMonitor monitor_;
    std::unique_ptr<TcpNetwork> network_;
    std::vector<Node> nodes_;
    Promises promises_;
    std::uint64_t kept_ = 0;
    std::uint64_t waiting_ = 0;
    std::uint64_t unknown_ = 0;
    std::uint64_t broken_ = 0;
    Json told_ = Json::array();
    std::vector<std::string> faults_;
    std::optional<Error> away_;  // why the newest node that was not to be had was not
};

CommandResult monitor_log(const Globals& globals, const MonitorArguments& a) {
    HOLDFAST_ASSIGN(params, node::read_network(a.network));
    if (!params.has_operator()) {
        return fail(ErrorCode::kInvalidArgument, "a network without an operator has no journal");
    }
    const std::string heads = a.heads.empty() ? a.acknowledgements.front() + ".heads" : a.heads;
    const std::string evidence =
        a.evidence.empty() ? a.acknowledgements.front() + ".evidence" : a.evidence;
    HOLDFAST_ASSIGN(monitor, LogMonitor::open(params, heads, evidence));
    Monitoring monitoring(globals, a, params, std::move(monitor));
    HOLDFAST_TRY(monitoring.connect());
    const StopCheck stop = stop_requested();
    do {
        HOLDFAST_TRY(monitoring.look());
        const auto until =
            std::chrono::steady_clock::now() + std::chrono::duration<double>(a.every);
        while (a.follow && !stop() && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(kLook);
        }
    } while (a.follow && !stop());
    return monitoring.summary();
}

}  // namespace

void add_monitor_log_command(Commands& commands) {
    auto a = std::make_shared<MonitorArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "monitor-log", "check that acknowledged objects stand in the operator's journal");
    command->add_option("--from", a->from, "KEY@HOST:PORT of a node that is asked (repeat)")
        ->required();
    command
        ->add_option("-p,--params,--public", a->network,
                     "node folder, public folder or network.params file")
        ->required();
    command
        ->add_option("--acknowledgements", a->acknowledgements,
                     "an acknowledgement (kind 26), or the folder in which a prover keeps them "
                     "(repeat)")
        ->required();
    command->add_option("--object", a->objects,
                        "an acknowledged object, for entries that are not kept any more (repeat)");
    command->add_option("--heads", a->heads,
                        "file of the heads seen (default: the acknowledgements' name with .heads)");
    command->add_option("--evidence", a->evidence,
                        "folder for what shows a broken promise (default: with .evidence)");
    command->add_option("-k,--key", a->key, "this side's key file; without one a key is made");
    command->add_option("--timeout", a->timeout, "seconds to wait for a connection")
        ->check(CLI::Range(0.1, 3'600.0))
        ->capture_default_str();
    command->add_flag("--follow", a->follow, "keep on, and take in new acknowledgements");
    command->add_option("--every", a->every, "seconds between two looks with --follow")
        ->check(CLI::Range(0.1, 86'400.0))
        ->capture_default_str();
    commands.run(command,
                 "  holdfast monitor-log --from KEY@node.example:9000 --params network.params "
                 "--acknowledgements alice.acks\n"
                 "Exit code 1: a promise is broken, or a node told a head that does not hold; the "
                 "files that show it are named.\n",
                 [a, &commands] { return monitor_log(commands.globals(), *a); });
}

}  // namespace holdfast::cli
