// Shards as files: streamed coding and restoring. Spec: docs/spec.md section 9.
#include <algorithm>
#include <atomic>
#include <deque>
#include <string>

#include "chunking/erasure.hpp"
#include "chunking/progress.hpp"
#include "chunking/shard_roots.hpp"
#include "core/geometry.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// Bytes of each shard that are coded at a time: those that are hashed at a time.
constexpr std::uint64_t kStripeBytes = kBatchBytes;

/// Reads data[at, at + out.size()) where data end at `length` and zeros follow.
/// Spec 9: filled up with zeros at the end.
Status read_padded(const File& file, std::uint64_t length, std::uint64_t at, MutByteView out) {
    const std::uint64_t there = at < length ? length - at : 0;
    const auto data = static_cast<std::size_t>(std::min<std::uint64_t>(there, out.size()));
    HOLDFAST_TRY(file.read_at(at, out.first(data)));
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(data), out.end(), std::uint8_t{0});
    return {};
}

/// Equal pieces of several shards, in one allocation.
class Stripe {
  public:
    void set(std::size_t shards, std::size_t length) {
        bytes_.resize(shards * kStripeBytes);
        length_ = length;
    }
    [[nodiscard]] MutByteView shard(std::size_t i) {
        return MutByteView(bytes_).subspan(i * kStripeBytes, length_);
    }

  private:
    Bytes bytes_;
    std::size_t length_ = 0;
};

/// Calls body(worker, at, length) for every stripe of a shard, on several threads.
template <class Body>
Status for_each_stripe(std::uint64_t shard_len, unsigned workers, const ErasureOptions& options,
                       std::size_t rows, Body&& body) {
    ProgressCounter progress(options.progress, shard_len * rows);
    const std::uint64_t stripes = (shard_len + kStripeBytes - 1) / kStripeBytes;
    return run_workers(workers, stripes, options.stop,
                       [&](unsigned worker, std::uint64_t stripe) -> Status {
                           const std::uint64_t at = stripe * kStripeBytes;
                           const std::uint64_t length = std::min(kStripeBytes, shard_len - at);
                           HOLDFAST_TRY(body(worker, at, static_cast<std::size_t>(length)));
                           progress.add(length * rows);
                           return {};
                       });
}

unsigned stripe_workers(const ErasureOptions& options, std::uint64_t shard_len) {
    return worker_count(options.workers, (shard_len + kStripeBytes - 1) / kStripeBytes);
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

/// Codes a file; `shards` is empty where nothing is to be written.
Result<Manifest> code_file(const File& file, CodeShape shape, std::vector<PendingFile>& shards,
                           const ErasureOptions& options) {
    HOLDFAST_ASSIGN(before, file.stamp());
    Manifest manifest;
    manifest.shape = shape;
    manifest.data_len = before.bytes;
    manifest.shard_len = shard_length(before.bytes, shape);
    for (PendingFile& shard : shards) HOLDFAST_TRY(shard.file().reserve(manifest.shard_len));
    std::deque<ShardRoots> roots;
    for (unsigned i = 0; i < shape.shards(); ++i) roots.emplace_back(manifest.shard_len);
    const unsigned workers = stripe_workers(options, manifest.shard_len);
    std::vector<Stripe> stripes(workers);
    const auto code_stripe = [&](unsigned worker, std::uint64_t at, std::size_t length) -> Status {
        Stripe& stripe = stripes[worker];
        stripe.set(shape.shards(), length);
        std::vector<ByteView> data;
        std::vector<MutByteView> parity;
        for (unsigned i = 0; i < shape.shards(); ++i) {
            if (i >= shape.data) {
                parity.push_back(stripe.shard(i));
                continue;
            }
            HOLDFAST_TRY(
                read_padded(file, manifest.data_len, i * manifest.shard_len + at, stripe.shard(i)));
            data.push_back(stripe.shard(i));
        }
        encode_parity(shape, data, parity);
        for (unsigned i = 0; i < shape.shards(); ++i) {
            roots[i].put(at, stripe.shard(i));
            if (shards.empty()) continue;
            HOLDFAST_TRY(shards[i].file().write_at(at, stripe.shard(i)));
        }
        return {};
    };
    HOLDFAST_TRY(
        for_each_stripe(manifest.shard_len, workers, options, shape.shards(), code_stripe));
    HOLDFAST_ASSIGN(after, file.stamp());
    if (after != before) {
        return fail(ErrorCode::kCorrupt,
                    "'" + file.path().string() +
                        "' changed while it was read; start again with a file that stays as it is");
    }
    for (const ShardRoots& shard : roots) {
        manifest.roots.insert(manifest.roots.end(), shard.roots().begin(), shard.roots().end());
    }
    return manifest;
}

Result<File> open_source(const std::filesystem::path& source) {
    HOLDFAST_ASSIGN(file, File::open(source, File::Mode::kRead));
    HOLDFAST_ASSIGN(bytes, file.size());
    if (bytes == 0) {
        return fail(ErrorCode::kInvalidArgument, "'" + source.string() + "' is empty");
    }
    return file;
}

}  // namespace

/// A file that is given, and what it is said to be.
struct ShardSet::Candidate {
    std::filesystem::path path;
    std::optional<unsigned> shard;
    std::optional<File> file;
    std::string why_not;  // empty: nothing is wrong so far
};

/// Rebuilds shards stripe by stripe and hands every stripe over, in any order; at the end their
/// roots must be those of the manifest.
class ShardRestorer {
  public:
    ShardRestorer(const ShardSet& shards, std::vector<unsigned> wanted)
        : shards_(shards), wanted_(std::move(wanted)) {}

    template <class Sink>
    Status run(const ErasureOptions& options, Sink&& sink) {
        const Manifest& manifest = shards_.manifest();
        const unsigned workers = stripe_workers(options, manifest.shard_len);
        std::vector<Stripe> stripes(workers);
        std::deque<ShardRoots> roots;
        for (std::size_t i = 0; i < wanted_.size(); ++i) roots.emplace_back(manifest.shard_len);
        const auto restore = [&](unsigned worker, std::uint64_t at, std::size_t length) -> Status {
            Stripe& stripe = stripes[worker];
            HOLDFAST_TRY(read_stripe(at, length, stripe));
            for (std::size_t i = 0; i < wanted_.size(); ++i) {
                roots[i].put(at, stripe.shard(i));
                HOLDFAST_TRY(sink(i, at, ByteView(stripe.shard(i))));
            }
            return {};
        };
        HOLDFAST_TRY(
            for_each_stripe(manifest.shard_len, workers, options, wanted_.size(), restore));
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            for (std::uint64_t s = 0; s < manifest.segments_per_shard(); ++s) {
                if (roots[i].roots()[s] == manifest.root(wanted_[i], s)) continue;
                return fail(ErrorCode::kCorrupt, "shard " + std::to_string(wanted_[i]) +
                                                     " does not match its root after restoring: a "
                                                     "shard changed meanwhile, or the manifest "
                                                     "lies");
            }
        }
        return {};
    }

    /// Wanted shards become the first rows of the stripe; those that have to be computed are
    /// computed from k good ones, wanted ones first, which are read anyway.
    Status read_stripe(std::uint64_t at, std::size_t length, Stripe& stripe) const {
        const std::size_t k = shards_.manifest().shape.data;
        stripe.set(wanted_.size() + k, length);
        std::vector<unsigned> have;
        std::vector<ByteView> have_bytes;
        std::vector<unsigned> computed;
        std::vector<MutByteView> computed_bytes;
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            const File* file = file_of(wanted_[i]);
            if (file == nullptr) {
                computed.push_back(wanted_[i]);
                computed_bytes.push_back(stripe.shard(i));
                continue;
            }
            HOLDFAST_TRY(file->read_at(at, stripe.shard(i)));
            if (have.size() == k) continue;
            have.push_back(wanted_[i]);
            have_bytes.push_back(stripe.shard(i));
        }
        if (computed.empty()) return {};
        std::size_t row = wanted_.size();
        for (std::size_t i = 0; i < shards_.good_.size() && have.size() < k; ++i) {
            const unsigned shard = shards_.good_[i];
            if (std::find(wanted_.begin(), wanted_.end(), shard) != wanted_.end()) continue;
            HOLDFAST_TRY(shards_.files_[i].read_at(at, stripe.shard(row)));
            have.push_back(shard);
            have_bytes.push_back(stripe.shard(row++));
        }
        return recover_shards(shards_.manifest().shape, have, have_bytes, computed, computed_bytes);
    }

  private:
    /// nullptr for a shard that is not among the good ones.
    [[nodiscard]] const File* file_of(unsigned shard) const {
        const auto found = std::lower_bound(shards_.good_.begin(), shards_.good_.end(), shard);
        if (found == shards_.good_.end() || *found != shard) return nullptr;
        return &shards_.files_[static_cast<std::size_t>(found - shards_.good_.begin())];
    }

    const ShardSet& shards_;
    std::vector<unsigned> wanted_;
};

Result<Manifest> shard_file(const std::filesystem::path& source, CodeShape shape,
                            std::span<const std::filesystem::path> shard_paths,
                            const ErasureOptions& options) {
    HOLDFAST_TRY(check_shape(shape));
    if (shard_paths.size() != shape.shards()) {
        return fail(ErrorCode::kInvalidArgument,
                    "one path is needed for each of " + std::to_string(shape.shards()) + " shards");
    }
    HOLDFAST_ASSIGN(file, open_source(source));
    std::vector<PendingFile> shards;
    for (const std::filesystem::path& path : shard_paths) {
        HOLDFAST_ASSIGN(pending, PendingFile::create(path));
        shards.push_back(std::move(pending));
    }
    HOLDFAST_ASSIGN(manifest, code_file(file, shape, shards, options));
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

Result<Manifest> manifest_of_file(const std::filesystem::path& path,
                                  const ErasureOptions& options) {
    HOLDFAST_ASSIGN(file, open_source(path));
    std::vector<PendingFile> none;
    return code_file(file, {1, 0}, none, options);
}

Result<ShardSet> ShardSet::open(const Manifest& manifest,
                                std::span<const std::optional<std::filesystem::path>> shard_paths,
                                const ErasureOptions& options) {
    HOLDFAST_TRY(check_shape(manifest.shape));
    if (shard_paths.size() != manifest.shape.shards()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the manifest has " + std::to_string(manifest.shape.shards()) +
                        " shards, not " + std::to_string(shard_paths.size()));
    }
    std::vector<Candidate> candidates;
    for (unsigned shard = 0; shard < shard_paths.size(); ++shard) {
        if (shard_paths[shard]) candidates.push_back({*shard_paths[shard], shard, {}, {}});
    }
    ShardSet set(manifest);
    HOLDFAST_TRY(set.take(std::move(candidates), options));
    return set;
}

Result<ShardSet> ShardSet::find(const Manifest& manifest,
                                std::span<const std::filesystem::path> files,
                                const ErasureOptions& options) {
    HOLDFAST_TRY(check_shape(manifest.shape));
    std::vector<Candidate> candidates;
    for (const std::filesystem::path& path : files) candidates.push_back({path, {}, {}, {}});
    ShardSet set(manifest);
    HOLDFAST_TRY(set.take(std::move(candidates), options));
    return set;
}

Status ShardSet::take(std::vector<Candidate> candidates, const ErasureOptions& options) {
    std::vector<std::size_t> readable;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        Candidate& c = candidates[i];
        Result<File> file = File::open(c.path, File::Mode::kRead);
        const Result<std::uint64_t> bytes = file ? file->size() : fail(file.error());
        if (!bytes) {
            c.why_not = bytes.error().message;
            if (bytes.error().code == ErrorCode::kNotFound && c.shard) c.shard.reset();
        } else if (*bytes != manifest_.shard_len) {
            c.why_not = "it has " + std::to_string(*bytes) + " bytes instead of " +
                        std::to_string(manifest_.shard_len);
        } else {
            c.file = std::move(*file);
            readable.push_back(i);
        }
    }
    // Batches of all files are one row of work, so that every core has its share whatever their
    // number.
    const std::uint64_t batches = (manifest_.shard_len + kBatchBytes - 1) / kBatchBytes;
    std::deque<ShardRoots> hashers;
    for (std::size_t i = 0; i < readable.size(); ++i) hashers.emplace_back(manifest_.shard_len);
    std::deque<std::atomic<bool>> failed(readable.size());
    const std::uint64_t items = batches * readable.size();
    const unsigned workers = worker_count(options.workers, items);
    std::vector<Bytes> buffers(workers);
    ProgressCounter progress(options.progress, manifest_.shard_len * readable.size());
    HOLDFAST_TRY(run_workers(
        workers, items, options.stop, [&](unsigned worker, std::uint64_t item) -> Status {
            const std::size_t i = item / batches;
            const std::uint64_t at = item % batches * kBatchBytes;
            Bytes& buffer = buffers[worker];
            buffer.resize(std::min<std::uint64_t>(kBatchBytes, manifest_.shard_len - at));
            if (!candidates[readable[i]].file->read_at(at, buffer)) failed[i] = true;
            if (!failed[i]) hashers[i].put(at, buffer);
            progress.add(buffer.size());
            return {};
        }));
    std::vector<std::vector<Root>> roots(candidates.size());
    for (std::size_t i = 0; i < readable.size(); ++i) {
        if (failed[i]) {
            candidates[readable[i]].why_not = "it cannot be read to its end";
        } else {
            roots[readable[i]] = hashers[i].roots();
        }
    }
    return place(candidates, roots);
}

Status ShardSet::place(std::vector<Candidate>& candidates,
                       const std::vector<std::vector<Root>>& roots) {
    std::vector<std::optional<File>> by_shard(manifest_.shape.shards());
    std::vector<bool> named(manifest_.shape.shards(), false);
    const auto matches = [&](std::size_t i, unsigned shard) {
        for (std::uint64_t s = 0; s < roots[i].size(); ++s) {
            if (roots[i][s] != manifest_.root(shard, s)) return false;
        }
        return !roots[i].empty();
    };
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        Candidate& c = candidates[i];
        bool known = false;  // a second copy of a shard does no harm
        for (unsigned shard = 0; shard < by_shard.size() && c.why_not.empty() && c.file; ++shard) {
            if ((c.shard && *c.shard != shard) || !matches(i, shard)) continue;
            known = true;
            if (!by_shard[shard]) by_shard[shard] = std::exchange(c.file, std::nullopt);
        }
        if (known) continue;
        if (c.why_not.empty()) {
            c.why_not = c.shard ? "it does not match the roots of shard " + std::to_string(*c.shard)
                                : "it matches no shard of the manifest";
        }
        if (c.shard) {
            report_.bad.push_back(*c.shard);
            named[*c.shard] = true;
        }
        report_.bad_files.push_back({c.path, c.why_not});
    }
    for (unsigned shard = 0; shard < by_shard.size(); ++shard) {
        if (by_shard[shard]) {
            good_.push_back(shard);
            files_.push_back(std::move(*by_shard[shard]));
        } else if (!named[shard]) {
            report_.missing.push_back(shard);
        }
    }
    return check_enough();
}

// Spec 9: any k shards restore the file.
Status ShardSet::check_enough() const {
    if (good_.size() >= manifest_.shape.data) return {};
    std::string files;
    for (const BadShard& bad : report_.bad_files) {
        files += "; '" + bad.path.string() + "': " + bad.why;
    }
    // Files in any order do not say which shard they were: "damaged: none" beside them would lie.
    const bool unplaced = report_.bad_files.size() > report_.bad.size();
    const std::string damaged =
        unplaced && report_.bad.empty()
            ? std::to_string(report_.bad_files.size()) + " file(s) of no use"
            : "damaged: " + list(report_.bad);
    return fail(ErrorCode::kUnavailable,
                std::to_string(manifest_.shape.data) + " good shards are needed and " +
                    std::to_string(good_.size()) + " are there; missing: " + list(report_.missing) +
                    "; " + damaged + files);
}

Status ShardSet::read(unsigned shard, std::uint64_t offset, MutByteView out) const {
    HOLDFAST_CHECK(shard < manifest_.shape.shards());
    const ShardRestorer restorer(*this, {shard});
    Stripe stripe;
    for (std::size_t at = 0; at < out.size(); at += kStripeBytes) {
        const MutByteView part =
            out.subspan(at, std::min<std::size_t>(kStripeBytes, out.size() - at));
        HOLDFAST_TRY(restorer.read_stripe(offset + at, part.size(), stripe));
        std::copy_n(stripe.shard(0).begin(), part.size(), part.begin());
    }
    return {};
}

Status recover_file(const ShardSet& shards, const std::filesystem::path& output,
                    const ErasureOptions& options) {
    const Manifest& manifest = shards.manifest();
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
    HOLDFAST_TRY(ShardRestorer(shards, std::move(wanted)).run(options, put));
    return pending.publish();
}

Status recover_shard(const ShardSet& shards, unsigned shard, const std::filesystem::path& output,
                     const ErasureOptions& options) {
    if (shard >= shards.manifest().shape.shards()) {
        return fail(ErrorCode::kInvalidArgument, "there is no shard " + std::to_string(shard));
    }
    HOLDFAST_ASSIGN(pending, PendingFile::create(output));
    HOLDFAST_TRY(pending.file().reserve(shards.manifest().shard_len));
    const auto put = [&](std::size_t, std::uint64_t at, ByteView bytes) {
        return pending.file().write_at(at, bytes);
    };
    HOLDFAST_TRY(ShardRestorer(shards, {shard}).run(options, put));
    return pending.publish();
}

}  // namespace holdfast
