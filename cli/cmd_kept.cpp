// ls, info, rm, catalogue export|merge: what an owner keeps.

#include "cli/commands.hpp"
#include "cli/keep_options.hpp"
#include "deposit/client.hpp"
#include "storage/file.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t kMaxExportBytes = std::uint64_t{1} << 30;

struct KeptArguments {
    KeepArguments keep;
    std::string word;  // a file, an export
    std::string out;
    bool removed = false;
    bool yes = false;
};

CommandResult list(const KeptArguments& arguments) {
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(catalogue,
                    Catalogue::open_for_reading(arguments.keep.folder(), owner.public_key()));
    HOLDFAST_ASSIGN(entries, catalogue->entries());
    Output out;
    Json files = Json::array();
    Json removed = Json::array();
    for (const auto& [id, entry] : entries) {
        if (const auto* file = std::get_if<KeptFile>(&entry)) {
            files.push_back(kept_file_json(*file));
            out.line(to_hex(id).substr(0, 16) + "  " + format_bytes(file->plain_len) + "  " +
                     std::to_string(file->manifest.shape.data) + "+" +
                     std::to_string(file->manifest.shape.parity) + "  " +
                     (file->scheme == KeptScheme::kPlain ? "PLAIN  " : "") + file->name);
        } else if (arguments.removed) {
            removed.push_back({{"id", to_hex(id)}, {"counter", entry_counter(entry)}});
            out.line(to_hex(id).substr(0, 16) + "  removed");
        }
    }
    out.json["files"] = files;
    if (arguments.removed) out.json["removed"] = removed;
    return out;
}

CommandResult info(const KeptArguments& arguments) {
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(file, find_kept_file(arguments.word, arguments.keep, owner.public_key()));
    Output out;
    Json json = kept_file_json(file);
    const Json shards = json["shards"];
    json.erase("shards");
    out.fields(json);
    out.json["shards"] = shards;
    for (const Json& shard : shards) {
        out.line("shard " + std::to_string(shard["shard"].get<std::uint64_t>()) + "." +
                 std::to_string(shard["segment"].get<std::uint64_t>()) + ": " +
                 shard["prover"].get<std::string>() + "@" + shard["address"].get<std::string>() +
                 (shard["chain"].get<std::string>().empty()
                      ? ", not registered when the manifest was made"
                      : ", chain " + shard["chain"].get<std::string>()));
    }
    if (!arguments.out.empty()) {
        HOLDFAST_TRY(write_kept_file(arguments.out, file));
        out.field("manifest", arguments.out);
    }
    return out;
}

/// The provers are told; those that cannot be reached are named, and told by doing it again.
CommandResult remove(const KeptArguments& arguments) {
    if (!arguments.yes) {
        return fail(ErrorCode::kInvalidArgument,
                    "this ends the file for good, at every prover: say --yes");
    }
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(file, find_kept_file(arguments.word, arguments.keep, owner.public_key()));
    if (file.owner != owner.public_key()) {
        return fail(ErrorCode::kPermission, "the file belongs to " + to_hex(file.owner));
    }
    HOLDFAST_ASSIGN(catalogue, Catalogue::open(arguments.keep.folder(), owner.public_key()));
    TcpProversOptions tcp;
    tcp.stop = stop_requested();
    HOLDFAST_ASSIGN(provers, TcpProvers::start(owner, file.network, tcp));
    DepositClientOptions client;
    client.patience_ms = 5'000;
    client.stop = stop_requested();
    Output out;
    Json left = Json::array();
    for (const KeptShard& shard : file.shards) {
        const DepositClient prover(file.network, shard.prover, owner,
                                   provers->asker()({shard.prover, shard.address, {}}), client);
        const Result<DepositState> gone = prover.remove(shard.deposit, file.counter + 1);
        if (gone || gone.error().code == ErrorCode::kNotFound) continue;
        if (gone.error().code == ErrorCode::kInterrupted) return fail(gone.error());
        left.push_back({{"prover", to_hex(shard.prover)}, {"why", gone.error().message}});
        out.line("not told: prover " + to_hex(shard.prover) + ": " + gone.error().message);
    }
    out.json["id"] = to_hex(file.id());
    out.json["not_told"] = left;
    if (!left.empty()) {
        // The entry stays: without it nobody would know whom to tell.
        out.exit_code = kExitEnvironment;
        out.line("it stays in the catalogue until all are told: do it again");
        return out;
    }
    KeptRemoval removal;
    removal.network = file.network;
    removal.file = file.id();
    removal.counter = file.counter + 1;
    HOLDFAST_TRY(removal.sign(owner));
    HOLDFAST_TRY(catalogue->take(removal));
    out.line("removed at all " + std::to_string(file.shards.size()) + " deposits");
    return out;
}

CommandResult export_catalogue(const KeptArguments& arguments) {
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(catalogue,
                    Catalogue::open_for_reading(arguments.keep.folder(), owner.public_key()));
    HOLDFAST_ASSIGN(entries, catalogue->entries());
    HOLDFAST_TRY(write_file(arguments.out, encode_catalogue(entries), true, 0600));
    Output out;
    out.field("file", arguments.out);
    out.field("entries", entries.size());
    out.line("keep it as any file: 'holdfast put' encrypts it");
    return out;
}

CommandResult merge_catalogue(const KeptArguments& arguments) {
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(object, read_file(arguments.word, kMaxExportBytes));
    const auto entries = decode_catalogue(object, owner.public_key());
    if (!entries) return fail_refused(entries.error(), arguments.word);
    HOLDFAST_ASSIGN(catalogue, Catalogue::open(arguments.keep.folder(), owner.public_key()));
    HOLDFAST_ASSIGN(taken, catalogue->merge(*entries));
    Output out;
    out.field("entries", entries->size());
    out.field("taken", taken);
    return out;
}

}  // namespace

void add_kept_commands(Commands& commands) {
    CLI::App& app = commands.app();
    auto a = std::make_shared<KeptArguments>();
    CLI::App* ls = app.add_subcommand("ls", "what the owner keeps with provers");
    a->keep.add_to(ls);
    ls->add_flag("--removed", a->removed, "what was removed, too");
    commands.run(ls, "  holdfast ls --key me.key\n", [a] { return list(*a); });

    auto i = std::make_shared<KeptArguments>();
    CLI::App* information = app.add_subcommand("info", "one kept file: where its shards are");
    information->add_option("file", i->word, "its manifest, or its id or name")->required();
    i->keep.add_to(information);
    information->add_option("-o,--out", i->out, "write its manifest as a file");
    commands.run(information, "  holdfast info film.mkv --key me.key --out film.mkv.kept\n",
                 [i] { return info(*i); });

    auto r = std::make_shared<KeptArguments>();
    CLI::App* rm = app.add_subcommand("rm", "keep a file no longer: all its provers are told");
    rm->add_option("file", r->word, "its manifest, or its id or name")->required();
    r->keep.add_to(rm);
    rm->add_flag("--yes", r->yes, "yes, for good");
    commands.run(rm, "  holdfast rm film.mkv --key me.key --yes\n", [r] { return remove(*r); });

    CLI::App* catalogue =
        app.add_subcommand("catalogue", "the catalogue of kept files, between devices");
    catalogue->require_subcommand(1);
    auto e = std::make_shared<KeptArguments>();
    CLI::App* out = catalogue->add_subcommand("export", "write all of it to a file");
    e->keep.add_to(out);
    out->add_option("-o,--out", e->out, "the file")->required();
    commands.run(out, "  holdfast catalogue export --key me.key --out all.catalogue\n",
                 [e] { return export_catalogue(*e); });
    auto m = std::make_shared<KeptArguments>();
    CLI::App* merge = catalogue->add_subcommand("merge", "take what another device knows newer");
    merge->add_option("file", m->word, "what export wrote there")->required();
    m->keep.add_to(merge);
    commands.run(merge, "  holdfast catalogue merge all.catalogue --key me.key\n",
                 [m] { return merge_catalogue(*m); });
}

}  // namespace holdfast::cli
