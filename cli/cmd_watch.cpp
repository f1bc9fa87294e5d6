// watch: each height's verdict on one chain, as it happens.

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "cli/commands.hpp"
#include "cli/light_options.hpp"
#include "cli/standard_output.hpp"
#include "json/objects.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint32_t kLeastPollMs = 50;
constexpr std::uint32_t kMostPollMs = 2'000;
constexpr std::uint32_t kBusyMs = 1'500;  // then the next look asks again
constexpr std::chrono::milliseconds kStopLook{20};

struct WatchArguments {
    std::string chain;
    LightArguments light;
    std::optional<std::uint64_t> since;
    std::optional<std::uint64_t> blocks;
};

/// Follows one chain over the network, a line an event.
class Watch {
  public:
    Watch(const Globals& globals, LightClient& client, const ChainId& chain_id,
          const WatchArguments& arguments)
        : globals_(globals), client_(client), chain_id_(chain_id), arguments_(arguments) {}

    Result<Output> run();

  private:
    Status look();
    Status begin(Height tip);
    Status close(Height height);
    Status prove(Height height, Height tip, bool& decided);
    bool finished() const;
    void tell(const Json& event, const std::string& text);
    void tell_faults();
    [[nodiscard]] Status wait() const;
    [[nodiscard]] std::uint64_t lag() const { return client_.params().link_lag; }

    const Globals& globals_;
    LightClient& client_;
    const ChainId chain_id_;
    const WatchArguments& arguments_;
    std::optional<Height> next_;  // the first height that is not told yet
    std::vector<Height> proofs_;  // heights whose link's proof is awaited
    std::size_t faults_told_ = 0;
    std::string away_;  // what was told last of nodes that are not to be had
    std::uint64_t told_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t unproven_ = 0;
    std::uint64_t refused_ = 0;
    int written_ = 0;  // errno of the output; 0: it is read
};

void Watch::tell(const Json& event, const std::string& text) {
    if (written_ != 0) return;
    written_ = write_output((globals_.json ? dump(event) : text) + "\n");
}

/// Nodes that were caught lying, once each; those that are away as they change.
void Watch::tell_faults() {
    const std::vector<LightFault>& faults = client_.faults();
    for (; faults_told_ < faults.size(); ++faults_told_) {
        const LightFault& fault = faults[faults_told_];
        if (!fault.lied) continue;
        ++refused_;
        tell({{"event", "node_refused"}, {"node", fault.node}, {"why", fault.why}},
             "node refused: " + fault.node + ": " + fault.why);
    }
}

/// Spec 10.3, 10.4: what the digest of a height shows of the chain.
Status Watch::close(Height height) {
    HOLDFAST_ASSIGN(shown, client_.leaf(chain_id_, height));
    ++told_;
    Json event = {{"event", "closed"},
                  {"chain_id", to_hex(chain_id_)},
                  {"height", height.value},
                  {"has_y", shown.facts.y.has_value()}};
    std::string text = "height " + std::to_string(height.value) + " closed: ";
    if (!shown.leaf) {
        event["status"] = nullptr;
        tell(event, text + "the chain holds no slot, as every node says");
        return {};
    }
    const bool linked = shown.leaf->link_height == height && shown.facts.y.has_value() &&
                        shown.leaf->link != Link(chain_id_);
    event["status"] = to_string(shown.leaf->status);
    event["link_height"] = shown.leaf->link_height.value;
    event["linked"] = linked;
    event["path"] = "verified";
    text += std::string(to_string(shown.leaf->status));
    if (!shown.facts.y) {
        text += ", no y: the height counts for nobody";
    } else if (linked) {
        text += ", linked";
    } else {
        text += ", MISSED: no link of this height";
    }
    tell(event, text + " (path verified)");
    if (linked) proofs_.push_back(height);
    return {};
}

/// Spec 7, what counts: the proof is due before block h + 1 + link_lag + proof_deadline.
Status Watch::prove(Height height, Height tip, bool& decided) {
    const NetworkParams& params = client_.params();
    decided = false;
    if (tip < compact_draw_height(params, height)) return {};
    const Result<LightReport> report = client_.verify_link(chain_id_, height);
    Json event = {{"event", "proof"}, {"chain_id", to_hex(chain_id_)}, {"height", height.value}};
    const std::string text = "height " + std::to_string(height.value) + " proof: ";
    if (report) {
        decided = true;
        ++accepted_;
        event["kind"] = to_string(report->judged.kind);
        event["verdict"] = "accepted";
        event["bytes"] = report->object.size() - 2;
        event["rests_on"] = report->rests_on;
        tell(event, text + std::string(to_string(report->judged.kind)) + " of " +
                        std::to_string(report->object.size() - 2) + " bytes, verified");
        return {};
    }
    if (report.error().code == ErrorCode::kInterrupted) return fail(report.error());
    if (report.error().code == ErrorCode::kRefused) return fail(report.error());
    if (tip.value < height.value + 1 + lag() + params.proof_deadline) return {};
    decided = true;
    ++unproven_;
    event["verdict"] = "not_shown";
    event["why"] = report.error().message;
    tell(event, text + "none shown before its deadline: " + report.error().message);
    return {};
}

/// At the newest closed height, or where it was asked for.
Status Watch::begin(Height tip) {
    const Height genesis = client_.params().genesis_height;
    const std::uint64_t open = 1 + lag();
    if (arguments_.since) {
        next_ = std::max(Height(*arguments_.since), genesis);
    } else if (tip.since(genesis) >= open) {
        next_ = tip - open;
    } else {
        next_ = genesis;
    }
    return {};
}

Status Watch::look() {
    HOLDFAST_ASSIGN(tip, client_.tip());
    if (!next_) HOLDFAST_TRY(begin(tip.height));
    while (next_->value + 1 + lag() <= tip.height.value &&
           (!arguments_.blocks || told_ < *arguments_.blocks)) {
        HOLDFAST_TRY(close(*next_));
        next_ = *next_ + 1;
    }
    for (auto at = proofs_.begin(); at != proofs_.end();) {
        bool decided = false;
        HOLDFAST_TRY(prove(*at, tip.height, decided));
        at = decided ? proofs_.erase(at) : at + 1;
    }
    away_.clear();
    return {};
}

bool Watch::finished() const {
    return written_ != 0 || (arguments_.blocks && told_ >= *arguments_.blocks && proofs_.empty());
}

Status Watch::wait() const {
    using Clock = std::chrono::steady_clock;
    const auto ms = std::clamp(client_.params().block_ms / 8, kLeastPollMs, kMostPollMs);
    const auto until = Clock::now() + std::chrono::milliseconds(ms);
    while (Clock::now() < until) {
        if (stop_requested()()) return fail(ErrorCode::kInterrupted, "stopped on request");
        std::this_thread::sleep_for(kStopLook);
    }
    return {};
}

Result<Output> Watch::run() {
    for (;;) {
        const Status looked = look();
        tell_faults();
        if (!looked && looked.error().code == ErrorCode::kInterrupted) break;
        // Every node lied, or what was shown does not hold: nothing more can be said.
        if (!looked && looked.error().code == ErrorCode::kRefused) return fail(looked.error());
        if (!looked && looked.error().message != away_) {
            away_ = looked.error().message;
            tell({{"event", "waiting"}, {"why", away_}}, "waiting: " + away_);
        }
        if (finished() || !wait()) break;
    }
    Output out;
    out.one_line = true;
    out.json = {{"event", "end"},        {"chain_id", to_hex(chain_id_)}, {"heights", told_},
                {"accepted", accepted_}, {"not_shown", unproven_},        {"refused", refused_}};
    out.line("in all: " + std::to_string(told_) + " heights, " + std::to_string(accepted_) +
             " proofs verified, " + std::to_string(unproven_) + " not shown, " +
             std::to_string(refused_) + " nodes refused");
    if (refused_ > 0) out.exit_code = kExitRefused;
    return out;
}

CommandResult watch(const Globals& globals, const WatchArguments& arguments) {
    HOLDFAST_ASSIGN(chain_id, parse_hex<ChainId>(arguments.chain, "the chain"));
    HOLDFAST_ASSIGN(session, LightSession::open(arguments.light, globals));
    return Watch(globals, *session.client, chain_id, arguments).run();
}

}  // namespace

void add_watch_command(Commands& commands) {
    auto w = std::make_shared<WatchArguments>();
    w->light.busy_ms = kBusyMs;
    CLI::App* command = commands.app().add_subcommand(
        "watch", "verify a chain height by height, as it happens, over the network");
    command->add_option("chain", w->chain, "chain id")->required();
    w->light.add_to(command);
    command->get_option("--from")->required();
    command->add_option("--since", w->since, "from this height on (default: the newest closed)");
    command->add_option("--blocks", w->blocks, "end after so many heights")
        ->check(CLI::Range(std::uint64_t{1}, UINT64_MAX));
    commands.run(command,
                 "  holdfast watch CHAIN_ID --from KEY@node.example:9000 --params network.params\n"
                 "  holdfast watch CHAIN_ID --from KEY@a.example:9000 --from KEY@b.example:9000 "
                 "--params network.params --blocks 20 --json\n"
                 "Ctrl-C ends it. The exit code is 1 when something was refused.\n",
                 [w, &commands] { return watch(commands.globals(), *w); });
}

}  // namespace holdfast::cli
