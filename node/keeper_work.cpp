#include "node/keeper_work.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include "storage/file.hpp"
#include "storage/randomness.hpp"

namespace holdfast::node {
namespace {

using json::Json;
constexpr std::uint8_t kWishVersion = 1;
constexpr std::string_view kWishSuffix = ".removal";
constexpr std::size_t kMostShownFiles = 100;
constexpr std::size_t kMostWishBytes = 4'096;
constexpr std::uint64_t kProbeBytes = 4'096;

std::filesystem::path wish_path(const std::filesystem::path& folder, const DepositId& id) {
    return folder / (to_hex(id) + std::string(kWishSuffix));
}

Status remove_file(const std::filesystem::path& path) {
    std::error_code failed;
    std::filesystem::remove(path, failed);
    if (!failed) return {};
    return fail(ErrorCode::kIo, "cannot remove " + path.string() + ": " + failed.message());
}

Result<std::uint64_t> random_below(std::uint64_t n) {
    std::array<std::uint8_t, 8> bytes{};
    HOLDFAST_TRY(random_bytes(MutByteView(bytes)));
    return load_le64(bytes.data()) % n;
}

bool is_placed(const CatalogueEntries& entries, const Digest& file, const DepositId& id) {
    const auto found = entries.find(file);
    if (found == entries.end()) return false;
    const auto* kept = std::get_if<KeptFile>(&found->second);
    if (kept == nullptr) return false;
    return std::any_of(kept->shards.begin(), kept->shards.end(),
                       [&](const KeptShard& s) { return s.deposit == id; });
}

}  // namespace

Bytes KeeperWork::Wish::encode() const {
    Writer w;
    w.u8(kWishVersion).fixed(file).u8(static_cast<std::uint8_t>(shard)).fixed(prover.key);
    w.u8(static_cast<std::uint8_t>(prover.address.size())).raw(view(prover.address));
    w.fixed(id).u64(counter).u64(until);
    return w.take();
}

Checked<KeeperWork::Wish> KeeperWork::Wish::decode(ByteView bytes) {
    Reader r(bytes);
    Wish out;
    if (r.u8() != kWishVersion) r.refuse(Reason::kBadVersion);
    out.file = r.fixed<Digest>();
    out.shard = r.u8();
    out.prover.key = r.fixed<PublicKey>();
    const ByteView address = r.raw(r.u8());
    out.prover.address.assign(address.begin(), address.end());
    out.id = r.fixed<DepositId>();
    out.counter = r.u64();
    out.until = r.u64();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

KeeperWork::KeeperWork(Catalogue& catalogue, KeptLook& look, const KeyPair& owner, AskProverOf ask,
                       KeeperOptions options, Log& log)
    : catalogue_(catalogue),
      look_(look),
      owner_(owner),
      ask_(std::move(ask)),
      options_(std::move(options)),
      log_(log) {}

KeeperWork::~KeeperWork() { stop_ = true; }  // and the heals' threads are joined

Result<std::unique_ptr<KeeperWork>> KeeperWork::open(Catalogue& catalogue, KeptLook& look,
                                                     const KeyPair& owner, AskProverOf ask,
                                                     KeeperOptions options, Log& log) {
    std::error_code failed;
    std::filesystem::create_directories(options.folder, failed);
    if (failed) {
        return fail(ErrorCode::kIo,
                    "cannot make " + options.folder.string() + ": " + failed.message());
    }
    std::unique_ptr<KeeperWork> out(
        new KeeperWork(catalogue, look, owner, std::move(ask), std::move(options), log));
    HOLDFAST_TRY(out->take_up());
    return out;
}

/// What was ordered or wished before this start.
Status KeeperWork::take_up() {
    HOLDFAST_ASSIGN(orders, read_heal_orders(options_.folder));
    for (HealOrder& order : orders) {
        auto heal = std::make_unique<Heal>();
        const Place place{order.file, order.shard};
        heal->order = std::move(order);
        heals_.emplace(place, std::move(heal));
    }
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder, failed)) {
        if (entry.path().extension() != kWishSuffix) continue;
        HOLDFAST_ASSIGN(bytes, read_file(entry.path(), kMostWishBytes));
        const Checked<Wish> wish = Wish::decode(bytes);
        if (!wish) {
            return fail(ErrorCode::kCorrupt, entry.path().string() + " is no wish of a removal: " +
                                                 to_string(wish.error()));
        }
        wishes_.emplace(wish->id, *wish);
    }
    return {};
}

/// A decision, once until it changes.
void KeeperWork::say(const Place& place, std::string text, LogLevel level, HealReason reason) {
    std::string& before = said_[place];
    if (before == text) return;
    before = text;
    log_.write(level, "keeper.decision",
               {{"file", place.first},
                {"shard", place.second},
                {"reason", to_string(reason)},
                {"what", std::move(text)}});
}

std::vector<ProverAddress> KeeperWork::free_provers(const KeptFile& file) {
    std::vector<ProverAddress> out;
    for (const ProverAddress& prover : options_.provers) {
        const bool holds = std::any_of(file.shards.begin(), file.shards.end(),
                                       [&](const KeptShard& s) { return s.prover == prover.key; });
        const bool ordered = std::any_of(heals_.begin(), heals_.end(), [&](const auto& heal) {
            return heal.first.first == file.id() && heal.second->order.prover.key == prover.key;
        });
        if (holds || ordered || liars_.contains(prover.key)) continue;
        const Result<DepositState> answer = look_.deposit(prover, DepositId{});
        if (answer || answer.error().code == ErrorCode::kNotFound) out.push_back(prover);
    }
    // The one with the fewest shards first.
    std::sort(out.begin(), out.end(), [&](const ProverAddress& a, const ProverAddress& b) {
        return std::tie(used_[a.key], a.key) < std::tie(used_[b.key], b.key);
    });
    return out;
}

void KeeperWork::fill_in(const KeptFile& file, FileView& view) {
    for (unsigned shard = 0; shard < view.shards.size(); ++shard) {
        const Place place{file.id(), shard};
        view.shards[shard].healing = heals_.contains(place);
        const auto failed = failed_ms_.find(place);
        if (failed != failed_ms_.end()) view.shards[shard].heal_failed_ms = failed->second;
    }
}

Status KeeperWork::look_at(const KeptFile& file) {
    HOLDFAST_ASSIGN(sight, look_.look(file, {}));
    fill_in(file, sight.view);
    FileState state;
    state.name = file.name.empty() ? to_hex(file.id()) : file.name;
    HOLDFAST_TRY(act(file, sight.view, state));
    views_[file.id()] = sight.view;
    state.shown = to_json(file, sight);
    state.health = std::string(health_word(sight));
    state.margin = margin_of(sight.view);
    const std::lock_guard lock(mutex_);
    const auto before = files_.find(file.id());
    if (before == files_.end() || before->second.health != state.health) {
        log_.write(state.health == "whole" ? LogLevel::kInfo : LogLevel::kWarn, "keeper.file",
                   {{"file", file.id()},
                    {"name", state.name},
                    {"health", state.health},
                    {"margin", state.margin.text()}});
    }
    files_[file.id()] = std::move(state);
    return {};
}

Status KeeperWork::act(const KeptFile& file, const FileView& seen, FileState& state) {
    FileView view = seen;
    if (decide(view, options_.policy).empty()) return {};
    view.provers_free = free_provers(file).size();
    for (const KeeperAction& action : decide(view, options_.policy)) {
        const Place place{file.id(), action.shard};
        std::string hindered = action.why_not;
        if (action.kind == KeeperAction::Kind::kHeal && heals_.size() >= options_.heals_at_once) {
            hindered = "as many heals run as may";
        }
        if (hindered.empty()) {
            const Status begun = begin_heal(file, action.shard, action.reason);
            if (begun) continue;
            if (begun.error().code == ErrorCode::kInterrupted) return begun;
            failed_ms_[place] = look_.now_ms();
            hindered = begun.error().message;
        }
        say(place, "not healed yet: " + hindered, LogLevel::kWarn, action.reason);
        state.waiting.push_back("shard " + std::to_string(action.shard) + " (" +
                                std::string(to_string(action.reason)) + "): " + hindered);
    }
    return {};
}

Status KeeperWork::begin_heal(const KeptFile& file, unsigned shard, HealReason reason) {
    HealOptions healing;
    healing.reading = options_.reading;
    Error last{ErrorCode::kUnavailable, "no prover is left", {}};
    for (const ProverAddress& prover : free_provers(file)) {
        const Result<HealOrder> order = order_heal(file, shard, prover, owner_, ask_, healing);
        if (!order) {
            last = order.error();
            continue;
        }
        HOLDFAST_TRY(write_heal_order(options_.folder, *order));
        const Place place{file.id(), shard};
        say(place, "healed: rebuilt for prover " + to_hex(prover.key) + " at " + prover.address,
            LogLevel::kWarn, reason);
        auto heal = std::make_unique<Heal>();
        heal->order = *order;
        start(file, *heals_.emplace(place, std::move(heal)).first->second);
        const std::lock_guard lock(mutex_);
        ++counts_.heals_begun;
        return {};
    }
    return fail(std::move(last));
}

void KeeperWork::start(const KeptFile& file, Heal& heal) {
    heal.begun_ms = look_.now_ms();
    HealOptions healing;
    healing.reading = options_.reading;
    healing.reading.evidence = options_.folder / "evidence";
    healing.reading.stop = [this] { return stop_.load(); };
    healing.depositing.stop = healing.reading.stop;
    healing.progress = [&heal](std::uint64_t done, std::uint64_t) { heal.bytes = done; };
    heal.thread = std::jthread([this, file, healing, &heal] {
        heal.result = carry_out_heal(file, heal.order, owner_, ask_, healing);
        heal.done = true;
    });
}

Status KeeperWork::give_up(const Place& place, const std::string& why) {
    failed_ms_[place] = look_.now_ms();
    log_.warn("keeper.heal_failed", {{"file", place.first}, {"shard", place.second}, {"why", why}});
    said_.erase(place);
    const std::lock_guard lock(mutex_);
    ++counts_.heals_failed;
    return remove_file(heal_order_path(options_.folder, place.first, place.second));
}

Status KeeperWork::advance(const KeptFile& file) {
    for (auto at = heals_.begin(); at != heals_.end();) {
        bool over = false;
        if (at->first.first == file.id()) {
            HOLDFAST_TRY(advance_one(file, at->first, *at->second, over));
        }
        at = over ? heals_.erase(at) : std::next(at);
    }
    return {};
}

Status KeeperWork::advance_one(const KeptFile& file, const Place& place, Heal& heal, bool& over) {
    if (heal.stage == Stage::kRebuilding) {
        if (!heal.thread.joinable()) start(file, heal);  // ordered before this start
        if (!heal.done) return {};
        heal.thread.join();
        if (!heal.result) {
            if (heal.result.error().code == ErrorCode::kInterrupted) return {};
            over = true;
            return give_up(place, heal.result.error().message);
        }
        heal.stage = Stage::kProving;
        log_.info("keeper.rebuilt", {{"file", place.first},
                                     {"shard", place.second},
                                     {"bytes", heal.result->sent},
                                     {"ms", look_.now_ms() - heal.begun_ms}});
        const std::lock_guard lock(mutex_);
        counts_.bytes_sent += heal.result->sent;
    }
    std::vector<DepositState> states;
    bool proven = true;
    for (std::uint64_t segment = 0; segment < heal.order.segments.size(); ++segment) {
        const Result<DepositState> state =
            look_.deposit(heal.order.prover, heal.order.segments[segment].id);
        if (!state && state.error().code == ErrorCode::kInterrupted) return fail(state.error());
        const bool gone =
            state ? state->phase == DepositPhase::kFailed || state->phase == DepositPhase::kEnded
                  : state.error().code == ErrorCode::kNotFound;
        if (gone) {
            over = true;
            return give_up(place,
                           state ? std::string(to_string(state->reason)) : state.error().message);
        }
        if (!state) {
            proven = false;
            break;
        }
        HOLDFAST_ASSIGN(sight, look_.chain(state->chain, heal.order.prover.key,
                                           file.manifest.root(place.second, segment)));
        if (sight.sight == ChainSight::kAnother) {
            over = true;
            return give_up(place, sight.why);
        }
        proven = proven && sight.sight == ChainSight::kActive;
        states.push_back(*state);
    }
    if (!proven) {
        if (look_.now_ms() - heal.begun_ms < options_.policy.proving_ms) return {};
        over = true;
        return give_up(place, "it was not proven in time");
    }
    over = true;
    return adopt(file, heal.order, states);
}

/// The new manifest enters the catalogue; before that the wish to remove the old place is durable.
Status KeeperWork::adopt(const KeptFile& file, const HealOrder& order,
                         std::span<const DepositState> states) {
    HOLDFAST_ASSIGN(healed, healed_file(file, order, states, owner_));
    for (std::uint64_t segment = 0; segment < states.size(); ++segment) {
        const KeptShard& old = file.at(order.shard, segment);
        Wish wish{file.id(),
                  order.shard,
                  {old.prover, old.address, {}},
                  old.deposit,
                  healed.counter,
                  order.segments[segment].terms.until.value,
                  0};
        HOLDFAST_TRY(write_file(wish_path(options_.folder, old.deposit), wish.encode(), true));
        wishes_.insert_or_assign(old.deposit, std::move(wish));
    }
    HOLDFAST_TRY(write_kept_file(options_.folder / (to_hex(file.id()) + ".kept"), healed));
    HOLDFAST_TRY(catalogue_.take(healed));
    HOLDFAST_TRY(remove_file(heal_order_path(options_.folder, order.file, order.shard)));
    const Place place{order.file, order.shard};
    failed_ms_.erase(place);
    said_.erase(place);
    log_.info("keeper.healed", {{"file", order.file},
                                {"shard", order.shard},
                                {"prover", order.prover.key},
                                {"counter", healed.counter}});
    const std::lock_guard lock(mutex_);
    ++counts_.heals_done;
    return {};
}

Status KeeperWork::carry_out_wishes(const CatalogueEntries& entries) {
    for (auto at = wishes_.begin(); at != wishes_.end();) {
        Wish& wish = at->second;
        const auto view = views_.find(wish.file);
        const bool kept = view != views_.end() && wish.shard < view->second.shards.size();
        const bool wait =
            is_placed(entries, wish.file, wish.id) ||
            (kept && !may_remove_old(view->second, wish.shard)) ||
            (wish.tried_ms != 0 && look_.now_ms() - wish.tried_ms < options_.policy.retry_ms);
        if (wait) {
            ++at;
            continue;
        }
        wish.tried_ms = look_.now_ms();
        DepositClientOptions depositing;
        depositing.patience_ms = options_.reading.slow_ms;
        depositing.stop = options_.reading.stop;
        const DepositClient client(look_.network(), wish.prover.key, owner_, ask_(wish.prover),
                                   depositing);
        const Result<DepositState> removed = client.remove(wish.id, wish.counter);
        if (!removed && removed.error().code == ErrorCode::kInterrupted) {
            return fail(removed.error());
        }
        const bool over = removed || removed.error().code == ErrorCode::kNotFound ||
                          look_.tip().value > wish.until;
        if (!over) {
            ++at;
            continue;
        }
        log_.info("keeper.removed", {{"file", wish.file},
                                     {"shard", wish.shard},
                                     {"prover", wish.prover.key},
                                     {"answered", removed.has_value()}});
        HOLDFAST_TRY(remove_file(wish_path(options_.folder, wish.id)));
        at = wishes_.erase(at);
        const std::lock_guard lock(mutex_);
        ++counts_.removed;
    }
    return {};
}

/// A few bytes of a random place of a random shard: whoever does not have the data to read, or
/// sends others, is found by and by.
Status KeeperWork::probe(const std::vector<const KeptFile*>& files) {
    for (unsigned i = 0; i < options_.probes && !files.empty(); ++i) {
        HOLDFAST_ASSIGN(which, random_below(files.size()));
        const KeptFile& file = *files[which];
        HOLDFAST_ASSIGN(drawn, random_below(file.manifest.shape.shards()));
        const auto shard = static_cast<unsigned>(drawn);
        const auto view = views_.find(file.id());
        if (view == views_.end() || !view->second.shards[shard].readable()) continue;
        HOLDFAST_ASSIGN(at, random_below(file.manifest.shard_len));
        const ShardRange range{shard, at, std::min(at + kProbeBytes, file.manifest.shard_len)};
        ReadOptions reading = options_.reading;
        reading.evidence = options_.folder / "evidence";
        const auto take = [](unsigned, std::uint64_t, ByteView) { return Status{}; };
        const Result<ReadShardsReport> report =
            read_shards(file, owner_, {&range, 1}, {}, ask_, take, reading);
        if (!report && report.error().code == ErrorCode::kInterrupted) {
            return fail(report.error());
        }
        const std::lock_guard lock(mutex_);
        ++counts_.probes;
        if (!report) continue;
        for (unsigned j = 0; j < report->shards.size(); ++j) {
            const ShardReading& one = report->shards[j];
            if (!one.lied) continue;
            const std::uint64_t segment = at / kMaxDataBytes;
            look_.note_lie(file.at(j, segment).deposit);
            liars_.insert(file.at(j, segment).prover);
            ++counts_.lies;
            log_.warn("keeper.lie", {{"file", file.id()},
                                     {"shard", j},
                                     {"prover", file.at(j, segment).prover},
                                     {"why", one.failed},
                                     {"evidence", one.evidence}});
        }
    }
    return {};
}

Status KeeperWork::round() {
    const auto begun = std::chrono::steady_clock::now();
    HOLDFAST_TRY(look_.begin_round());
    HOLDFAST_ASSIGN(entries, catalogue_.entries());
    std::vector<const KeptFile*> files;
    used_.clear();
    for (const auto& [id, entry] : entries) {
        if (const auto* file = std::get_if<KeptFile>(&entry)) {
            files.push_back(file);
            for (const KeptShard& shard : file->shards) ++used_[shard.prover];
        }
    }
    for (const KeptFile* file : files) {
        HOLDFAST_TRY(look_at(*file));
        HOLDFAST_TRY(advance(*file));
    }
    HOLDFAST_TRY(carry_out_wishes(entries));
    HOLDFAST_TRY(probe(files));
    const std::lock_guard lock(mutex_);
    std::erase_if(files_, [&](const auto& one) {
        const auto found = entries.find(one.first);
        return found == entries.end() || !std::holds_alternative<KeptFile>(found->second);
    });
    ++counts_.rounds;
    counts_.round_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return {};
}

json::Json KeeperWork::status() const {
    const std::lock_guard lock(mutex_);
    Json files = Json::array();
    for (const auto& [id, state] : files_) {
        if (files.size() == kMostShownFiles) break;
        files.push_back(state.shown);
        files.back()["waiting"] = state.waiting;
    }
    return {{"rounds", counts_.rounds},
            {"round_seconds", counts_.round_seconds},
            {"heals_begun", counts_.heals_begun},
            {"heals_done", counts_.heals_done},
            {"heals_failed", counts_.heals_failed},
            {"bytes_sent", counts_.bytes_sent},
            {"probes", counts_.probes},
            {"lies", counts_.lies},
            {"removed", counts_.removed},
            {"files_total", files_.size()},
            {"files", std::move(files)}};
}

void KeeperWork::append_metrics(std::vector<Metric>& out) const {
    using Kind = Metric::Kind;
    const std::lock_guard lock(mutex_);
    std::map<std::string, double> by_health = {{"whole", 0}, {"degraded", 0}, {"endangered", 0}};
    double missing = 0;
    for (const auto& [id, state] : files_) {
        by_health[state.health] += 1;
        missing += state.margin.shards - state.margin.proven;
    }
    for (const auto& [health, count] : by_health) {
        out.push_back({"holdfast_keeper_files",
                       "Kept files by health",
                       Kind::kGauge,
                       count,
                       {{"health", health}}});
    }
    const auto add = [&](const char* name, const char* help, Kind kind, double value) {
        out.push_back({name, help, kind, value, {}});
    };
    add("holdfast_keeper_shards_unproven", "Shards that are not proven", Kind::kGauge, missing);
    add("holdfast_keeper_rounds_total", "Looks at the whole catalogue", Kind::kCounter,
        double(counts_.rounds));
    add("holdfast_keeper_round_seconds", "Of the newest look", Kind::kGauge, counts_.round_seconds);
    add("holdfast_keeper_heals_begun_total", "Rebuilds ordered", Kind::kCounter,
        double(counts_.heals_begun));
    add("holdfast_keeper_heals_done_total", "Rebuilds proven", Kind::kCounter,
        double(counts_.heals_done));
    add("holdfast_keeper_heals_failed_total", "Rebuilds given up", Kind::kCounter,
        double(counts_.heals_failed));
    add("holdfast_keeper_sent_bytes_total", "Rebuilt and uploaded", Kind::kCounter,
        double(counts_.bytes_sent));
    add("holdfast_keeper_probes_total", "Reads of a random place", Kind::kCounter,
        double(counts_.probes));
    add("holdfast_keeper_lies_total", "Reads answered with false bytes", Kind::kCounter,
        double(counts_.lies));
}

std::vector<std::string> KeeperWork::problems() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [id, state] : files_) {
        if (state.health == "whole") continue;
        std::string text = state.name + " is " + state.health + ": " + state.margin.text();
        for (const std::string& why : state.waiting) text += "; " + why;
        out.push_back(std::move(text));
        if (out.size() == kMostShownFiles) break;
    }
    return out;
}

}  // namespace holdfast::node
