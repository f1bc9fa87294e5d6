// What the commands around kept files share: whose they are, where their catalogue is, which one.
#pragma once

#include <memory>
#include <string>

#include "cli/console.hpp"
#include "keep/catalogue.hpp"
#include "keep/provers.hpp"

namespace holdfast::cli {

struct KeepArguments {
    std::string key;        // the owner's key file
    std::string catalogue;  // folder; empty: beside the key
    void add_to(CLI::App* command);
    [[nodiscard]] std::filesystem::path folder() const;
};

/// The owner's key: the one place where these commands load it.
[[nodiscard]] Result<KeyPair> load_owner(const KeepArguments& arguments);

/// `word`: a manifest file, or a file of the catalogue by its id, the beginning of it, or its name,
/// which a file that is no manifest may bear as well.
/// kInvalidArgument where several are meant, kNotFound.
[[nodiscard]] Result<KeptFile> find_kept_file(const std::string& word,
                                              const KeepArguments& arguments,
                                              const PublicKey& owner);

/// The manifest as a user reads it, and as --json has it.
[[nodiscard]] Json kept_file_json(const KeptFile& file);

}  // namespace holdfast::cli
