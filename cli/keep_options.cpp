#include "cli/keep_options.hpp"

#include <optional>

#include "storage/key_file.hpp"

namespace holdfast::cli {

void KeepArguments::add_to(CLI::App* command) {
    command->add_option("-k,--key", key, "the owner's key file")->required();
    command->add_option("--catalogue", catalogue,
                        "folder of the owner's catalogue (default: KEY.catalogue)");
}

std::filesystem::path KeepArguments::folder() const {
    return catalogue.empty() ? default_catalogue(key) : std::filesystem::path(catalogue);
}

Result<KeyPair> load_owner(const KeepArguments& arguments) { return load_key_pair(arguments.key); }

Result<KeptFile> find_kept_file(const std::string& word, const KeepArguments& arguments,
                                const PublicKey& owner) {
    // The file that was kept may lie here under the name that it has in the catalogue.
    std::error_code none;
    std::optional<Error> no_manifest;
    if (std::filesystem::is_regular_file(word, none)) {
        Result<KeptFile> file = read_kept_file(word);
        if (file) return file;
        no_manifest = file.error();
    }
    HOLDFAST_ASSIGN(catalogue, Catalogue::open_for_reading(arguments.folder(), owner));
    HOLDFAST_ASSIGN(entries, catalogue->entries());
    std::vector<const KeptFile*> found;
    for (const auto& [id, entry] : entries) {
        const auto* file = std::get_if<KeptFile>(&entry);
        if (file == nullptr) continue;
        const bool by_id = word.size() >= 4 && to_hex(id).starts_with(word);
        if (by_id || file->name == word) found.push_back(file);
    }
    if (found.size() == 1) return *found.front();
    if (found.empty() && no_manifest) return fail(*no_manifest);
    if (found.empty()) {
        return fail(ErrorCode::kNotFound, "'" + word +
                                              "' is no manifest file, and no id or name in the "
                                              "catalogue; see 'holdfast ls'");
    }
    std::string ids;
    for (const KeptFile* file : found) ids += "\n  " + to_hex(file->id());
    return fail(ErrorCode::kInvalidArgument,
                "'" + word + "' means several files; give an id:" + ids);
}

Json kept_file_json(const KeptFile& file) {
    Json shards = Json::array();
    const std::uint64_t segments = file.manifest.segments_per_shard();
    for (std::size_t i = 0; i < file.shards.size(); ++i) {
        const KeptShard& shard = file.shards[i];
        shards.push_back({{"shard", i / segments},
                          {"segment", i % segments},
                          {"prover", to_hex(shard.prover)},
                          {"address", shard.address},
                          {"deposit", to_hex(shard.deposit)},
                          {"replica", shard.replica.is_zero() ? "" : to_hex(shard.replica)},
                          {"chain", shard.chain.is_zero() ? "" : to_hex(shard.chain)},
                          {"root", to_hex(file.manifest.roots[i])}});
    }
    return {{"id", to_hex(file.id())},
            {"name", file.name},
            {"bytes", file.plain_len},
            {"encrypted", file.scheme != KeptScheme::kPlain},
            {"data_shards", file.manifest.shape.data},
            {"parity_shards", file.manifest.shape.parity},
            {"shard_bytes", file.manifest.shard_len},
            {"counter", file.counter},
            {"owner", to_hex(file.owner)},
            {"network", to_hex(file.network)},
            {"shards", shards}};
}

}  // namespace holdfast::cli
