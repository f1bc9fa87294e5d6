#include "keep/put.hpp"

#include <set>
#include <thread>

#include "core/hash.hpp"
#include "keep/put_journal.hpp"
#include "keep/put_sender.hpp"
#include "storage/parallel.hpp"
#include "storage/randomness.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kTermsPatienceMs = 10'000;  // of a prover among several that could be
constexpr std::size_t kAskedAtOnce = 32;

template <class T>
Result<T> drawn() {
    T out;
    HOLDFAST_TRY(random_bytes(MutByteView(out.bytes)));
    return out;
}

/// The first error of every prover that could not be taken.
std::string reasons(const std::vector<std::string>& why) {
    std::string text;
    for (const std::string& one : why) text += "\n  " + one;
    return text;
}

class PutRun {
  public:
    PutRun(const File& source, const KeyPair& owner, const NetworkId& network,
           std::span<const ProverAddress> provers, const AskProverOf& ask, Catalogue& catalogue,
           PutJournal& journal, const PutOptions& options)
        : source_(source),
          owner_(owner),
          network_(network),
          provers_(provers),
          ask_(ask),
          catalogue_(catalogue),
          journal_(journal),
          options_(options) {}

    Result<PutReport> run() {
        std::optional<PutPlan> plan = journal_.load();
        HOLDFAST_ASSIGN(stamp, source_.stamp());
        if (plan && !fits(*plan, stamp)) {
            abandon(*plan);
            plan.reset();
        }
        report_.resumed = plan.has_value();
        // A plan that cannot go on is given up once; a second time is an error of its own.
        for (bool again = false;; again = true) {
            if (!plan) {
                HOLDFAST_ASSIGN(made, make_plan(stamp));
                HOLDFAST_TRY(journal_.begin(made));
                plan = std::move(made);
            }
            PutSetback setback = PutSetback::kNone;
            Result<PutReport> done = carry_out(*plan, stamp, setback);
            if (done || setback == PutSetback::kNone || again || !report_.resumed) return done;
            abandon(*plan);
            report_.resumed = false;
            plan.reset();
        }
    }

  private:
    [[nodiscard]] bool fits(const PutPlan& plan, const FileStamp& stamp) const {
        return plan.source == stamp && plan.shape == options_.shape &&
               plan.encrypted == options_.encrypt;
    }

    /// Gives up what an earlier run has begun. The provers are told as far as they can be reached:
    /// what they are not told they drop by themselves, as they offered.
    void abandon(const PutPlan& plan) {
        report_.started_over = true;
        DepositClientOptions client;
        client.patience_ms = 2'000;
        client.stop = options_.stop;
        for (const PutPart& part : plan.parts) {
            const DepositClient prover(network_, part.prover.key, owner_, ask_(part.prover),
                                       client);
            (void)prover.remove(part.order.id, 1);
        }
    }

    Result<PutPlan> make_plan(const FileStamp& stamp) {
        PutPlan plan;
        plan.source = stamp;
        plan.shape = options_.shape;
        plan.encrypted = options_.encrypt;
        HOLDFAST_ASSIGN(salt, drawn<Digest>());
        plan.salt = salt;
        if (plan.encrypted) {
            HOLDFAST_ASSIGN(header, StreamHeader::draw());
            plan.header = header;
        }
        const std::uint64_t shard_len = shard_length(plan.stream().cipher_len(), plan.shape);
        HOLDFAST_ASSIGN(offers, collect_offers(std::min<std::uint64_t>(shard_len, kMaxDataBytes)));
        if (options_.agree && !options_.agree(offers)) {
            return fail(ErrorCode::kInterrupted, "not agreed to: nothing has been sent");
        }
        for (const PutOffer& offer : offers) {
            for (std::uint64_t at = 0; at < shard_len; at += kMaxDataBytes) {
                HOLDFAST_ASSIGN(id, drawn<DepositId>());
                const std::uint64_t bytes = std::min<std::uint64_t>(kMaxDataBytes, shard_len - at);
                plan.parts.push_back({offer.prover, {id, offer.terms, bytes}});
            }
        }
        return plan;
    }

    /// Terms of the first k + m provers that will have a shard, each at another place.
    Result<std::vector<PutOffer>> collect_offers(std::uint64_t bytes) {
        std::vector<PutOffer> offers;
        std::vector<std::string> why_not;
        std::set<std::string> places;
        for (std::size_t first = 0;
             first < provers_.size() && offers.size() < options_.shape.shards();
             first += kAskedAtOnce) {
            const auto some =
                provers_.subspan(first, std::min(kAskedAtOnce, provers_.size() - first));
            std::vector<Result<DepositTerms>> terms = ask_terms(some, bytes);
            if (options_.stop && options_.stop()) return interrupted();
            for (std::size_t i = 0; i < some.size(); ++i) {
                const ProverAddress& prover = some[i];
                const std::string name = to_hex(prover.key) + "@" + prover.address;
                if (!terms[i]) {
                    why_not.push_back(name + ": " + terms[i].error().message);
                } else if (options_.need_hot && !terms[i]->hot) {
                    why_not.push_back(name +
                                      ": does not keep data readable without unsealing (hot)");
                } else if (offers.size() == options_.shape.shards()) {
                    break;
                } else if (!prover.place.empty() && !places.insert(prover.place).second) {
                    why_not.push_back(name + ": another prover at '" + prover.place + "' is taken");
                } else {
                    offers.push_back({prover, static_cast<unsigned>(offers.size()), *terms[i]});
                }
            }
        }
        if (offers.size() == options_.shape.shards()) return offers;
        return fail(ErrorCode::kUnavailable,
                    std::to_string(options_.shape.shards()) + " provers are needed, and " +
                        std::to_string(offers.size()) + " will have a shard" + reasons(why_not));
    }

    std::vector<Result<DepositTerms>> ask_terms(std::span<const ProverAddress> provers,
                                                std::uint64_t bytes) {
        DepositClientOptions client;
        client.patience_ms = std::min(options_.patience_ms, kTermsPatienceMs);
        client.stop = options_.stop;
        std::vector<Result<DepositTerms>> out(provers.size(),
                                              fail(ErrorCode::kUnavailable, "not asked"));
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < provers.size(); ++i) {
            threads.emplace_back([&, i] {
                const DepositClient prover(network_, provers[i].key, owner_, ask_(provers[i]),
                                           client);
                out[i] = prover.terms(bytes);
            });
        }
        for (std::thread& thread : threads) thread.join();
        return out;
    }

    Result<PutReport> carry_out(PutPlan& plan, const FileStamp& stamp, PutSetback& setback) {
        if (plan.roots.empty()) {
            PutSender sender(source_, plan, journal_, owner_, network_, ask_, options_);
            Result<std::vector<Root>> roots = sender.run();
            setback = sender.setback();
            report_.sent_bytes += sender.sent_bytes();
            if (!roots) return fail(roots.error());
            HOLDFAST_ASSIGN(after, source_.stamp());
            if (after != stamp) {
                abandon(plan);
                HOLDFAST_TRY(journal_.clear());
                return fail(ErrorCode::kCorrupt, "'" + source_.path().string() +
                                                     "' changed while it was read; put it again");
            }
            HOLDFAST_TRY(finish(plan, *roots));
            plan.roots = std::move(*roots);
            HOLDFAST_TRY(journal_.update(plan));
        }
        report_.file = make_manifest(plan);
        HOLDFAST_TRY(report_.file.sign(owner_));
        HOLDFAST_ASSIGN(known, catalogue_.find(report_.file.id()));
        if (known && std::holds_alternative<KeptFile>(*known)) {
            report_.file = std::get<KeptFile>(*known);
        }
        HOLDFAST_TRY(catalogue_.take(report_.file));
        HOLDFAST_TRY(watch());
        HOLDFAST_TRY(journal_.clear());
        return report_;
    }

    /// Every prover has exactly what was sent, and says so.
    Status finish(const PutPlan& plan, const std::vector<Root>& roots) {
        DepositClientOptions client;
        client.patience_ms = options_.patience_ms;
        client.stop = options_.stop;
        for (std::size_t i = 0; i < plan.parts.size(); ++i) {
            const PutPart& part = plan.parts[i];
            const DepositClient prover(network_, part.prover.key, owner_, ask_(part.prover),
                                       client);
            const Result<DepositState> state = prover.finish(part.order, roots[i]);
            if (state) continue;
            Error why = state.error();
            why.message = "prover " + to_hex(part.prover.key) + ": " + why.message;
            return fail(std::move(why));
        }
        return {};
    }

    [[nodiscard]] KeptFile make_manifest(const PutPlan& plan) const {
        KeptFile file;
        file.network = network_;
        file.plain_len = plan.source.bytes;
        file.scheme = plan.encrypted ? KeptScheme::kAesGcmHkdf : KeptScheme::kPlain;
        file.salt = plan.salt;
        file.header = plan.header;
        file.name = options_.name;
        file.manifest.data_len = plan.stream().cipher_len();
        file.manifest.shape = plan.shape;
        file.manifest.shard_len = shard_length(file.manifest.data_len, plan.shape);
        file.manifest.roots = plan.roots;
        for (const PutPart& part : plan.parts) {
            file.shards.push_back({part.prover.key, part.prover.address, part.order.id, {}, {}});
        }
        return file;
    }

    /// Until all are proven, or, without `wait`, once.
    Status watch() {
        DepositClientOptions client;
        client.patience_ms = options_.wait ? options_.patience_ms : 2'000;
        client.stop = options_.stop;
        while (true) {
            HOLDFAST_ASSIGN(now, refresh_kept_file(report_.file, owner_, ask_, client));
            if (now.changed) HOLDFAST_TRY(catalogue_.take(report_.file));
            report_.proven = 0;
            for (std::size_t i = 0; i < now.states.size(); ++i) {
                const Result<DepositState>& state = now.states[i];
                if (!state) continue;
                if (state->phase == DepositPhase::kProven) ++report_.proven;
                if (state->phase != DepositPhase::kFailed && state->phase != DepositPhase::kEnded) {
                    continue;
                }
                return fail(
                    ErrorCode::kUnavailable,
                    "prover " + to_hex(report_.file.shards[i].prover) +
                        " has given up its shard: " + std::string(to_string(state->reason)) +
                        "; 'holdfast keeper' puts one with another prover");
            }
            if (!options_.wait) return {};
            if (options_.progress) {
                options_.progress("proving", report_.proven, now.states.size());
            }
            if (report_.proven == now.states.size()) return {};
            for (std::uint32_t waited = 0; waited < options_.poll_ms; waited += 50) {
                if (options_.stop && options_.stop()) return interrupted();
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        }
    }

    const File& source_;
    const KeyPair& owner_;
    const NetworkId& network_;
    const std::span<const ProverAddress> provers_;
    const AskProverOf& ask_;
    Catalogue& catalogue_;
    PutJournal& journal_;
    const PutOptions& options_;
    PutReport report_;
};

Status check_put(const File& source, std::span<const ProverAddress> provers,
                 const PutOptions& options) {
    if (!options.shape.validate()) {
        return fail(ErrorCode::kInvalidArgument,
                    "a code has at least 1 data shard and at most 255 shards in all");
    }
    std::set<PublicKey> keys;
    for (const ProverAddress& prover : provers) {
        if (keys.insert(prover.key).second) continue;
        return fail(ErrorCode::kInvalidArgument, "prover " + to_hex(prover.key) +
                                                     " is named twice: no two shards stand with "
                                                     "one prover");
    }
    if (provers.size() < options.shape.shards()) {
        return fail(ErrorCode::kInvalidArgument, std::to_string(options.shape.shards()) +
                                                     " provers are needed, one for each shard; " +
                                                     std::to_string(provers.size()) + " are named");
    }
    if (options.name.size() > kMaxKeptText) {
        return fail(ErrorCode::kInvalidArgument, "a name has at most 255 bytes");
    }
    HOLDFAST_ASSIGN(bytes, source.size());
    if (bytes == 0 && !options.encrypt) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + source.path().string() + "' is empty: there is nothing to keep");
    }
    return {};
}

}  // namespace

std::filesystem::path put_journals(const std::filesystem::path& catalogue) {
    return catalogue / "puts";
}

Result<PutReport> put_file(const std::filesystem::path& source, const KeyPair& owner,
                           const NetworkId& network, std::span<const ProverAddress> provers,
                           const AskProverOf& ask, Catalogue& catalogue,
                           const std::filesystem::path& journals, const PutOptions& options) {
    HOLDFAST_ASSIGN(file, File::open(source, File::Mode::kRead));
    HOLDFAST_TRY(check_put(file, provers, options));
    // One journal for each file and network, wherever the command is called from.
    std::error_code failed;
    const std::filesystem::path whole = std::filesystem::canonical(source, failed);
    if (failed) return fail_errno(failed.value(), source.string());
    const Digest name = tagged_hash("keep/put", network, sha256(view(whole.string())));
    HOLDFAST_ASSIGN(journal, PutJournal::open(journals / to_hex(name).substr(0, 32)));
    return PutRun(file, owner, network, provers, ask, catalogue, *journal, options).run();
}

Result<KeptStates> refresh_kept_file(KeptFile& file, const KeyPair& owner, const AskProverOf& ask,
                                     const DepositClientOptions& options) {
    KeptStates out;
    out.states.assign(file.shards.size(), fail(ErrorCode::kUnavailable, "not asked"));
    const std::size_t segments = static_cast<std::size_t>(file.manifest.segments_per_shard());
    for (std::size_t first = 0; first < file.shards.size(); first += kAskedAtOnce * segments) {
        std::vector<std::thread> threads;
        const std::size_t end = std::min(file.shards.size(), first + kAskedAtOnce * segments);
        for (std::size_t shard = first; shard < end; shard += segments) {
            threads.emplace_back([&, shard] {
                const KeptShard& at = file.shards[shard];
                const DepositClient prover(file.network, at.prover, owner,
                                           ask({at.prover, at.address, {}}), options);
                for (std::size_t i = shard; i < shard + segments; ++i) {
                    out.states[i] = prover.state(file.shards[i].deposit);
                    if (!out.states[i]) break;
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
    }
    if (options.stop && options.stop()) return interrupted();
    for (std::size_t i = 0; i < file.shards.size(); ++i) {
        if (!out.states[i]) continue;
        KeptShard& shard = file.shards[i];
        const DepositState& state = *out.states[i];
        if (!state.replica.is_zero() && state.replica != shard.replica) {
            shard.replica = state.replica;
            out.changed = true;
        }
        if (!state.chain.is_zero() && state.chain != shard.chain) {
            shard.chain = state.chain;
            out.changed = true;
        }
    }
    if (out.changed) {
        ++file.counter;
        HOLDFAST_TRY(file.sign(owner));
    }
    return out;
}

}  // namespace holdfast
