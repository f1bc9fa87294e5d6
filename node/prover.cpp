#include "node/prover.hpp"

#include <algorithm>
#include <map>
#include <thread>

#include "availability/peer_service.hpp"
#include "node/api.hpp"
#include "node/chain_book.hpp"
#include "node/connect.hpp"
#include "node/control.hpp"
#include "node/costly_metrics.hpp"
#include "node/daemon_control.hpp"
#include "node/disk_watch.hpp"
#include "node/drain.hpp"
#include "node/follow_duties.hpp"
#include "node/host_follower.hpp"
#include "node/link_answers.hpp"
#include "node/metrics.hpp"
#include "node/promise_watch.hpp"
#include "node/prover_control.hpp"
#include "node/prover_deposits.hpp"
#include "node/prover_hosts.hpp"
#include "node/prover_status.hpp"
#include "node/prover_work.hpp"
#include "node/status.hpp"
#include "node/verified_output.hpp"
#include "storage/key_file.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint64_t kMissedInRow = 3;  // something is wrong
constexpr std::size_t kKeptOutputs = 512;  // heights
constexpr std::uint64_t kDiskLookMs = 10'000;
constexpr auto kStopLooked = std::chrono::milliseconds(100);
constexpr std::size_t kToldTimes = 24;  // heights

std::uint64_t links_time_ms(const NetworkParams& params) {
    return params.closing_blocks() * params.block_ms;
}

void append_times(Json& out, const NetworkParams& params, const HeightTimeline& timeline,
                  const DiskWatch& disks) {
    out["block_ms"] = params.block_ms;
    out["timeline"] = Json::array();
    for (const HeightTimes& one : timeline.times(kToldTimes)) {
        out["timeline"].push_back(to_json(one));
    }
    out["misses"] = misses_json(timeline.counts());
    out["disks"] = Json::array();
    for (const DiskFacts& one : disks.disks()) {
        out["disks"].push_back(to_json(one, links_time_ms(params)));
    }
}

Json to_json(const VerifiedOutputStatus& s, OutputTrust trust) {
    Json out = {{"trust", to_string(trust)},
                {"verified", s.verified},
                {"missed", s.missed},
                {"false_told", s.false_told},
                {"newest", s.newest ? Json(s.newest->value) : Json(nullptr)}};
    if (!s.error.empty()) out["error"] = s.error;
    return out;
}

std::vector<std::string> output_problems(const VerifiedOutputStatus& s) {
    std::vector<std::string> out;
    if (s.false_told > 0) {
        out.push_back("the followed node told a false y of " + std::to_string(s.false_told) +
                      " heights; nothing was signed from it");
    }
    if (s.missed_in_row >= kMissedInRow) {
        out.push_back("y of " + std::to_string(s.missed_in_row) +
                      " heights in a row was not verified in time: " + s.error);
    }
    return out;
}

/// y of the heights that were verified here. Any thread.
class Outputs {
  public:
    void note(Height height, const VdfOutput& y) {
        const std::lock_guard lock(mutex_);
        known_[height] = y;
        while (known_.size() > kKeptOutputs) known_.erase(known_.begin());
    }
    [[nodiscard]] std::optional<VdfOutput> find(Height height) const {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(height);
        return found == known_.end() ? std::nullopt : std::optional(found->second);
    }

  private:
    mutable std::mutex mutex_;
    std::map<Height, VdfOutput> known_;
};

/// y of this node's own; the settings' folder, or one beside the key.
Result<std::unique_ptr<VerifiedOutput>> open_output(const Config& config,
                                                    const NetworkParams& params,
                                                    FollowClient& client, Log& log,
                                                    VerifiedOutput::OnOutput on_y) {
    VerifiedOutputOptions options = config.output;
    if (options.folder.empty()) options.folder = std::filesystem::path(config.key) += ".y";
    return VerifiedOutput::open(params, client, options, log, std::move(on_y));
}

bool is_challenge(ByteView message) {
    return message.size() > 1 && message[1] == static_cast<std::uint8_t>(Kind::kChallenge2);
}

/// Log lines for what peers ask, around the handler that answers. While two nodes tell different
/// histories no answer is signed.
TcpHandler watched(TcpHandler inner, const ProverHosts* const& hosts, Log& log) {
    return [inner = std::move(inner), &hosts, &log](const PublicKey& from,
                                                    ByteView message) -> Result<Bytes> {
        if (!is_challenge(message)) return inner(from, message);
        if (hosts != nullptr && hosts->split()) {
            return fail_refused(Reason::kBusy, "two nodes tell different histories");
        }
        Result<Bytes> answer = inner(from, message);
        const bool failed = !answer && answer.error().code != ErrorCode::kRefused;
        if (failed) {
            log.error("challenge.failed", {{"peer", from}, {"error", answer.error().message}});
        } else if (answer) {
            log.info("challenge.answered", {{"challenger", from}, {"bytes", answer->size()}});
        } else {
            log.info("challenge.ignored", {{"peer", from}, {"why", answer.error().message}});
        }
        return answer;
    };
}

struct Records {
    std::filesystem::path folder;
    std::unique_ptr<ProverSet> set;
    std::unique_ptr<Acknowledgements> acknowledgements;
};
/// Links and acknowledgements of this key; locked for as long as they live.
Result<Records> open_records(const Config& config, const Identity& identity) {
    std::filesystem::path folder = config.proving.records;
    if (folder.empty()) folder = std::filesystem::path(config.key) += ".records";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        return fail(ErrorCode::kIo, "cannot make " + folder.string() + ": " + error.message());
    }
    ProverSetOptions options;
    options.open_files = config.proving.open_files;
    options.kept_heights = config.proving.kept_heights;
    HOLDFAST_ASSIGN(key, load_key_pair(config.key));
    HOLDFAST_ASSIGN(set,
                    ProverSet::open(identity.params, std::move(key), folder / "links", options));
    HOLDFAST_ASSIGN(store, Acknowledgements::open(folder / "acknowledgements", identity.params.id(),
                                                  identity.key->public_key()));
    return Records{folder, std::make_unique<ProverSet>(std::move(set)),
                   std::make_unique<Acknowledgements>(std::move(store))};
}

std::vector<PublicKey> keys_of(const std::vector<PeerEntry>& peers) {
    std::vector<PublicKey> out;
    for (const PeerEntry& peer : peers) out.push_back(peer.key);
    return out;
}

/// Named replicas of which none can be used are a mistake; folders may be empty for now.
Status check_stock(const Config& config, const ReplicaStock& stock) {
    std::optional<Error> first;
    for (const StockedReplica& one : stock.replicas()) {
        if (one.linked || one.chain) return {};
        if (!first) first = Error{one.code, one.error, {}};
    }
    if (!config.folders.empty() || !first) return {};
    return fail(*first);
}

/// From what the settings named to what they name now; what commands have added stays.
Status change_folders(ReplicaStock& stock, std::vector<FolderEntry>& known,
                      const std::vector<FolderEntry>& now) {
    const auto has = [](const std::vector<FolderEntry>& all, const FolderEntry& one) {
        return std::find(all.begin(), all.end(), one) != all.end();
    };
    for (const FolderEntry& one : now) {
        std::error_code ignored;
        if (!has(known, one) && !std::filesystem::is_directory(one.path, ignored)) {
            return fail(ErrorCode::kNotFound, one.path.string() + ": no such folder");
        }
    }
    for (const FolderEntry& one : now) {
        const Status added = has(known, one) ? Status() : stock.add(one.path);
        if (!added && added.error().code != ErrorCode::kAlreadyExists) return added;
    }
    for (const FolderEntry& one : known) {
        if (!has(now, one)) (void)stock.remove(one.path);  // gone already: by a command
    }
    known = now;
    return {};
}

/// Disks, what takes long to count, and what the log says of chains.
void look_around(DiskWatch& disks, CostlyMetrics& counted, AttentionLog& told,
                 const ChainBook& book, std::chrono::milliseconds between, const StopCheck& ends) {
    for (auto next = std::chrono::steady_clock::now(); !ends();) {
        if (std::chrono::steady_clock::now() >= next) {
            disks.look();
            counted.refresh();
            told.tell(*book.view());
            next = std::chrono::steady_clock::now() + between;
        }
        std::this_thread::sleep_for(kStopLooked);
    }
}

}  // namespace

std::filesystem::path control_socket(const Config& config) {
    if (!config.control.empty()) return config.control;
    std::filesystem::path out = config.key;
    return out.replace_extension(".sock");
}

Result<Json> run_prover(const Config& settings, Log& log, const ProverHooks& hooks,
                        const StopCheck& stop) {
    const Config config = with_deposits(settings);
    HOLDFAST_TRY(require_setting(!config.listen.empty(), "[transport] listen", "--listen"));
    HOLDFAST_TRY(require_setting(!config.hosts.empty(), "[[hosts]]", "--host KEY@ADDRESS"));
    HOLDFAST_TRY(require_setting(!config.replicas.empty() || !config.folders.empty(),
                                 "[[replicas]] and no [[folders]]", "--replica or --folder"));
    HOLDFAST_ASSIGN(identity, open_identity(config));
    const NetworkParams& params = identity.params;
    const PublicKey key = identity.key->public_key();
    AvailabilityResponder responder(params, machine_clock(), config.responding);
    ChunkServer chunks(machine_clock(), config.reading,
                       [&log](const ChainId& id, const Error& why) {
                           log.error("reading.failed", {{"chain", id}, {"error", why.message}});
                       });
    HOLDFAST_ASSIGN(records, open_records(config, identity));
    ReplicaStock stock(config, identity, *records.set, responder, chunks, log);
    OwnChains chains;
    HOLDFAST_ASSIGN(deposits, ProverDeposits::open(config, identity, chains, log));
    stock.look();
    HOLDFAST_TRY(check_stock(config, stock));
    PeerService service(&responder, &chunks);
    TcpHandler handler = [&service](const PublicKey& from, ByteView message) {
        return service.handle(from, message);
    };
    RecordedLinks recorded(params, *records.set);
    LinkAnswerOptions answering;
    answering.hosts = keys_of(config.hosts);
    answering.clock = machine_clock();
    handler = answering_links(
        std::move(handler), [&](const RecordedLink& link) { return recorded.prove(link); },
        answering);
    if (deposits) handler = taking_deposits(std::move(handler), deposits->service());
    if (hooks.handler) handler = hooks.handler(std::move(handler));
    const ProverHosts* asked = nullptr;
    HOLDFAST_ASSIGN(network, start_network(config, params.id(), *identity.key, kRoleProver,
                                           watched(std::move(handler), asked, log), log));
    ProverHosts hosts(config, params, *network, stock.replicas().size(), log);
    asked = &hosts;
    FollowClient client(hosts.requests_to_followed(), client_options(config));

    HeightTimeline timeline(params, machine_clock());
    Outputs outputs;
    ProverWork* working = nullptr;
    HOLDFAST_ASSIGN(
        output, open_output(config, params, client, log, [&](Height height, const VdfOutput& y) {
            outputs.note(height, y);
            timeline.step(height, HeightStep::kOutput);
            responder.note_y(height, y);
            if (working != nullptr) working->wake();
        }));
    const std::vector<LinkPlace> signed_at = records.set->records().places();
    FollowDuties followed(
        params, key, hosts.duty_nodes(),
        [&](Height height) -> Result<VdfOutput> {
            if (const auto y = outputs.find(height)) return *y;
            output->ask(height);
            return fail(ErrorCode::kUnavailable,
                        "y of height " + std::to_string(height.value) + " is not verified yet");
        },
        *records.acknowledgements, signed_at);
    followed.outbox().on_acknowledged([&](const AcknowledgedObject& seen) {
        if (seen.kind == Kind::kBundle && seen.height) {
            timeline.step(*seen.height, HeightStep::kAcknowledged);
        }
    });
    GuardedDuties duties(hosts, followed, timeline);
    HOLDFAST_ASSIGN(promises, PromiseWatch::open(params, records.folder, hosts.named(),
                                                 followed.outbox(), log));
    std::unique_ptr<DutySource> in_front;
    if (hooks.duties) {
        HOLDFAST_ASSIGN(made, hooks.duties(duties));
        in_front = std::move(made);
    }
    DutySource& for_links = in_front ? *in_front : duties;
    Registrar registrar(config, identity, client, stock, chains, log);
    ProverWork work(config, identity, stock, client, for_links, duties, chains, registrar, timeline,
                    log);
    const ChainBook book(params, stock, chains, machine_clock(), [&] { return work.facts(); });
    working = &work;
    HostFollower follower(
        params, client, machine_clock(), log,
        {[&](const FollowHeight& height, bool) {
             ChallengeHeight known = height;
             known.y.reset();  // the followed node's word; nothing is signed from it
             responder.on_final_block(known);
             timeline.block(height.height);
             output->want(height.height, height.y);
             work.wake();
             log.debug("block.final", {{"height", height.height}, {"has_y", height.y.has_value()}});
         },
         [&](Height height, const VdfOutput& y) { output->want(height, y); }});

    const auto at_hand = [&stock] { return stock.replicas(); };
    Scrubber scrubber(config.scrub, params, at_hand, records.folder, log);
    DiskWatch disks({at_hand, [&stock] { return stock.folders(); }}, machine_clock(), log);
    const auto status = [&] {
        Json out = {{"role", "prover"},
                    {"address", network->address()},
                    {"key", to_hex(key)},
                    {"host", to_json(follower.status())},
                    {"hosts", hosts_json(hosts.states(), hosts.split())},
                    {"output", to_json(output->status(), config.output.trust)},
                    {"proving", to_json(work.counts())},
                    {"registrations", to_json(registrar.counts())},
                    {"handed_over", to_json(followed.status())},
                    {"promises", to_json(promises->status())},
                    {"challenges", to_json(responder.statistics())},
                    {"readers", to_json(chunks.statistics())},
                    {"network", to_json(network->statistics())},
                    {"peers", peers_json(*network)},
                    {"scrub", to_json(scrubber.status())},
                    {"log", to_json(log)}};
        if (deposits) out["deposits"] = to_json(deposits->service().counts());
        append_stock(out, StockView::of(stock, chains));
        append_chains(out, *book.view());
        append_times(out, params, timeline, disks);
        return out;
    };
    CostlyMetrics counted([&] {
        std::vector<Metric> out;
        append_metrics(out, StockView::of(stock, chains));
        append_metrics(out, chains.all());
        return out;
    });
    const auto metrics = [&] {
        std::vector<Metric> out = counted.get();
        append_metrics(out, follower.status());
        append_metrics(out, work.counts());
        append_metrics(out, output->status(), follower.status().tip);
        append_metrics(out, scrubber.status());
        append_metrics(out, disks);
        append_metrics(out, followed.status());
        append_metrics(out, promises->status());
        append_metrics(out, hosts.states(), hosts.split().has_value());
        append_metrics(out, responder.statistics());
        append_metrics(out, chunks.statistics());
        append_metrics(out, network->statistics());
        if (deposits) append_metrics(out, deposits->service().counts());
        append_metrics(out, log);
        append_process_metrics(out);
        return out;
    };
    const auto health = [&] {
        Health out{follower_problems(follower.status(), params.block_ms)};
        const auto add = [&](std::vector<std::string> more) {
            for (std::string& problem : more) out.problems.push_back(std::move(problem));
        };
        if (const auto split = hosts.split()) {
            out.problems.push_back(split->to_string() +
                                   "; nothing is signed until: holdfast "
                                   "prover trust");
        }
        add(problems(StockView::of(stock, chains)));
        add(problems(*book.view()));
        add(problems(disks.disks(), links_time_ms(params)));
        add(output_problems(output->status()));
        add(problems(registrar.counts()));
        add(problems(promises->status()));
        add(problems(work.counts()));
        add(problems(scrubber.status()));
        if (deposits) add(problems(deposits->service().counts()));
        const std::uint64_t failed = responder.statistics().failed + chunks.statistics().failed;
        if (failed > 0) {
            out.problems.push_back(std::to_string(failed) +
                                   " answers failed: a replica cannot be read, or is damaged "
                                   "(holdfast scrub)");
        }
        return out;
    };
    std::vector<FolderEntry> folders = config.folders;  // the settings', as of the newest reload
    DaemonControl daemon(config,
                         {status,
                          health,
                          [&](const Config& now) -> Status {
                              HOLDFAST_TRY(change_folders(stock, folders, now.folders));
                              scrubber.set(now.scrub);
                              work.look_again();
                              return {};
                          },
                          {"scrub.every_hours", "scrub.rate", "scrub.repair", "folders"}},
                         log);
    ProverControl control(
        identity, stock, client, duties, chains, work, scrubber, daemon,
        [&] {
            promises->begin_anew();
            hosts.trust_again();
        },
        log);
    const ApiCommands handle = [&](const std::string& command,
                                   const Json& arguments) -> Result<Json> {
        if (command == "deposits") return deposits_json(deposits.get());
        if (deposits && (command == "pause" || command == "drain" || command == "resume")) {
            deposits->service().pause(command != "resume");
        }
        return control.handle(command, arguments);
    };
    HOLDFAST_ASSIGN(commands, ControlServer::start(control_socket(config), handle));
    const Api api("prover", ProverControl::routes(), handle, log);
    MonitorSources sources{metrics, health, status,
                           [&](const std::string& state, std::uint64_t number) {
                               return chain_page(params, *book.view(), state, number);
                           }};
    sources.mounts.push_back(
        {"/api/", [&api](const HttpRequest& request) { return api.answer(request); }});
    HOLDFAST_ASSIGN(monitor, start_monitor(config, std::move(sources), network.get(), log));
    Drain draining(config.drain_ms, log, [&] {
        return work.counts().paused || !follower.status().reachable ||
               (!work.busy() && followed.status().unsettled == 0);
    });
    const StopCheck ends = [&] {
        const auto drain = control.drain_wanted();
        if (drain) return draining.over(*drain);
        return (stop() || daemon.stop_wanted()) && draining.over();
    };
    if (deposits) {
        deposits->begin(
            {[&] { return follower.status().tip; }, [&] { return work.counts().newest_linked; },
             [&](const ChainId& chain) { return control.end(chain); },
             [&] {
                 work.look_again();
                 work.wake();
             },
             [&](const std::filesystem::path& replica) { (void)stock.remove(replica); }});
    }
    const StockView view = StockView::of(stock, chains);
    Json ready = {{"event", "ready"},
                  {"role", "prover"},
                  {"address", network->address()},
                  {"key", to_hex(key)},
                  {"control", commands->socket().string()},
                  {"monitor", monitor.address()}};
    append_stock(ready, view);
    log.info("ready", {{"address", network->address()},
                       {"replicas", view.replicas.size()},
                       {"chains", view.chains().size()}});
    if (hooks.ready) hooks.ready(ready);
    {
        const std::jthread watching([&] { hosts.run(ends); });
        const std::jthread verifying([&] { output->run(ends); });
        const std::jthread linking([&] { work.run_links(ends); });
        const std::jthread looking([&] {
            AttentionLog told(log);
            const auto between =
                std::chrono::milliseconds(std::min<std::uint64_t>(kDiskLookMs, params.block_ms));
            look_around(disks, counted, told, book, between, ends);
        });
        const std::jthread sealing([&] { work.run_seals(ends); });
        const std::jthread scrubbing([&] { scrubber.run(ends); });
        const std::jthread reloading([&] { watch_hangups(daemon, ends); });
        const std::jthread depositing([&] {
            if (deposits) deposits->service().run(ends);
        });
        const std::jthread checking([&] {
            promises->run(
                [&] { return client.newest_told(); },
                [&](const std::string& node, Height height) { hosts.distrust(node, height); },
                ends);
        });
        follower.run(ends);
    }
    log.info("stopping", {});
    commands.reset();
    stop_network(*network, config, log);
    return status();
}

}  // namespace holdfast::node
