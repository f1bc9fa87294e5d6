// Shards as files: streamed coding, checking and restoring. Spec: docs/spec.md section 9.
#include <algorithm>
#include <string>

#include "chunking/erasure.hpp"
#include "chunking/geometry.hpp"
#include "chunking/progress.hpp"
#include "chunking/running_root.hpp"
#include "core/file.hpp"
#include "core/parallel.hpp"

namespace holdfast {
namespace {

using Paths = std::span<const std::optional<std::filesystem::path>>;

/// Bytes of each shard that are coded at a time: those that are hashed at a time.
constexpr std::uint64_t kStripeBytes = kBatchBytes;

/// Roots of one shard, segment by segment, as its bytes pass by.
class ShardHasher {
  public:
    explicit ShardHasher(std::uint64_t shard_len) : shard_len_(shard_len) {}
    void feed(ByteView bytes) {
        while (!bytes.empty()) {
            const std::uint64_t segment_len = segment_bytes(shard_len_, roots_.size());
            if (!hasher_) hasher_.emplace(segment_len);
            const auto taken =
                static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), segment_len - fed_));
            hasher_->feed(bytes.first(taken));
            bytes = bytes.subspan(taken);
            fed_ += taken;
            if (fed_ < segment_len) continue;
            roots_.push_back(hasher_->finish());
            hasher_.reset();
            fed_ = 0;
        }
    }
    [[nodiscard]] const std::vector<Root>& roots() const { return roots_; }

  private:
    std::uint64_t shard_len_;
    std::uint64_t fed_ = 0;  // of the current segment
    std::optional<RawRootHasher> hasher_;
    std::vector<Root> roots_;
};

/// Reads data[at, at + out.size()) where data end at `length` and zeros follow.
Status read_padded(const File& file, std::uint64_t length, std::uint64_t at, MutByteView out) {
    const std::uint64_t there = at < length ? length - at : 0;
    const auto data = static_cast<std::size_t>(std::min<std::uint64_t>(there, out.size()));
    HOLDFAST_TRY(file.read_at(at, out.first(data)));
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(data), out.end(), std::uint8_t{0});
    return {};
}

/// Equal pieces of every shard, in one allocation.
class Stripe {
  public:
    explicit Stripe(unsigned shards) : bytes_(shards * kStripeBytes) {}
    void set_length(std::size_t length) { length_ = length; }
    [[nodiscard]] MutByteView shard(std::size_t i) {
        return MutByteView(bytes_).subspan(i * kStripeBytes, length_);
    }

  private:
    Bytes bytes_;
    std::size_t length_ = 0;
};

/// Calls body(at, length) for every stripe of a shard.
template <class Body>
Status for_each_stripe(std::uint64_t shard_len, const ErasureOptions& options, unsigned rows,
                       Body&& body) {
    ProgressCounter progress(options.progress, shard_len * rows);
    for (std::uint64_t at = 0; at < shard_len; at += kStripeBytes) {
        if (options.stop && options.stop()) return interrupted();
        const std::uint64_t length = std::min(kStripeBytes, shard_len - at);
        HOLDFAST_TRY(body(at, length));
        progress.add(length * rows);
    }
    return {};
}

Status check_shape(CodeShape shape) {
    if (shape.validate().accepted()) return {};
    return fail(ErrorCode::kInvalidArgument,
                "a code has at least 1 data shard and at most 255 shards in all");
}

std::string list(const std::vector<unsigned>& shards) {
    std::string text;
    for (const unsigned shard : shards) text += (text.empty() ? "" : ", ") + std::to_string(shard);
    return text.empty() ? "none" : text;
}

/// Whether a shard file is the one of the manifest; false for every way in which it can be damaged.
Result<bool> shard_is_good(const Manifest& manifest, unsigned shard, const File& file,
                           const StopCheck& stop) {
    const Result<std::uint64_t> size = file.size();
    if (!size || *size != manifest.shard_len) return false;
    ShardHasher hasher(manifest.shard_len);
    Bytes buffer(kBatchBytes);
    for (std::uint64_t at = 0; at < manifest.shard_len; at += buffer.size()) {
        if (stop && stop()) return interrupted();
        const auto batch = MutByteView(buffer).first(
            std::min<std::uint64_t>(buffer.size(), manifest.shard_len - at));
        if (!file.read_at(at, batch)) return false;
        hasher.feed(batch);
    }
    for (std::uint64_t s = 0; s < manifest.segments_per_shard(); ++s) {
        if (hasher.roots()[s] != manifest.root(shard, s)) return false;
    }
    return true;
}

struct GoodShards {
    std::vector<unsigned> indices;
    std::vector<File> files;
    RecoverReport report;
};

Result<GoodShards> find_good_shards(const Manifest& manifest, Paths paths, const StopCheck& stop) {
    HOLDFAST_TRY(check_shape(manifest.shape));
    if (paths.size() != manifest.shape.shards()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the manifest has " + std::to_string(manifest.shape.shards()) +
                        " shards, not " + std::to_string(paths.size()));
    }
    GoodShards good;
    for (unsigned shard = 0; shard < paths.size(); ++shard) {
        Result<File> file = fail(ErrorCode::kNotFound, "");
        if (paths[shard]) file = File::open(*paths[shard], File::Mode::kRead);
        if (!file) {
            const bool absent = file.error().code == ErrorCode::kNotFound;
            (absent ? good.report.missing : good.report.bad).push_back(shard);
            continue;
        }
        HOLDFAST_ASSIGN(is_good, shard_is_good(manifest, shard, *file, stop));
        if (!is_good) {
            good.report.bad.push_back(shard);
            continue;
        }
        good.indices.push_back(shard);
        good.files.push_back(std::move(*file));
    }
    if (good.indices.size() < manifest.shape.data) {
        return fail(ErrorCode::kUnavailable,
                    std::to_string(manifest.shape.data) + " good shards are needed and " +
                        std::to_string(good.indices.size()) + " are there; missing: " +
                        list(good.report.missing) + "; damaged: " + list(good.report.bad));
    }
    return good;
}

/// Rebuilds `wanted` shards stripe by stripe and hands each stripe over, its roots checked at the
/// end. Good shards that are wanted themselves are copied rather than computed.
template <class Sink>
Status rebuild(const Manifest& manifest, GoodShards& good, const std::vector<unsigned>& wanted,
               const ErasureOptions& options, Sink&& sink) {
    const unsigned k = manifest.shape.data;
    // Wanted shards first among the k that are read: then most of the output is a copy.
    std::vector<std::size_t> order(good.indices.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::partition(order.begin(), order.end(), [&](std::size_t i) {
        return std::find(wanted.begin(), wanted.end(), good.indices[i]) != wanted.end();
    });
    order.resize(k);
    std::vector<unsigned> have;
    for (const std::size_t i : order) have.push_back(good.indices[i]);
    std::vector<unsigned> computed;
    for (const unsigned shard : wanted) {
        if (std::find(have.begin(), have.end(), shard) == have.end()) computed.push_back(shard);
    }

    Stripe in(k);
    Stripe out(static_cast<unsigned>(computed.size()));
    std::vector<ShardHasher> hashers(wanted.size(), ShardHasher(manifest.shard_len));
    const auto rebuild_stripe = [&](std::uint64_t at, std::uint64_t length) -> Status {
        in.set_length(length);
        out.set_length(length);
        std::vector<ByteView> have_bytes;
        std::vector<MutByteView> computed_bytes;
        for (std::size_t i = 0; i < k; ++i) {
            HOLDFAST_TRY(good.files[order[i]].read_at(at, in.shard(i)));
            have_bytes.push_back(in.shard(i));
        }
        for (std::size_t i = 0; i < computed.size(); ++i) computed_bytes.push_back(out.shard(i));
        HOLDFAST_TRY(recover_shards(manifest.shape, have, have_bytes, computed, computed_bytes));
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const auto in_have = std::find(have.begin(), have.end(), wanted[i]);
            const auto in_computed = std::find(computed.begin(), computed.end(), wanted[i]);
            const ByteView bytes =
                in_have != have.end()
                    ? have_bytes[static_cast<std::size_t>(in_have - have.begin())]
                    : computed_bytes[static_cast<std::size_t>(in_computed - computed.begin())];
            hashers[i].feed(bytes);
            HOLDFAST_TRY(sink(i, at, bytes));
        }
        return {};
    };
    HOLDFAST_TRY(for_each_stripe(manifest.shard_len, options, static_cast<unsigned>(wanted.size()),
                                 rebuild_stripe));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        for (std::uint64_t s = 0; s < manifest.segments_per_shard(); ++s) {
            if (hashers[i].roots()[s] == manifest.root(wanted[i], s)) continue;
            return fail(ErrorCode::kCorrupt, "shard " + std::to_string(wanted[i]) +
                                                 " does not match its root after restoring: a "
                                                 "shard changed meanwhile, or the manifest lies");
        }
    }
    return {};
}

}  // namespace

Result<Manifest> shard_file(const std::filesystem::path& source, CodeShape shape,
                            std::span<const std::filesystem::path> shard_paths,
                            const ErasureOptions& options) {
    HOLDFAST_TRY(check_shape(shape));
    if (shard_paths.size() != shape.shards()) {
        return fail(ErrorCode::kInvalidArgument,
                    "one path is needed for each of " + std::to_string(shape.shards()) + " shards");
    }
    HOLDFAST_ASSIGN(file, File::open(source, File::Mode::kRead));
    Manifest manifest;
    manifest.shape = shape;
    HOLDFAST_ASSIGN(data_len, file.size());
    if (data_len == 0) {
        return fail(ErrorCode::kInvalidArgument, "'" + source.string() + "' is empty");
    }
    manifest.data_len = data_len;
    manifest.shard_len = shard_length(data_len, shape);
    std::vector<PendingFile> shards;
    for (const std::filesystem::path& path : shard_paths) {
        HOLDFAST_ASSIGN(pending, PendingFile::create(path));
        HOLDFAST_TRY(pending.file().reserve(manifest.shard_len));
        shards.push_back(std::move(pending));
    }

    Stripe stripe(shape.shards());
    std::vector<ShardHasher> hashers(shape.shards(), ShardHasher(manifest.shard_len));
    const auto code_stripe = [&](std::uint64_t at, std::uint64_t length) -> Status {
        stripe.set_length(length);
        std::vector<ByteView> data;
        std::vector<MutByteView> parity;
        for (unsigned i = 0; i < shape.shards(); ++i) {
            if (i >= shape.data) {
                parity.push_back(stripe.shard(i));
                continue;
            }
            HOLDFAST_TRY(read_padded(file, data_len, i * manifest.shard_len + at, stripe.shard(i)));
            data.push_back(stripe.shard(i));
        }
        encode_parity(shape, data, parity);
        const auto put = [&](unsigned, std::uint64_t i) -> Status {
            hashers[i].feed(stripe.shard(i));
            return shards[i].file().write_at(at, stripe.shard(i));
        };
        return run_workers(worker_count(0, shape.shards()), shape.shards(), {}, put);
    };
    HOLDFAST_TRY(for_each_stripe(manifest.shard_len, options, shape.shards(), code_stripe));
    HOLDFAST_ASSIGN(now, file.size());
    if (now != data_len) {
        return fail(ErrorCode::kCorrupt, "'" + source.string() + "' changed while it was read");
    }
    for (const ShardHasher& hasher : hashers) {
        manifest.roots.insert(manifest.roots.end(), hasher.roots().begin(), hasher.roots().end());
    }
    for (std::size_t i = 0; i < shards.size(); ++i) {
        Status published = shards[i].publish();
        if (published) continue;
        for (std::size_t done = 0; done < i; ++done) {
            std::error_code ignored;
            std::filesystem::remove(shard_paths[done], ignored);
        }
        return fail(std::move(published).error());
    }
    return manifest;
}

Result<RecoverReport> recover_file(const Manifest& manifest, Paths shard_paths,
                                   const std::filesystem::path& output,
                                   const ErasureOptions& options) {
    HOLDFAST_ASSIGN(good, find_good_shards(manifest, shard_paths, options.stop));
    HOLDFAST_ASSIGN(pending, PendingFile::create(output));
    HOLDFAST_TRY(pending.file().reserve(manifest.data_len));
    std::vector<unsigned> wanted(manifest.shape.data);
    for (unsigned i = 0; i < manifest.shape.data; ++i) wanted[i] = i;
    const auto put = [&](std::size_t shard, std::uint64_t at, ByteView bytes) -> Status {
        const std::uint64_t offset = shard * manifest.shard_len + at;
        if (offset >= manifest.data_len) return {};  // the padding of the last shards
        const std::uint64_t length =
            std::min<std::uint64_t>(bytes.size(), manifest.data_len - offset);
        return pending.file().write_at(offset, bytes.first(static_cast<std::size_t>(length)));
    };
    HOLDFAST_TRY(rebuild(manifest, good, wanted, options, put));
    HOLDFAST_TRY(pending.publish());
    return good.report;
}

Result<RecoverReport> recover_shard(const Manifest& manifest, Paths shard_paths, unsigned shard,
                                    const std::filesystem::path& output,
                                    const ErasureOptions& options) {
    if (shard >= manifest.shape.shards()) {
        return fail(ErrorCode::kInvalidArgument, "there is no shard " + std::to_string(shard));
    }
    HOLDFAST_ASSIGN(good, find_good_shards(manifest, shard_paths, options.stop));
    HOLDFAST_ASSIGN(pending, PendingFile::create(output));
    HOLDFAST_TRY(pending.file().reserve(manifest.shard_len));
    const auto put = [&](std::size_t, std::uint64_t at, ByteView bytes) {
        return pending.file().write_at(at, bytes);
    };
    HOLDFAST_TRY(rebuild(manifest, good, {shard}, options, put));
    HOLDFAST_TRY(pending.publish());
    return good.report;
}

}  // namespace holdfast
