// Passphrases of key files: from a file, a descriptor or the terminal, never from an argument,
// which other users of the machine can read.
//
// A process says once where they come from; whatever loads a key asks here. A library that was told
// nothing has none, so that it never waits at a terminal. A passphrase is one line, 1 to 1,024
// bytes; its line end is no part of it. It is wiped when it goes out of scope and stands in no
// error. Threading: any thread; one that asks at the terminal makes the others wait.
// Spec: docs/spec.md section 12, key files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/result.hpp"

namespace holdfast {

/// Text that is wiped when it goes.
class Passphrase {
  public:
    explicit Passphrase(std::string text) : text_(std::move(text)) {}
    Passphrase(Passphrase&& other) noexcept;
    Passphrase& operator=(Passphrase&& other) noexcept;
    Passphrase(const Passphrase& other) = default;
    Passphrase& operator=(const Passphrase&) = delete;
    ~Passphrase();
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    void wipe();
    std::string text_;
};

inline constexpr std::size_t kMaxPassphraseBytes = 1'024;

/// Where passphrases come from; the first that is set.
struct PassphraseSource {
    std::filesystem::path file;     // that nobody else may read
    std::optional<int> descriptor;  // read once, to its end or the end of its first line
    bool terminal = false;          // asked at /dev/tty, without echo
};

/// For the rest of this process.
void use_passphrases(PassphraseSource source);
/// The passphrase of a key file. kPermission: there is no source, or its file may be read by
/// others; kInvalidArgument: empty or too long; kNotFound, kIo.
[[nodiscard]] Result<Passphrase> passphrase_of(const std::filesystem::path& key_file);
/// For a key file that is made: as passphrase_of, but asked twice at the terminal.
[[nodiscard]] Result<Passphrase> new_passphrase(const std::filesystem::path& key_file);
/// The same from a source of its own, for a passphrase that takes another's place.
[[nodiscard]] Result<Passphrase> new_passphrase(const std::filesystem::path& key_file,
                                                const PassphraseSource& source);

}  // namespace holdfast
