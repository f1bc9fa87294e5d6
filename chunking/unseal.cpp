#include "chunking/unseal.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "chunking/progress.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// Takes raw bytes and where they belong, counted from the start of the range. Several threads.
using Sink = std::function<Status(std::uint64_t at, ByteView bytes)>;

Status check_range(const Replica& replica, std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t data_len = replica.header().replica.data_len;
    if (length > 0 && offset < data_len && length <= data_len - offset) return {};
    return fail(ErrorCode::kInvalidArgument, "the original has " + std::to_string(data_len) +
                                                 " bytes; " + std::to_string(length) +
                                                 " from byte " + std::to_string(offset) +
                                                 " are no range of it");
}

Status unseal_window(const Replica& replica, const Window& window, std::uint64_t begin,
                     std::uint64_t end, MutByteView memory, const FillOptions& options,
                     const Sink& sink) {
    const std::uint64_t from = std::max(begin, window.first_byte());
    const std::uint64_t to = std::min(end, window.first_byte() + window.bytes());
    const ChunkIndex first(from / kChunkBytes);
    const ChunkCount count((to - 1) / kChunkBytes - first.value + 1);
    HOLDFAST_TRY(replica.raw_chunks(window.index, first, count, memory, options));
    return sink(from - begin, ByteView(memory).subspan(from - window.first_byte(), to - from));
}

Status unseal_to(const Replica& replica, std::uint64_t offset, std::uint64_t length,
                 const UnsealOptions& options, const Sink& sink) {
    const WindowPlan& plan = replica.windows();
    const std::uint64_t first = plan.window_of(ChunkIndex(offset / kChunkBytes));
    const std::uint64_t last = plan.window_of(ChunkIndex((offset + length - 1) / kChunkBytes));
    const std::uint64_t count = last - first + 1;
    const unsigned workers = worker_count(options.workers, count);
    std::vector<std::unique_ptr<FillMemory>> memories(workers);
    std::uint64_t total_bytes = 0;
    for (std::uint64_t w = first; w <= last; ++w) total_bytes += plan.window(w).bytes();
    ProgressCounter progress(options.progress, total_bytes);
    return run_workers(workers, count, options.stop,
                       [&](unsigned worker, std::uint64_t item) -> Status {
                           std::unique_ptr<FillMemory>& memory = memories[worker];
                           if (!memory) {
                               HOLDFAST_ASSIGN(fresh, FillMemory::allocate(plan.largest_bytes()));
                               memory = std::make_unique<FillMemory>(std::move(fresh));
                           }
                           const Window window = plan.window(first + item);
                           WindowProgress reached(progress, window.bytes());
                           FillOptions fill_options;
                           fill_options.kernel = options.kernel;
                           fill_options.stop = options.stop;
                           fill_options.progress = [&](std::uint64_t done, std::uint64_t total) {
                               reached.fill_reached(done, total);
                           };
                           HOLDFAST_TRY(unseal_window(replica, window, offset, offset + length,
                                                      MutByteView(memory->data(), window.bytes()),
                                                      fill_options, sink));
                           reached.finished();
                           return {};
                       });
}

}  // namespace

Status unseal(const Replica& replica, const std::filesystem::path& output,
              const UnsealOptions& options) {
    return unseal_range(replica, 0, replica.header().replica.data_len, output, options);
}

Status unseal_range(const Replica& replica, std::uint64_t offset, std::uint64_t length,
                    const std::filesystem::path& output, const UnsealOptions& options) {
    HOLDFAST_TRY(check_range(replica, offset, length));
    HOLDFAST_ASSIGN(pending, PendingFile::create(output));
    HOLDFAST_TRY(pending.file().reserve(length));
    const auto write = [&](std::uint64_t at, ByteView bytes) -> Status {
        HOLDFAST_TRY(pending.file().write_at(at, bytes));
        pending.file().start_writeback(at, bytes.size());
        return {};
    };
    HOLDFAST_TRY(unseal_to(replica, offset, length, options, write));
    return pending.publish();
}

Status unseal_range(const Replica& replica, std::uint64_t offset, MutByteView out,
                    const UnsealOptions& options) {
    HOLDFAST_TRY(check_range(replica, offset, out.size()));
    return unseal_to(
        replica, offset, out.size(), options, [&](std::uint64_t at, ByteView bytes) -> Status {
            std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
            return {};
        });
}

}  // namespace holdfast
