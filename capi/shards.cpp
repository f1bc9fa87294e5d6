#include <filesystem>

#include "capi/border.hpp"
#include "chunking/erasure.hpp"

namespace holdfast::capi {
namespace {

constexpr std::size_t kManifestFixedBytes = 2 + 26;  // standing alone, without roots

Got<std::vector<std::filesystem::path>> paths_of(const char* const* paths, std::size_t count) {
    if (paths == nullptr && count > 0) return missing("paths");
    std::vector<std::filesystem::path> out;
    for (std::size_t i = 0; i < count; ++i) {
        HOLDFAST_ASSIGN(path, text_of(paths[i], "a path"));
        out.emplace_back(path);
    }
    return out;
}

ErasureOptions erasure_options(Control& work, const char* stage) {
    ErasureOptions out;
    out.stop = work.stop();
    out.progress = work.progress_of(stage);
    return out;
}

Got<ShardSet> find_shards(const std::uint8_t* manifest, std::size_t manifest_bytes,
                          const char* const* paths, std::size_t paths_count, Control& work) {
    HOLDFAST_ASSIGN(object, view_of(manifest, manifest_bytes, "manifest"));
    HOLDFAST_ASSIGN(wanted, object_as<Manifest>(Kind::kManifest, object, "the manifest"));
    HOLDFAST_ASSIGN(files, paths_of(paths, paths_count));
    HOLDFAST_ASSIGN(found, ShardSet::find(wanted, files, erasure_options(work, "reading")));
    return found;
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_shards_encode(const char* source, uint32_t data, uint32_t parity,
                                       const char* const* paths, size_t paths_count,
                                       const holdfast_control* control, uint8_t* manifest,
                                       size_t* manifest_bytes) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_ASSIGN(from, text_of(source, "source"));
        HOLDFAST_ASSIGN(files, paths_of(paths, paths_count));
        if (data == 0 || data > 255 || parity > 255 - data) {
            return bad_argument("at least one data shard, and at most 255 shards in all");
        }
        const CodeShape shape{static_cast<std::uint8_t>(data), static_cast<std::uint8_t>(parity)};
        std::error_code error;
        const std::uint64_t size = std::filesystem::file_size(from, error);
        if (error) return tl::make_unexpected(Failure(fail_errno(error.value(), from).value()));
        Manifest wanted;
        wanted.data_len = size;
        wanted.shape = shape;
        wanted.shard_len = shard_length(size, shape);
        const std::size_t roots = shape.shards() * wanted.segments_per_shard();
        HOLDFAST_TRY(
            need_room(kManifestFixedBytes + roots * Root::kSize, manifest, manifest_bytes));
        HOLDFAST_ASSIGN(made, shard_file(from, shape, files, erasure_options(work, "sharding")));
        return put_bytes(wrap_object(Kind::kManifest, made.encode()), manifest, manifest_bytes);
    });
}

holdfast_status holdfast_shards_decode(const uint8_t* manifest, size_t manifest_bytes,
                                       const char* const* paths, size_t paths_count,
                                       const char* output, const holdfast_control* control) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_ASSIGN(to, text_of(output, "output"));
        HOLDFAST_ASSIGN(shards, find_shards(manifest, manifest_bytes, paths, paths_count, work));
        HOLDFAST_TRY(recover_file(shards, to, erasure_options(work, "recovering")));
        return {};
    });
}

holdfast_status holdfast_shards_rebuild(const uint8_t* manifest, size_t manifest_bytes,
                                        const char* const* paths, size_t paths_count,
                                        uint32_t shard, const char* output,
                                        const holdfast_control* control) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_ASSIGN(to, text_of(output, "output"));
        HOLDFAST_ASSIGN(shards, find_shards(manifest, manifest_bytes, paths, paths_count, work));
        if (shard >= shards.manifest().shape.shards()) {
            return bad_argument("there is no shard " + std::to_string(shard));
        }
        HOLDFAST_TRY(recover_shard(shards, shard, to, erasure_options(work, "recovering")));
        return {};
    });
}
