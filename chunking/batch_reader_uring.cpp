#include "chunking/batch_reader.hpp"

#ifdef HOLDFAST_HAS_URING
#include <liburing.h>

#include <algorithm>
#include <cerrno>

#include "storage/descriptors.hpp"
#endif

namespace holdfast {

#ifdef HOLDFAST_HAS_URING
namespace {

class UringReader final : public BatchReader {
  public:
    explicit UringReader(unsigned depth) : depth_(depth) {}
    ~UringReader() override {
        if (made_) ::io_uring_queue_exit(&ring_);
    }
    UringReader(const UringReader&) = delete;
    UringReader& operator=(const UringReader&) = delete;

    Status start() {
        occupy_standard_descriptors();
        const int made = ::io_uring_queue_init(depth_, &ring_, 0);
        if (made < 0) {
            return fail(ErrorCode::kUnsupported,
                        "the kernel refuses io_uring (error " + std::to_string(-made) + ")");
        }
        made_ = true;
        return {};
    }

    [[nodiscard]] Way way() const override { return Way::kUring; }
    void read(std::span<FileRead> reads) override {
        std::size_t next = 0;
        unsigned in_flight = 0;
        while (next < reads.size() || in_flight > 0) {
            for (; next < reads.size() && in_flight < depth_; ++next, ++in_flight) {
                queue(reads[next]);
            }
            const int submitted = ::io_uring_submit_and_wait(&ring_, 1);
            // What has been queued must come back before its buffers may be let go of.
            HOLDFAST_CHECK(submitted >= 0 || submitted == -EINTR || submitted == -EAGAIN ||
                           submitted == -EBUSY);
            io_uring_cqe* done = nullptr;
            while (::io_uring_peek_cqe(&ring_, &done) == 0) {
                auto* r = static_cast<FileRead*>(::io_uring_cqe_get_data(done));
                const int result = done->res;
                ::io_uring_cqe_seen(&ring_, done);
                --in_flight;
                finish(*r, result);
            }
        }
    }

  private:
    void queue(FileRead& r) {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        HOLDFAST_CHECK(entry != nullptr);  // never more than depth_ in flight
        const auto bytes = static_cast<unsigned>(std::min<std::size_t>(r.out.size(), 1U << 30));
        ::io_uring_prep_read(entry, r.file->descriptor(), r.out.data(), bytes, r.offset);
        ::io_uring_sqe_set_data(entry, &r);
    }
    /// Short reads, interruptions and errors are rare: the plain call finishes them or names them.
    static void finish(FileRead& r, int result) {
        const std::size_t got = result > 0 ? static_cast<std::size_t>(result) : 0;
        r.status =
            got == r.out.size() ? Status{} : r.file->read_at(r.offset + got, r.out.subspan(got));
    }

    unsigned depth_;
    io_uring ring_{};
    bool made_ = false;
};

}  // namespace

Result<std::unique_ptr<BatchReader>> make_uring_reader(unsigned depth) {
    auto reader = std::make_unique<UringReader>(depth);
    HOLDFAST_TRY(reader->start());
    return reader;
}

#else

Result<std::unique_ptr<BatchReader>> make_uring_reader(unsigned) {
    return fail(ErrorCode::kUnsupported, "this build has no io_uring (liburing was not found)");
}

#endif

}  // namespace holdfast
