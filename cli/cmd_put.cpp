// put: a file, encrypted and coded, with provers; each shard with one of its own.

#include <unistd.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/keep_options.hpp"
#include "cli/workspace.hpp"
#include "keep/put.hpp"

namespace holdfast::cli {
namespace {

struct PutArguments {
    KeepArguments keep;
    std::string file;
    std::string params;
    std::vector<std::string> to;
    unsigned data = 4;
    unsigned parity = 2;
    std::string out;
    std::optional<std::string> name;
    bool no_encrypt = false;
    bool no_wait = false;
    bool yes = false;
    bool cold = false;
    double patience = 60;
};

std::string terms_text(const PutArguments& arguments, std::span<const PutOffer> offers) {
    std::string text = "What the provers ask and offer:\n";
    for (const PutOffer& offer : offers) {
        const DepositTerms& terms = offer.terms;
        text += "  shard " + std::to_string(offer.shard) + ": " +
                to_hex(offer.prover.key).substr(0, 16) + "@" + offer.prover.address + ", price " +
                std::to_string(terms.price) + " a GiB and 1,000 heights, until height " +
                std::to_string(terms.until.value) + ", " +
                (terms.hot ? "readable at once" : "readable after unsealing alone") +
                ", upload within " + std::to_string(terms.upload_s) + " s\n";
    }
    text += arguments.no_encrypt
                ? "The file is NOT encrypted: every prover can read its shard, and whoever has " +
                      std::to_string(arguments.data) + " shards all of it.\n"
                : "The file is encrypted with a key of the owner's: without the key file nobody "
                  "reads it, the owner included.\n";
    return text + "The prices are shown and not paid by this program.\n";
}

/// Before anything is sent. Without --yes only somebody at a terminal agrees.
bool ask_to_agree(const PutArguments& arguments, std::span<const PutOffer> offers) {
    std::cerr << terms_text(arguments, offers);
    if (arguments.yes) return true;
    std::cerr << "Go on? [y/N] " << std::flush;
    std::string answer;
    return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

Result<PutOptions> options_of(const PutArguments& arguments) {
    if (arguments.data < 1 || arguments.data > 255 || arguments.parity > 254 ||
        arguments.data + arguments.parity > 255) {
        return fail(ErrorCode::kInvalidArgument,
                    "--data is at least 1, and --data and --parity together at most 255");
    }
    if (!(arguments.patience > 0) || arguments.patience > 86'400) {
        return fail(ErrorCode::kInvalidArgument, "--patience is above 0 and at most 86400 seconds");
    }
    if (!arguments.yes && ::isatty(STDIN_FILENO) == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "nobody is at a terminal to agree to the provers' terms: say --yes");
    }
    PutOptions options;
    options.shape = {static_cast<std::uint8_t>(arguments.data),
                     static_cast<std::uint8_t>(arguments.parity)};
    options.encrypt = !arguments.no_encrypt;
    options.name =
        arguments.name.value_or(std::filesystem::path(arguments.file).filename().string());
    options.wait = !arguments.no_wait;
    options.need_hot = !arguments.cold;
    options.patience_ms = static_cast<std::uint32_t>(arguments.patience * 1'000);
    options.stop = stop_requested();
    return options;
}

CommandResult put(const Globals& globals, const PutArguments& arguments) {
    HOLDFAST_ASSIGN(options, options_of(arguments));
    const std::string out = arguments.out.empty() ? arguments.file + ".kept" : arguments.out;
    std::error_code none;
    if (std::filesystem::exists(out, none)) {
        return fail(
            ErrorCode::kAlreadyExists,
            "'" + out +
                "' exists already: the manifest of an earlier put? 'holdfast "
                "status' says how that file stands; to keep another copy, name another --out");
    }
    std::vector<ProverAddress> candidates;
    for (const std::string& word : arguments.to) {
        HOLDFAST_ASSIGN(prover, parse_prover_address(word));
        candidates.push_back(std::move(prover));
    }
    HOLDFAST_ASSIGN(params, read_network(arguments.params));
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(catalogue, Catalogue::open(arguments.keep.folder(), owner.public_key()));
    TcpProversOptions tcp;
    tcp.stop = options.stop;
    HOLDFAST_ASSIGN(provers, TcpProvers::start(owner, params.id(), tcp));
    options.agree = [&](std::span<const PutOffer> offers) {
        return ask_to_agree(arguments, offers);
    };
    PhaseProgress progress(globals, "B");
    std::mutex one_at_a_time;
    options.progress = [&](const std::string& phase, std::uint64_t done, std::uint64_t total) {
        const std::lock_guard lock(one_at_a_time);
        progress(phase, done, total);
    };
    HOLDFAST_ASSIGN(report,
                    put_file(arguments.file, owner, params.id(), candidates, provers->asker(),
                             *catalogue, put_journals(arguments.keep.folder()), options));
    progress.finish();
    HOLDFAST_TRY(write_kept_file(out, report.file));
    Output output;
    output.field("manifest", out);
    output.field("id", to_hex(report.file.id()));
    output.field("bytes", report.file.plain_len);
    output.field("encrypted", report.file.scheme != KeptScheme::kPlain);
    output.field("sent_bytes", report.sent_bytes);
    output.field("proven", report.proven);
    output.json["file"] = kept_file_json(report.file);
    output.json["resumed"] = report.resumed;
    output.json["started_over"] = report.started_over;
    if (report.started_over) {
        output.line(
            "an earlier put of this file could not go on: it was begun anew, with a key of "
            "its own");
    }
    output.line("any " + std::to_string(arguments.data) + " of " +
                std::to_string(options.shape.shards()) +
                " shards give the file back; keep the manifest and the owner's key: that is all "
                "it takes");
    return output;
}

}  // namespace

void add_put_command(Commands& commands) {
    auto a = std::make_shared<PutArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "put", "keep a file with provers: encrypted, any --data of its shards give it back");
    command->add_option("file", a->file, "the file")->required();
    command
        ->add_option("--to", a->to,
                     "provers, KEY@HOST:PORT or KEY@HOST:PORT=PLACE; one for each shard and more "
                     "to choose from; never two at one place")
        ->required();
    a->keep.add_to(command);
    command->add_option("-p,--params", a->params, "network.params, or a folder that holds it")
        ->required();
    command->add_option("--data", a->data, "shards that are needed")->capture_default_str();
    command->add_option("--parity", a->parity, "shards that may be lost")->capture_default_str();
    command->add_option("-o,--out", a->out, "the manifest (default: FILE.kept)");
    command->add_option("--name", a->name, "the name in manifest and catalogue");
    command->add_flag("--no-encrypt", a->no_encrypt, "provers can read what they keep");
    command->add_flag("--no-wait", a->no_wait, "return when all is sent, not when all is proven");
    command->add_flag("--yes", a->yes, "agree to the terms that are shown");
    command->add_flag("--cold", a->cold, "take provers, too, that keep sealed data alone");
    command->add_option("--patience", a->patience, "seconds without an answer of a prover")
        ->capture_default_str();
    commands.run(command,
                 "  holdfast put film.mkv --key me.key --params network.params --to "
                 "KEY1@10.0.0.1:9001=Vienna KEY2@10.0.0.2:9001=Oslo ...\n"
                 "  Stopped or killed, the same command goes on where it was.\n",
                 [&commands, a] { return put(commands.globals(), *a); });
}

}  // namespace holdfast::cli
