#include "keep/get.hpp"

#include <charconv>
#include <map>
#include <mutex>

#include "core/hash.hpp"
#include "storage/file.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kSaveEvery = 64;     // segments that a stop may lose
constexpr std::uint64_t kStreamWindow = 16;  // segments read at a time for a stream

/// Segments [first, end) of a file.
struct Segments {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
};

Segments segments_of(const StreamShape& shape, const ByteRange& range) {
    return {shape.segment_of(range.begin), shape.segment_of(range.end - 1) + 1};
}

/// Where a run of segments lies in the data shards.
void add_ranges(const KeptFile& file, const Segments& run, std::vector<ShardRange>& out) {
    const StreamShape shape = file.shape();
    const std::uint64_t shard_len = file.manifest.shard_len;
    std::uint64_t at = shape.cipher_begin(run.first);
    const std::uint64_t end = std::min(shape.cipher_begin(run.end), file.manifest.data_len);
    while (at < end) {
        const std::uint64_t shard = at / shard_len;
        const std::uint64_t stop = std::min(end, (shard + 1) * shard_len);
        out.push_back(
            {static_cast<unsigned>(shard), at - shard * shard_len, stop - shard * shard_len});
        at = stop;
    }
}

Status check_reader(const KeptFile& file, const KeyPair& owner) {
    if (file.scheme == KeptScheme::kPlain || owner.public_key() == file.owner) return {};
    return fail(ErrorCode::kPermission,
                "this is not the owner's key: the file belongs to " + to_hex(file.owner));
}

/// Puts segments together from pieces in any order, and opens them.
class Assembler {
  public:
    /// A whole segment's plain bytes.
    using TakePlain = std::function<Status(std::uint64_t segment, ByteView plain)>;

    static Result<std::unique_ptr<Assembler>> make(const KeptFile& file, const KeyPair& owner,
                                                   TakePlain take) {
        std::unique_ptr<Assembler> out(new Assembler(file, std::move(take)));
        HOLDFAST_TRY(check_reader(file, owner));
        if (file.scheme == KeptScheme::kPlain) return out;
        HOLDFAST_ASSIGN(key, kept_file_key(owner, file.salt));
        out->cipher_.emplace(key, file.header, out->shape_);
        return out;
    }

    Status take(unsigned shard, std::uint64_t at, ByteView bytes) {
        std::uint64_t from = shard * file_.manifest.shard_len + at;
        while (!bytes.empty()) {
            const std::uint64_t segment = from / kCipherSegmentBytes;
            const auto skip = static_cast<std::size_t>(from % kCipherSegmentBytes);
            const std::size_t whole = shape_.cipher_bytes(segment);
            const std::size_t length = std::min(bytes.size(), whole - skip);
            Open& open = open_[segment];
            open.bytes.resize(whole);
            std::ranges::copy(bytes.first(length),
                              open.bytes.begin() + static_cast<std::ptrdiff_t>(skip));
            open.filled += length;
            if (open.filled == whole) {
                const Bytes cipher = std::move(open.bytes);
                open_.erase(segment);
                HOLDFAST_TRY(finish(segment, cipher));
            }
            bytes = bytes.subspan(length);
            from += length;
        }
        return {};
    }

  private:
    struct Open {
        Bytes bytes;
        std::size_t filled = 0;
    };
    Assembler(const KeptFile& file, TakePlain take)
        : file_(file), shape_(file.shape()), take_(std::move(take)) {}

    Status finish(std::uint64_t segment, ByteView cipher) {
        if (!cipher_) return take_(segment, cipher);
        plain_.resize(shape_.plain_bytes(segment));
        HOLDFAST_TRY(cipher_->decrypt(segment, cipher, plain_));
        return take_(segment, plain_);
    }

    const KeptFile& file_;
    const StreamShape shape_;
    const TakePlain take_;
    std::optional<StreamCipher> cipher_;
    std::map<std::uint64_t, Open> open_;
    Bytes plain_;
};

/// What of a segment lies in the range.
struct Cut {
    std::uint64_t at = 0;  // from the range's beginning
    ByteView bytes;
};
Cut cut_to(const StreamShape& shape, const ByteRange& range, std::uint64_t segment,
           ByteView plain) {
    const std::uint64_t begin = shape.plain_begin(segment);
    const std::uint64_t from = std::max(begin, range.begin);
    const std::uint64_t to = std::min(begin + plain.size(), range.end);
    return {from - range.begin, plain.subspan(static_cast<std::size_t>(from - begin),
                                              static_cast<std::size_t>(to - from))};
}

/// Which segments of a range have arrived, durably: beside the file that they are written to.
class GetJournal {
  public:
    GetJournal(std::filesystem::path path, const KeptFile& file, const ByteRange& range,
               const Segments& segments)
        : path_(std::move(path)),
          name_(tagged_hash("keep/get", file.id(), file.manifest.id(), range.begin, range.end)),
          first_(segments.first),
          bits_(static_cast<std::size_t>((segments.end - segments.first + 7) / 8)) {}

    /// What an earlier run of the same reading left; none of another.
    void load() {
        const Result<Bytes> there = read_file(path_, Digest::size() + bits_.size());
        if (!there || there->size() != Digest::size() + bits_.size()) return;
        if (!std::ranges::equal(ByteView(*there).first(Digest::size()), view(name_))) return;
        std::copy(there->begin() + Digest::size(), there->end(), bits_.begin());
    }
    [[nodiscard]] bool has(std::uint64_t segment) const {
        return (bits_[byte_of(segment)] >> ((segment - first_) % 8) & 1) != 0;
    }
    /// Durable once the file is synced and save() has returned.
    void add(std::uint64_t segment) {
        bits_[byte_of(segment)] |= static_cast<std::uint8_t>(1U << ((segment - first_) % 8));
    }
    Status save() const {
        return write_file(path_, Writer().fixed(name_).raw(bits_).bytes(), true, 0600);
    }
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

  private:
    [[nodiscard]] std::size_t byte_of(std::uint64_t segment) const {
        return static_cast<std::size_t>((segment - first_) / 8);
    }
    std::filesystem::path path_;
    Digest name_;
    std::uint64_t first_;
    Bytes bits_;
};

Status check_byte_range(const KeptFile& file, const ByteRange& range) {
    if (range.begin <= range.end && range.end <= file.plain_len) return {};
    return fail(ErrorCode::kInvalidArgument, "the file has " + std::to_string(file.plain_len) +
                                                 " bytes: the range does not lie within them");
}

std::optional<std::uint64_t> parse_number(std::string_view word) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failed != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
}

}  // namespace

Result<ByteRange> parse_byte_range(const std::string& word, std::uint64_t plain_len) {
    const std::size_t dash = word.find('-');
    const std::string_view text = word;
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
    if (dash != std::string::npos) {
        first = parse_number(text.substr(0, dash));
        last = dash + 1 == word.size() ? plain_len - std::min<std::uint64_t>(plain_len, 1)
                                       : parse_number(text.substr(dash + 1));
    }
    if (!first || !last || *first > *last || *last >= plain_len) {
        return fail(ErrorCode::kInvalidArgument, "a range is A-B, first and last byte of " +
                                                     std::to_string(plain_len) +
                                                     ", or A- to the end, not '" + word + "'");
    }
    return ByteRange{*first, *last + 1};
}

Result<ReadShardsReport> get_file(const KeptFile& file, const KeyPair& owner,
                                  const ByteRange& range, const std::filesystem::path& out,
                                  const AskProverOf& ask, const ReadOptions& options) {
    HOLDFAST_TRY(check_byte_range(file, range));
    HOLDFAST_TRY(check_reader(file, owner));  // before anything is made
    const std::filesystem::path part = out.string() + ".holdfast-part";
    HOLDFAST_ASSIGN(pending, PendingFile::resume(out, part));
    pending.keep();
    File& target = pending.file();
    const std::uint64_t length = range.end - range.begin;
    HOLDFAST_ASSIGN(there, target.size());
    if (there > length) HOLDFAST_TRY(target.truncate(length));
    if (length > 0) HOLDFAST_TRY(target.reserve(length));
    const StreamShape shape = file.shape();
    ShardReader reader(file, owner, ask, {}, options);
    GetJournal journal(part.string() + ".done", file, range,
                       length == 0 ? Segments{} : segments_of(shape, range));
    if (length > 0) {
        const Segments all = segments_of(shape, range);
        journal.load();
        std::vector<ShardRange> ranges;
        for (std::uint64_t s = all.first; s < all.end;) {
            std::uint64_t end = s;
            while (end < all.end && !journal.has(end)) ++end;
            if (end > s) add_ranges(file, {s, end}, ranges);
            s = end + 1;
        }
        std::uint64_t unsaved = 0;
        const auto save = [&]() -> Status {
            unsaved = 0;
            HOLDFAST_TRY(target.sync());
            return journal.save();
        };
        HOLDFAST_ASSIGN(
            assembler,
            Assembler::make(file, owner, [&](std::uint64_t segment, ByteView plain) -> Status {
                const Cut cut = cut_to(shape, range, segment, plain);
                HOLDFAST_TRY(target.write_at(cut.at, cut.bytes));
                target.start_writeback(cut.at, cut.bytes.size());
                journal.add(segment);
                return ++unsaved < kSaveEvery ? Status{} : save();
            }));
        const Status done =
            reader.read(ranges, [&](unsigned shard, std::uint64_t at, ByteView bytes) {
                return assembler->take(shard, at, bytes);
            });
        if (!done) {
            (void)save();
            return fail(done.error());
        }
    }
    HOLDFAST_TRY(pending.publish());
    journal.remove();
    return reader.report();
}

Result<ReadShardsReport> stream_file(const KeptFile& file, const KeyPair& owner,
                                     const ByteRange& range, const AskProverOf& ask,
                                     const std::function<Status(ByteView)>& take,
                                     const ReadOptions& options) {
    HOLDFAST_TRY(check_byte_range(file, range));
    ReadOptions inner = options;
    inner.progress = {};
    ShardReader reader(file, owner, ask, {}, inner);
    if (range.begin == range.end) return reader.report();
    const StreamShape shape = file.shape();
    std::map<std::uint64_t, Bytes> ready;
    HOLDFAST_ASSIGN(assembler,
                    Assembler::make(file, owner, [&](std::uint64_t segment, ByteView plain) {
                        ready[segment].assign(plain.begin(), plain.end());
                        return Status{};
                    }));
    const Segments all = segments_of(shape, range);
    for (std::uint64_t s = all.first; s < all.end; s += kStreamWindow) {
        std::vector<ShardRange> ranges;
        add_ranges(file, {s, std::min(all.end, s + kStreamWindow)}, ranges);
        HOLDFAST_TRY(reader.read(ranges, [&](unsigned shard, std::uint64_t at, ByteView bytes) {
            return assembler->take(shard, at, bytes);
        }));
        for (const auto& [segment, plain] : ready) {
            const Cut cut = cut_to(shape, range, segment, plain);
            HOLDFAST_TRY(take(cut.bytes));
            if (options.progress) {
                options.progress(cut.at + cut.bytes.size(), range.end - range.begin);
            }
        }
        ready.clear();
    }
    return reader.report();
}

}  // namespace holdfast
