#include "chunking/batch_reader.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/mapped_file.hpp"

namespace holdfast {
namespace {

using Way = BatchReader::Way;

constexpr std::array<std::pair<Way, std::string_view>, 4> kNames = {{{Way::kAdvised, "advised"},
                                                                     {Way::kMapped, "mapped"},
                                                                     {Way::kThreads, "threads"},
                                                                     {Way::kUring, "uring"}}};

class AdvisedReader final : public BatchReader {
  public:
    [[nodiscard]] Way way() const override { return Way::kAdvised; }
    void read(std::span<FileRead> reads) override {
        // Only a hint: what it does not start, pread waits for.
        for (const FileRead& r : reads) {
            ::posix_fadvise(r.file->descriptor(), static_cast<off_t>(r.offset),
                            static_cast<off_t>(r.out.size()), POSIX_FADV_WILLNEED);
        }
        for (FileRead& r : reads) r.status = r.file->read_at(r.offset, r.out);
    }
};

class MappedReader final : public BatchReader {
  public:
    [[nodiscard]] Way way() const override { return Way::kMapped; }
    void read(std::span<FileRead> reads) override {
        std::vector<Result<MappedFile>> maps;
        std::vector<std::size_t> map_of(reads.size());
        for (std::size_t i = 0; i < reads.size(); ++i) {
            if (i == 0 || reads[i].file != reads[i - 1].file) {
                maps.push_back(MappedFile::open(reads[i].file->path(), MappedFile::Access::kRead));
            }
            map_of[i] = maps.size() - 1;
            if (maps.back()) maps.back()->prefetch(reads[i].offset, reads[i].out.size());
        }
        for (std::size_t i = 0; i < reads.size(); ++i) {
            const Result<MappedFile>& map = maps[map_of[i]];
            reads[i].status = map ? copy(*map, reads[i]) : Status(fail(map.error()));
        }
    }

  private:
    static Status copy(const MappedFile& map, const FileRead& r) {
        if (r.offset > map.size() || r.out.size() > map.size() - r.offset) {
            return fail(ErrorCode::kCorrupt,
                        "'" + map.path().string() + "' ends at byte " + std::to_string(map.size()));
        }
        return map.read(r.offset, r.out);
    }
};

/// Threads that wait for a batch, take its ranges one by one, and wait again.
class ThreadsReader final : public BatchReader {
  public:
    explicit ThreadsReader(unsigned threads) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
    }
    ~ThreadsReader() override {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        work_.notify_all();
        for (std::thread& t : threads_) t.join();
    }
    [[nodiscard]] Way way() const override { return Way::kThreads; }
    void read(std::span<FileRead> reads) override {
        std::unique_lock lock(mutex_);
        batch_ = reads;
        next_ = 0;
        unfinished_ = reads.size();
        work_.notify_all();
        done_.wait(lock, [&] { return unfinished_ == 0; });
        batch_ = {};
    }

  private:
    void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            work_.wait(lock, [&] { return ended_ || next_ < batch_.size(); });
            if (ended_) return;
            FileRead& r = batch_[next_++];
            lock.unlock();
            r.status = r.file->read_at(r.offset, r.out);
            lock.lock();
            if (--unfinished_ == 0) done_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    std::span<FileRead> batch_;
    std::size_t next_ = 0;
    std::size_t unfinished_ = 0;
    bool ended_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace

std::string_view to_string(Way way) {
    for (const auto& [known, name] : kNames) {
        if (known == way) return name;
    }
    return "unknown";
}

std::optional<Way> batch_reader_way(std::string_view name) {
    for (const auto& [way, known] : kNames) {
        if (known == name) return way;
    }
    return std::nullopt;
}

Result<std::unique_ptr<BatchReader>> BatchReader::make(Way way, unsigned depth) {
    const unsigned bounded = std::clamp(depth, 1U, 1'024U);
    switch (way) {
        case Way::kAdvised:
            return std::make_unique<AdvisedReader>();
        case Way::kMapped:
            return std::make_unique<MappedReader>();
        case Way::kThreads:
            try {
                return std::make_unique<ThreadsReader>(bounded);
            } catch (const std::exception& e) {
                return fail(ErrorCode::kOutOfMemory,
                            std::string("cannot start threads: ") + e.what());
            }
        case Way::kUring:
            return make_uring_reader(bounded);
    }
    return fail(ErrorCode::kUnsupported, "no such way of reading");
}

std::unique_ptr<BatchReader> BatchReader::best(unsigned depth) {
    if (Result<std::unique_ptr<BatchReader>> ring = make(Way::kUring, depth)) {
        return std::move(*ring);
    }
    return std::make_unique<AdvisedReader>();
}

}  // namespace holdfast
