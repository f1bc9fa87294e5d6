// Reading shards from their provers: columns of 1 MiB of what is wanted, or of k others.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "core/geometry.hpp"
#include "core/hash.hpp"
#include "deposit/client.hpp"
#include "keep/get.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

using ReadClock = std::chrono::steady_clock;

constexpr std::uint64_t kColumnBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kColumnBudget = std::uint64_t{64} << 20;
constexpr unsigned kMostColumns = 4;
constexpr unsigned kThreadsPerShard = 2;
constexpr std::chrono::milliseconds kLookStep{50};

/// One shard's part of a column.
struct ShardTask {
    std::uint64_t at = 0;
    Bytes bytes;
    enum class State : std::uint8_t { kPending, kDone, kFailed } state = State::kPending;
};

/// Bytes [begin, end) of some shards that lie in one column.
struct Column {
    std::vector<ShardRange> wanted;
    std::uint64_t begin = 0;  // of all that is wanted
    std::uint64_t end = 0;
};

}  // namespace

class ShardReader::Impl {
  public:
    Impl(const KeptFile& file, const KeyPair& owner, const AskProverOf& ask,
         std::span<const unsigned> avoid, const ReadOptions& options)
        : file_(file), owner_(owner), ask_(ask), options_(options) {
        shards_.resize(file.manifest.shape.shards());
        for (const unsigned shard : avoid) shards_.at(shard).avoided = true;
    }

    ~Impl() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
            changed_.notify_all();
        }
        for (std::thread& thread : threads_) thread.join();
    }

    Status read(std::span<const ShardRange> ranges, const TakeShard& take) {
        const std::vector<Column> columns = cut(ranges);
        const std::uint64_t width = shards_.size() * kColumnBytes;
        const auto at_once = static_cast<std::size_t>(
            std::clamp<std::uint64_t>(kColumnBudget / width, 1, kMostColumns));
        total_ = 0;
        for (const ShardRange& range : ranges) total_ += range.end - range.begin;
        taken_ = 0;
        std::size_t next = 0;
        std::optional<Error> failure;
        std::mutex order;  // guards next and failure
        const auto work = [&] {
            while (true) {
                std::size_t mine = 0;
                {
                    const std::lock_guard lock(order);
                    if (failure || next == columns.size()) return;
                    if (options_.stop && options_.stop()) {
                        failure = interrupted().value();
                        return;
                    }
                    mine = next++;
                }
                Status done = read_column(columns[mine], take);
                if (done) continue;
                const std::lock_guard lock(order);
                if (!failure) failure = std::move(done).error();
            }
        };
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < std::min(at_once, columns.size()); ++i) {
            others.emplace_back(work);
        }
        work();
        for (std::thread& thread : others) thread.join();
        if (failure) return fail(*failure);
        return {};
    }

    ReadShardsReport report() const {
        const std::lock_guard lock(mutex_);
        ReadShardsReport out;
        for (const Shard& shard : shards_) out.shards.push_back(shard.reading);
        return out;
    }

  private:
    struct Shard {
        bool avoided = false;
        bool started = false;
        bool slow = false;  // others were asked for its part, and nothing has come since
        std::deque<std::shared_ptr<ShardTask>> queue;
        ShardReading reading;
        [[nodiscard]] bool usable() const { return !avoided && reading.failed.empty(); }
    };

    /// The ranges column by column, ascending.
    static std::vector<Column> cut(std::span<const ShardRange> ranges) {
        std::map<std::uint64_t, Column> columns;
        for (const ShardRange& range : ranges) {
            for (std::uint64_t at = range.begin; at < range.end;) {
                const std::uint64_t number = at / kColumnBytes;
                const std::uint64_t end = std::min(range.end, (number + 1) * kColumnBytes);
                Column& column = columns[number];
                column.begin = column.wanted.empty() ? at : std::min(column.begin, at);
                column.end = std::max(column.end, end);
                column.wanted.push_back({range.shard, at, end});
                at = end;
            }
        }
        std::vector<Column> out;
        out.reserve(columns.size());
        for (auto& [number, column] : columns) out.push_back(std::move(column));
        return out;
    }

    using Tasks = std::map<unsigned, std::shared_ptr<ShardTask>>;

    static std::size_t count(const Tasks& tasks, ShardTask::State state) {
        return static_cast<std::size_t>(std::ranges::count_if(
            tasks, [&](const auto& entry) { return entry.second->state == state; }));
    }

    /// Under the mutex.
    void start(unsigned number, const Column& column, Tasks& tasks) {
        Shard& shard = shards_[number];
        auto task = std::make_shared<ShardTask>();
        task->at = column.begin;
        task->bytes.resize(static_cast<std::size_t>(column.end - column.begin));
        tasks.emplace(number, task);
        shard.queue.push_back(std::move(task));
        if (!shard.started) {
            shard.started = true;
            for (unsigned i = 0; i < kThreadsPerShard; ++i) {
                threads_.emplace_back([this, number] { serve(number); });
            }
        }
        changed_.notify_all();
    }

    /// Another shard that could help, one that is not slow first; under the mutex.
    [[nodiscard]] std::optional<unsigned> helper(const Tasks& tasks) const {
        std::optional<unsigned> slow;
        for (unsigned i = 0; i < shards_.size(); ++i) {
            if (!shards_[i].usable() || tasks.contains(i)) continue;
            if (!shards_[i].slow) return i;
            if (!slow) slow = i;
        }
        return slow;
    }

    [[nodiscard]] static bool has_wanted(const Column& column, const Tasks& tasks) {
        return std::ranges::all_of(column.wanted, [&](const ShardRange& range) {
            const auto at = tasks.find(range.shard);
            return at != tasks.end() && at->second->state == ShardTask::State::kDone;
        });
    }

    Status read_column(const Column& column, const TakeShard& take) {
        const std::size_t k = file_.manifest.shape.data;
        Tasks tasks;
        std::unique_lock lock(mutex_);
        for (const ShardRange& range : column.wanted) {
            const Shard& shard = shards_[range.shard];
            if (shard.usable() && !shard.slow && !tasks.contains(range.shard)) {
                start(range.shard, column, tasks);
            }
        }
        std::set<unsigned> late;  // asked so long ago that others are asked too
        auto late_at = ReadClock::now() + std::chrono::milliseconds(options_.slow_ms);
        while (!has_wanted(column, tasks) && count(tasks, ShardTask::State::kDone) < k) {
            if (options_.stop && options_.stop()) return interrupted();
            const bool is_late = ReadClock::now() >= late_at;
            mark_late(tasks, late, is_late);
            if (is_late) {
                late_at = ReadClock::now() + std::chrono::milliseconds(options_.slow_ms);
            }
            // What is wanted is enough while it is on its way; else k of any.
            if (!late.empty() || !is_coming(column, tasks)) {
                HOLDFAST_TRY(ask_others(column, tasks, late));
            }
            changed_.wait_for(lock, kLookStep);
        }
        lock.unlock();
        return hand_on(column, tasks, take);
    }

    static bool is_coming(const Column& column, const Tasks& tasks) {
        return std::ranges::all_of(column.wanted, [&](const ShardRange& range) {
            const auto at = tasks.find(range.shard);
            return at != tasks.end() && at->second->state != ShardTask::State::kFailed;
        });
    }

    /// All that are on their way, or those alone of provers that have been found slow meanwhile.
    void mark_late(const Tasks& tasks, std::set<unsigned>& late, bool all) {
        for (const auto& [number, task] : tasks) {
            if (task->state != ShardTask::State::kPending) continue;
            if ((!all && !shards_[number].slow) || !late.insert(number).second) continue;
            shards_[number].slow = true;
            ++shards_[number].reading.slow;
        }
    }

    /// So many that k can be had without those that are late.
    Status ask_others(const Column& column, Tasks& tasks, const std::set<unsigned>& late) {
        const std::size_t k = file_.manifest.shape.data;
        const auto hoped_for = [&] {
            return static_cast<std::size_t>(std::ranges::count_if(tasks, [&](const auto& entry) {
                const bool pending = entry.second->state == ShardTask::State::kPending;
                return entry.second->state == ShardTask::State::kDone ||
                       (pending && !late.contains(entry.first));
            }));
        };
        while (hoped_for() < k) {
            const std::optional<unsigned> another = helper(tasks);
            if (!another) break;
            start(*another, column, tasks);
        }
        const std::size_t possible =
            count(tasks, ShardTask::State::kDone) + count(tasks, ShardTask::State::kPending);
        if (possible >= k || is_coming(column, tasks)) return {};
        return fail(ErrorCode::kUnavailable, why_not());
    }

    [[nodiscard]] std::string why_not() const {
        std::string text;
        std::size_t left = 0;
        for (unsigned i = 0; i < shards_.size(); ++i) {
            if (shards_[i].usable()) ++left;
            if (shards_[i].reading.failed.empty()) continue;
            text += "\n  shard " + std::to_string(i) + ", prover " + to_hex(file_.at(i, 0).prover) +
                    ": " + shards_[i].reading.failed;
        }
        return std::to_string(file_.manifest.shape.data) + " shards are needed, and " +
               std::to_string(left) + " can be read" + text;
    }

    Status hand_on(const Column& column, const Tasks& tasks, const TakeShard& take) {
        std::vector<unsigned> have;
        std::vector<ByteView> have_bytes;
        std::map<unsigned, Bytes> rebuilt;
        {
            const std::lock_guard lock(mutex_);  // the states; the bytes of done tasks stay
            for (const auto& [number, task] : tasks) {
                if (task->state != ShardTask::State::kDone) continue;
                have.push_back(number);
                have_bytes.emplace_back(task->bytes);
            }
        }
        const auto has = [&](unsigned shard) { return std::ranges::count(have, shard) > 0; };
        std::vector<unsigned> missing;
        std::vector<MutByteView> missing_bytes;
        for (const ShardRange& range : column.wanted) {
            if (has(range.shard) || rebuilt.contains(range.shard)) continue;
            Bytes& out = rebuilt[range.shard];
            out.resize(static_cast<std::size_t>(column.end - column.begin));
            missing.push_back(range.shard);
            missing_bytes.emplace_back(out);
        }
        if (!missing.empty()) {
            const std::size_t k = file_.manifest.shape.data;
            HOLDFAST_TRY(recover_shards(
                file_.manifest.shape, std::span<const unsigned>(have).first(k),
                std::span<const ByteView>(have_bytes).first(k), missing, missing_bytes));
        }
        const std::lock_guard lock(take_mutex_);
        for (const ShardRange& range : column.wanted) {
            const auto own = rebuilt.find(range.shard);
            const ByteView bytes = own != rebuilt.end() ? ByteView(own->second)
                                                        : ByteView(tasks.at(range.shard)->bytes);
            HOLDFAST_TRY(take(range.shard, range.begin,
                              bytes.subspan(static_cast<std::size_t>(range.begin - column.begin),
                                            static_cast<std::size_t>(range.end - range.begin))));
            taken_ += range.end - range.begin;
        }
        if (options_.progress) options_.progress(taken_, total_);
        return {};
    }

    // --- one prover ------------------------------------------------------------------------------

    void serve(unsigned number) {
        std::unique_lock lock(mutex_);
        while (true) {
            Shard& shard = shards_[number];
            changed_.wait(lock, [&] { return ending_ || !shard.queue.empty(); });
            if (ending_) return;
            const std::shared_ptr<ShardTask> task = shard.queue.front();
            shard.queue.pop_front();
            if (!shard.usable()) {
                task->state = ShardTask::State::kFailed;
                changed_.notify_all();
                continue;
            }
            lock.unlock();
            const Status read = fetch(number, *task);
            lock.lock();
            task->state = read ? ShardTask::State::kDone : ShardTask::State::kFailed;
            if (read) {
                shard.slow = false;
                shard.reading.bytes += task->bytes.size();
            } else if (shard.reading.failed.empty() && !ending_ &&
                       read.error().code != ErrorCode::kInterrupted) {
                shard.reading.failed = read.error().message;
            }
            changed_.notify_all();
        }
    }

    /// Every byte proved against the manifest's root before this returns.
    Status fetch(unsigned number, ShardTask& task) {
        const std::uint64_t segment = task.at / kMaxDataBytes;
        const KeptShard& where = file_.at(number, segment);
        const AskProver ask = ask_({where.prover, where.address, {}});
        HOLDFAST_ASSIGN(chain, chain_of(number, segment, where, ask));
        ReadSource source;
        source.chain_id = chain;
        source.raw_root = file_.manifest.root(number, segment);
        source.data_len = file_.segment_bytes(segment);
        source.chunks = chunk_count(source.data_len);
        Bytes request;
        Bytes answer;
        RangeReaderOptions options;
        options.at_once = 1;  // so that the answer kept is the one that was refused
        options.patience_ms = options_.patience_ms;
        options.stop = [this] {
            if (options_.stop && options_.stop()) return true;
            const std::lock_guard lock(mutex_);
            return ending_;
        };
        const AskProver keeping = [&](ByteView question) -> Result<Bytes> {
            request.assign(question.begin(), question.end());
            answer.clear();
            Result<Bytes> reply = ask(question);
            if (reply) answer = *reply;
            if (!reply && reply.error().code == ErrorCode::kUnavailable) {
                // Nobody is there: others are asked at once, and it may come back meanwhile.
                const std::lock_guard lock(mutex_);
                shards_[number].slow = true;
                changed_.notify_all();
            }
            return reply;
        };
        const TakeBytes take = [&](std::uint64_t at, ByteView bytes) -> Status {
            std::ranges::copy(bytes, task.bytes.begin() + static_cast<std::ptrdiff_t>(at));
            return {};
        };
        const ReadRange range{ReadWhat::kRaw, task.at - segment * kMaxDataBytes, task.bytes.size()};
        const Result<ReadReport> done = read_range(source, range, keeping, take, options);
        if (done) return {};
        // An answer with data that do not lead to the root is a lie; a refusal is not.
        const Checked<ReadAnswer> said = ReadAnswer::decode(answer);
        if (done.error().code == ErrorCode::kRefused && !answer.empty() &&
            (!said || said->status == ReadStatus::kData)) {
            keep_evidence(number, where, request, answer, done.error());
        }
        return fail(done.error());
    }

    /// A manifest made before the chain was registered names none: its prover does.
    Result<ChainId> chain_of(unsigned number, std::uint64_t segment, const KeptShard& where,
                             const AskProver& ask) {
        if (!where.chain.is_zero()) return where.chain;
        const auto key = std::pair(number, segment);
        {
            const std::lock_guard lock(mutex_);
            const auto known = chains_.find(key);
            if (known != chains_.end()) return known->second;
        }
        DepositClientOptions options;
        options.patience_ms = options_.patience_ms;
        options.stop = options_.stop;
        const DepositClient client(file_.network, where.prover, owner_, ask, options);
        HOLDFAST_ASSIGN(state, client.state(where.deposit));
        if (state.chain.is_zero()) {
            return fail(ErrorCode::kUnavailable,
                        "its chain is not registered yet: the deposit is " +
                            std::string(to_string(state.phase)));
        }
        const std::lock_guard lock(mutex_);
        chains_[key] = state.chain;
        return state.chain;
    }

    /// Answers are not signed: this accuses nobody before others, it shows the owner what came.
    void keep_evidence(unsigned number, const KeptShard& where, ByteView request, ByteView answer,
                       const Error& why) {
        const std::lock_guard lock(mutex_);
        ShardReading& reading = shards_[number].reading;
        reading.lied = true;
        if (options_.evidence.empty() || !reading.evidence.empty()) return;
        std::error_code ignored;
        std::filesystem::create_directories(options_.evidence, ignored);
        const std::filesystem::path path =
            options_.evidence / ("answer-" + to_hex(where.prover).substr(0, 16) + "-" +
                                 to_hex(sha256(answer)).substr(0, 16));
        const std::string head =
            "prover " + to_hex(where.prover) + " at " + where.address + "\nchain " +
            to_hex(where.chain) + "\nroot " + to_hex(file_.manifest.root(number, 0)) + "\n" +
            why.message + "\nrequest " + to_hex(request) + "\nanswer " + to_hex(answer) + "\n";
        if (write_file(path, view(head), true)) reading.evidence = path;
    }

    const KeptFile& file_;
    const KeyPair& owner_;
    const AskProverOf ask_;
    const ReadOptions options_;
    std::mutex take_mutex_;  // what is handed on
    std::uint64_t taken_ = 0;
    std::uint64_t total_ = 0;

    mutable std::mutex mutex_;  // guards everything below
    std::condition_variable changed_;
    std::vector<Shard> shards_;
    std::vector<std::thread> threads_;
    std::map<std::pair<unsigned, std::uint64_t>, ChainId> chains_;
    bool ending_ = false;
};

ShardReader::ShardReader(const KeptFile& file, const KeyPair& owner, const AskProverOf& ask,
                         std::span<const unsigned> avoid, const ReadOptions& options)
    : impl_(std::make_unique<Impl>(file, owner, ask, avoid, options)) {}
ShardReader::~ShardReader() = default;
Status ShardReader::read(std::span<const ShardRange> ranges, const TakeShard& take) {
    return impl_->read(ranges, take);
}
ReadShardsReport ShardReader::report() const { return impl_->report(); }

Result<ReadShardsReport> read_shards(const KeptFile& file, const KeyPair& owner,
                                     std::span<const ShardRange> ranges,
                                     std::span<const unsigned> avoid, const AskProverOf& ask,
                                     const TakeShard& take, const ReadOptions& options) {
    ShardReader reader(file, owner, ask, avoid, options);
    HOLDFAST_TRY(reader.read(ranges, take));
    return reader.report();
}

}  // namespace holdfast
