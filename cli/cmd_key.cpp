// key encrypt, rotate-passphrase, show, backup, restore.

#include "cli/commands.hpp"
#include "storage/file.hpp"
#include "storage/key_encryption.hpp"
#include "storage/key_file.hpp"
#include "storage/paper_key.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t kMaxPaperFileBytes = 16 * 1024;

struct KeyArguments {
    std::string file;
    std::string out;
    PassphraseSource next;  // of the passphrase that takes the other's place
};

Output told_key(const std::string& file, const KeyPair& key) {
    Output out;
    out.field("file", file);
    out.field("public_key", to_hex(key.public_key()));
    return out;
}

CommandResult encrypt_key(const KeyArguments& arguments) {
    HOLDFAST_ASSIGN(form, form_of_key_file(arguments.file));
    if (form.form == KeyForm::kEncrypted) {
        return fail(ErrorCode::kInvalidArgument,
                    arguments.file +
                        " is encrypted already; for another passphrase: holdfast key "
                        "rotate-passphrase");
    }
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.file));
    HOLDFAST_ASSIGN(passphrase, new_passphrase(arguments.file));
    HOLDFAST_TRY(save_encrypted_key_pair(key, arguments.file, passphrase, true));
    Output out = told_key(arguments.file, key);
    out.line("the blocks that held the plain key may still be on the disk, and in its backups");
    return out;
}

CommandResult rotate_passphrase(const KeyArguments& arguments) {
    HOLDFAST_ASSIGN(form, form_of_key_file(arguments.file));
    if (form.form != KeyForm::kEncrypted) {
        return fail(ErrorCode::kInvalidArgument,
                    arguments.file + " has no passphrase; give it one: holdfast key encrypt");
    }
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.file));
    HOLDFAST_ASSIGN(passphrase, new_passphrase(arguments.file, arguments.next));
    HOLDFAST_TRY(save_encrypted_key_pair(key, arguments.file, passphrase, true));
    return told_key(arguments.file, key);
}

CommandResult show_key(const KeyArguments& arguments) {
    HOLDFAST_ASSIGN(form, form_of_key_file(arguments.file));
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.file));
    Output out = told_key(arguments.file, key);
    out.field("encrypted", form.form == KeyForm::kEncrypted);
    if (!form.cost.empty()) out.field("passphrase_cost", form.cost);
    return out;
}

CommandResult back_up_key(const KeyArguments& arguments) {
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.file));
    HOLDFAST_ASSIGN(paper, key_to_paper(key));
    HOLDFAST_TRY(write_file(arguments.out, view(std::string_view(paper)), false, 0600));
    Output out = told_key(arguments.out, key);
    out.line("whoever can read it has the key: print it, lock it away, remove the file");
    return out;
}

CommandResult restore_key(const KeyArguments& arguments) {
    HOLDFAST_ASSIGN(paper, read_file(arguments.file, kMaxPaperFileBytes));
    HOLDFAST_ASSIGN(key,
                    key_from_paper({reinterpret_cast<const char*>(paper.data()), paper.size()}));
    HOLDFAST_TRY(save_key_pair(key, arguments.out));
    return told_key(arguments.out, key);
}

}  // namespace

void add_key_commands(Commands& commands) {
    CLI::App* key = commands.app().add_subcommand("key", "key files: passphrases, paper backups");
    key->require_subcommand(1);
    const auto add = [&](const char* name, const char* what, const char* file_is) {
        auto arguments = std::make_shared<KeyArguments>();
        CLI::App* command = key->add_subcommand(name, what);
        command->add_option("file", arguments->file, file_is)->required();
        return std::pair(command, arguments);
    };
    const auto [encrypt, e] = add("encrypt", "put a key file under a passphrase", "key file");
    commands.run(encrypt, "  holdfast key encrypt alice.key\n",
                 [a = e] { return encrypt_key(*a); });
    const auto [rotate, r] =
        add("rotate-passphrase", "another passphrase for a key file", "key file");
    rotate->add_option("--new-passphrase-file", r->next.file, "file with the new one, mode 0600");
    rotate->add_option("--new-passphrase-fd", r->next.descriptor, "descriptor of the new one");
    commands.run(rotate, "  holdfast key rotate-passphrase alice.key\n",
                 [a = r] { return rotate_passphrase(*a); });
    const auto [show, s] = add("show", "the public key of a key file, and its form", "key file");
    commands.run(show, "  holdfast key show alice.key\n", [a = s] { return show_key(*a); });
    const auto [backup, b] = add("backup", "a key as text for paper", "key file");
    backup->add_option("--out", b->out, "file to make, mode 0600")->required();
    commands.run(backup, "  holdfast key backup alice.key --out alice.paper\n",
                 [a = b] { return back_up_key(*a); });
    const auto [restore, t] = add("restore", "a key file from a paper backup", "the typed text");
    restore->add_option("--out", t->out, "key file to make; never replaced")->required();
    commands.run(restore, "  holdfast key restore alice.paper --out alice.key\n",
                 [a = t] { return restore_key(*a); });
}

}  // namespace holdfast::cli
