#include "chunking/scrub_log.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "storage/begun.hpp"

namespace holdfast {
namespace {

enum class Entry : std::uint8_t { kSubject = 1, kRanges, kRoots, kPart, kRepaired };
enum class Ranges : std::uint8_t { kBad = 1, kUnreadable };

// Well below kMaxRecordBodyBytes.
constexpr std::size_t kRangesARecord = 32'768;
constexpr std::size_t kRootsARecord = 16'384;

Writer entry(Entry kind, std::size_t bytes = 64) {
    Writer w(bytes);
    w.u8(static_cast<std::uint8_t>(kind));
    return w;
}

void put_ranges(std::vector<Bytes>& bodies, Ranges kind, std::span<const IndexRange> ranges) {
    for (std::size_t at = 0; at < ranges.size(); at += kRangesARecord) {
        const auto some = ranges.subspan(at, std::min(kRangesARecord, ranges.size() - at));
        Writer w = entry(Entry::kRanges, 2 + 16 * some.size());
        w.u8(static_cast<std::uint8_t>(kind));
        for (const IndexRange& range : some) w.u64(range.first).u64(range.count);
        bodies.push_back(w.take());
    }
}

void put_roots(std::vector<Bytes>& bodies, std::span<const Digest> roots) {
    for (std::size_t at = 0; at < roots.size(); at += kRootsARecord) {
        const auto some = roots.subspan(at, std::min(kRootsARecord, roots.size() - at));
        Writer w = entry(Entry::kRoots, 1 + kDigestBytes * some.size());
        for (const Digest& root : some) w.fixed(root);
        bodies.push_back(w.take());
    }
}

void append_ranges(std::vector<IndexRange>& to, std::span<const IndexRange> more) {
    for (const IndexRange& range : more) {
        if (!to.empty() && to.back().first + to.back().count == range.first) {
            to.back().count += range.count;
        } else {
            to.push_back(range);
        }
    }
}

void append(ScrubProgress& to, const ScrubProgress& part) {
    append_ranges(to.bad, part.bad);
    append_ranges(to.unreadable, part.unreadable);
    to.roots.insert(to.roots.end(), part.roots.begin(), part.roots.end());
    to.next_chunk = part.next_chunk;
}

/// Takes bodies in order; false once one does not hold.
class Loader {
  public:
    Loader(const Digest& subject, ScrubProgress& out) : subject_(subject), out_(out) {}

    bool take(ByteView body) {
        Reader r(body);
        const auto kind = static_cast<Entry>(r.u8());
        if (!begun_) {
            begun_ = kind == Entry::kSubject && r.fixed<Digest>() == subject_;
            return begun_ && r.finish().accepted();
        }
        switch (kind) {
            case Entry::kRanges:
                return take_ranges(r);
            case Entry::kRoots:
                if (r.remaining() % kDigestBytes != 0) return false;
                while (r.remaining() > 0) part_.roots.push_back(r.fixed<Digest>());
                return true;
            case Entry::kPart:
                return take_part(r);
            case Entry::kRepaired:
                out_.repaired.insert(r.u64());
                return r.finish().accepted();
            default:
                return false;
        }
    }
    [[nodiscard]] bool whole() const {
        return begun_ && part_.bad.empty() && part_.unreadable.empty() && part_.roots.empty();
    }

  private:
    bool take_ranges(Reader& r) {
        const auto which = static_cast<Ranges>(r.u8());
        if (which != Ranges::kBad && which != Ranges::kUnreadable) return false;
        std::vector<IndexRange>& ranges = which == Ranges::kBad ? part_.bad : part_.unreadable;
        while (!r.failed() && r.remaining() > 0) {
            const std::uint64_t first = r.u64();
            const std::uint64_t count = r.u64();
            ranges.push_back({first, count});
        }
        return r.finish().accepted();
    }
    bool take_part(Reader& r) {
        part_.next_chunk = r.u64();
        const bool with_roots = r.u8() == 1;
        if (!r.finish().accepted() || part_.next_chunk < out_.next_chunk) return false;
        if (out_.next_chunk == 0) out_.with_roots = with_roots;
        append(out_, part_);
        part_ = {};
        return with_roots == out_.with_roots &&
               out_.roots.size() == (with_roots ? out_.next_chunk : 0);
    }

    const Digest& subject_;
    ScrubProgress& out_;
    ScrubProgress part_;
    bool begun_ = false;
};

}  // namespace

Result<ScrubLog> ScrubLog::open(const std::filesystem::path& path, const Digest& subject,
                                bool afresh) {
    ScrubLog log(path, subject);
    if (path.empty()) return log;
    if (afresh) HOLDFAST_TRY(forget_begun(path));
    RecordLog::Options options;
    options.redoable = true;
    HOLDFAST_ASSIGN(records, RecordLog::open(path, options));
    log.log_ = std::move(records);
    if (afresh) {
        HOLDFAST_TRY(log.restart(false));
    } else {
        HOLDFAST_TRY(log.load());
    }
    return log;
}

Status ScrubLog::load() {
    Loader loader(subject_, progress_);
    bool holds = true;
    HOLDFAST_TRY(log_->for_each([&](std::uint64_t, ByteView body) -> Status {
        holds = holds && loader.take(body);
        return {};
    }));
    // A part without its end was not finished when the process died.
    if (holds && loader.whole()) return {};
    return restart(false);
}

Status ScrubLog::begin() {
    Writer w = entry(Entry::kSubject);
    w.fixed(subject_);
    return log_->append(w.take());
}

Status ScrubLog::restart(bool with_roots) {
    progress_ = {};
    progress_.with_roots = with_roots;
    if (!log_) return {};
    HOLDFAST_TRY(log_->clear());
    return begin();
}

Status ScrubLog::add(const ScrubProgress& part) {
    HOLDFAST_CHECK(part.next_chunk >= progress_.next_chunk);
    if (log_) {
        std::vector<Bytes> bodies;
        put_ranges(bodies, Ranges::kBad, part.bad);
        put_ranges(bodies, Ranges::kUnreadable, part.unreadable);
        put_roots(bodies, part.roots);
        Writer w = entry(Entry::kPart);
        w.u64(part.next_chunk).u8(progress_.with_roots ? 1 : 0);
        bodies.push_back(w.take());
        const std::vector<ByteView> views(bodies.begin(), bodies.end());
        HOLDFAST_TRY(log_->append_all(views));
    }
    append(progress_, part);
    return {};
}

Status ScrubLog::add_repaired(std::uint64_t window) {
    progress_.repaired.insert(window);
    if (!log_) return {};
    Writer w = entry(Entry::kRepaired);
    w.u64(window);
    return log_->append(w.take());
}

Status ScrubLog::remove() {
    if (!log_) return {};
    HOLDFAST_TRY(remove_store_file(path_));
    log_.reset();
    return {};
}

}  // namespace holdfast
