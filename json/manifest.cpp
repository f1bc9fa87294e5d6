// Manifests as JSON; with them every kind of object.
#include "chunking/erasure.hpp"
#include "core/codec.hpp"
#include "json/objects.hpp"

namespace holdfast::json {

Json to_json(const Manifest& manifest) {
    Json roots = Json::array();
    for (const Root& root : manifest.roots) roots.push_back(to_hex(root));
    return {{"manifest_id", to_hex(manifest.id())},
            {"data_len", manifest.data_len},
            {"data_shards", manifest.shape.data},
            {"parity_shards", manifest.shape.parity},
            {"shard_len", manifest.shard_len},
            {"segments_per_shard", manifest.segments_per_shard()},
            {"raw_roots", roots}};
}

Checked<Json> describe_object(ByteView object) {
    HOLDFAST_ASSIGN(out, describe_trusted_object(object));
    if (const Checked<ByteView> body = unwrap_object(Kind::kManifest, object)) {
        HOLDFAST_ASSIGN(manifest, Manifest::decode(*body));
        out.update(to_json(manifest));
    }
    return out;
}

}  // namespace holdfast::json
