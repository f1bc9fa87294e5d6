#include "analysis/node_work.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>
#include <filesystem>

#include "core/hash.hpp"
#include "core/keys.hpp"
#include "core/merkle.hpp"
#include "storage/lmdb_store.hpp"

namespace holdfast {
namespace {

constexpr double kFullIn = 16;         // one proof of so many is a full one (spec 7)
constexpr double kAuditedIn = 16;      // one outcome of so many is audited (spec 15.8)
constexpr double kExchangeSigned = 3;  // a challenge, its outcome, the response's signature
constexpr double kTransportBytes = 512.0 * (1U << 20);
constexpr double kTreeBytes = 264;      // of a chain, in memory
constexpr double kRecordBytes = 8'192;  // of a chain in the registry's file, read at every height

/// Hashes of two hashes that a path or an opening is worth.
struct Hashes {
    explicit Hashes(const WindowPlan& plan)
        : depth(static_cast<double>(std::bit_width(plan.chunks().value * kCellsPerChunk - 1))) {}
    double depth;  // from a cell to the root
    /// A cell of 256 bytes is hashed twice, as a leaf and as an opening, with some 4 such hashes
    /// each.
    [[nodiscard]] double cell() const { return 8; }
    [[nodiscard]] double compact() const { return cell() + depth + kOpeningTreeDepth + 6; }
    /// Paths to sixteen cells share their upper four levels.
    [[nodiscard]] double full() const {
        return kChunksPerLink * (cell() + depth - 4) + 2 * kChunksPerLink;
    }
    [[nodiscard]] double proof() const { return ((kFullIn - 1) * compact() + full()) / kFullIn; }
    [[nodiscard]] double response(const NetworkParams& params) const {
        return params.availability_chunks * (kCellsPerChunk * cell() + depth);
    }
};

WorkItem item(std::string what, double times, double each_s) {
    return {std::move(what), times, times * each_s};
}

double sum(const std::vector<WorkItem>& items) {
    double out = 0;
    for (const WorkItem& i : items) out += i.core_s;
    return out;
}

std::vector<WorkItem> work_of_height(const NetworkParams& params, const WindowPlan& plan,
                                     double chains, const WorkRates& r) {
    const Hashes hashes(plan);
    const double challenged = chains * params.availability_n / params.availability_d;
    // Spec 15.3: each chain once in a liability period.
    const double audits =
        std::max<double>(params.audits_per_block, std::ceil(chains / params.liability_blocks));
    return {
        item("links: signature and records", chains, r.signature_s + kLinkRecords * r.record_s),
        item("proofs of links", chains, hashes.proof() * r.hash_s + kProofRecords * r.record_s),
        item("digest: leaves, tree, records", chains, 4 * r.hash_s + kCloseRecords * r.record_s),
        item("challenges with outcomes", challenged,
             kExchangeSigned * r.signature_s + kOutcomeRecords * r.record_s),
        item("responses that are audited", challenged / kAuditedIn,
             hashes.response(params) * r.hash_s + r.signature_s),
        item("audits of sealing, windows filled", audits * params.audit_windows, r.fill_s),
    };
}

std::vector<WorkItem> work_of_strangers(const NetworkParams& params, double block_s,
                                        const WorkSize& size, const WorkRates& r) {
    const auto listed = static_cast<double>(size.listed);
    const double fill = std::max(r.fill_s, params.has_vdf ? r.arena_s : 0);
    return {
        item("objects that a block lists", listed, r.signature_s + kListedRecords * r.record_s),
        item("registrations that fall void", listed, kVoidRecords * r.record_s),
        item("fills for evidence", size.evidence_fills, fill),
        item("answers to peers, threads", size.workers, block_s),
        item("sockets and handshakes, threads", 1, block_s),
    };
}

/// Seconds that this thread has had a core: what else the machine does changes nothing.
double core_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Seconds of one of many, in rounds until it has been long enough.
template <class Work>
Result<double> seconds_of_one(std::uint64_t at_once, const Work& work) {
    constexpr double kLongEnough = 0.2;
    double spent = 0;
    std::uint64_t done = 0;
    while (spent < kLongEnough) {
        const double start = core_seconds();
        HOLDFAST_TRY(work());
        spent += core_seconds() - start;
        done += at_once;
    }
    return spent / static_cast<double>(done);
}

/// A folder of its own, gone at the end.
struct ScratchFolder {
    ScratchFolder() {
        std::error_code failed;
        std::string pattern =
            (std::filesystem::temp_directory_path(failed) / "holdfast-cost-XXXXXX").string();
        if (!failed && ::mkdtemp(pattern.data()) != nullptr) path = pattern;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        if (!path.empty()) std::filesystem::remove_all(path, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    std::filesystem::path path;
};

/// In a table of a hundred thousand, as large as a chain's state: written in no order, and read
/// back.
Result<double> measure_records() {
    constexpr std::uint64_t kThere = 100'000;
    constexpr std::uint64_t kAtOnce = 4'096;
    const ScratchFolder folder;
    if (folder.path.empty()) return fail(ErrorCode::kIo, "no folder for temporary files");
    HOLDFAST_ASSIGN(store, Store::open(folder.path, {}, true));
    HOLDFAST_ASSIGN(txn, store->write());
    const Bytes value(240, 7);
    const auto key_of = [](std::uint64_t n) { return tagged_hash("cost/record", n); };
    for (std::uint64_t n = 0; n < kThere; ++n) {
        HOLDFAST_TRY(txn.put(Table::kStates, view(key_of(n)), value));
    }
    std::uint64_t next = 0;
    return seconds_of_one(2 * kAtOnce, [&]() -> Status {
        for (std::uint64_t i = 0; i < kAtOnce; ++i) {
            const Digest key = key_of(next++ % kThere);
            HOLDFAST_ASSIGN(found, txn.get(Table::kStates, view(key)));
            if (!found) return fail(ErrorCode::kCorrupt, "a record is gone");
            HOLDFAST_TRY(txn.put(Table::kStates, view(key), value));
        }
        return {};
    });
}

}  // namespace

NodeWork node_work(const NetworkParams& params, const WindowPlan& plan, const WorkSize& size,
                   const WorkRates& rates) {
    NodeWork out;
    const auto chains = static_cast<double>(size.chains);
    out.block_s = params.block_ms / 1e3;
    out.height = work_of_height(params, plan, chains, rates);
    out.strangers = work_of_strangers(params, out.block_s, size, rates);
    out.height_s = sum(out.height);
    out.strangers_s = sum(out.strangers);
    // Threads that have nothing else to do are counted as cores; y has one to itself.
    const double threads = size.workers + 1.0;
    const double of_blocks = out.height_s + out.strangers_s - threads * out.block_s;
    out.cores = static_cast<unsigned>(std::ceil(of_blocks / out.block_s) + threads) +
                (params.has_vdf ? 1 : 0);
    const double bytes = (params.has_vdf ? static_cast<double>(params.vdf.arena_bytes()) : 0) +
                         2.0 * static_cast<double>(plan.window(0).bytes()) + kTransportBytes +
                         chains * (kTreeBytes + kRecordBytes);
    out.memory_bytes = static_cast<std::uint64_t>(bytes);
    return out;
}

Result<WorkRates> measure_work_rates() {
    WorkRates out;
    const KeyPair key = KeyPair::from_secret(Bytes(32, 1));
    const Digest message = sha256(view(std::string_view("holdfast cost")));
    HOLDFAST_ASSIGN(signature, key.sign(view(message)));
    HOLDFAST_ASSIGN(signed_s, seconds_of_one(1, [&]() -> Status {
                        const Verdict v =
                            verify_signature(key.public_key(), view(message), signature);
                        return v ? Status{} : fail_refused(v, "a signature made here");
                    }));
    out.signature_s = signed_s;
    constexpr std::uint64_t kHashes = 4'096;
    Digest hash = message;
    HOLDFAST_ASSIGN(hashed_s, seconds_of_one(kHashes, [&]() -> Status {
                        for (std::uint64_t i = 0; i < kHashes; ++i) hash = node_hash(hash, message);
                        return {};
                    }));
    out.hash_s = hashed_s;
    HOLDFAST_ASSIGN(record_s, measure_records());
    out.record_s = record_s;
    return out;
}

}  // namespace holdfast
