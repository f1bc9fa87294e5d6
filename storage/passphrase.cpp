#include "storage/passphrase.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>

#include "storage/file.hpp"

namespace holdfast {
namespace {

/// What the process was told, and what came of it: a descriptor can be read once.
struct ToldPassphrases {
    std::mutex mutex;
    PassphraseSource source;
    std::optional<Passphrase> read;  // from the file or the descriptor
};

ToldPassphrases& told() {
    static ToldPassphrases instance;
    return instance;
}

/// The first line of what a descriptor gives.
Result<Passphrase> first_line(int descriptor, const std::string& name) {
    std::array<char, kMaxPassphraseBytes + 2> bytes{};
    std::size_t length = 0;
    std::optional<int> failed;
    while (length < bytes.size()) {
        const ssize_t n = ::read(descriptor, bytes.data() + length, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) failed = errno;
        if (n <= 0 || bytes[length] == '\n') break;
        ++length;
    }
    if (length > 0 && bytes[length - 1] == '\r') --length;
    Passphrase out(std::string(bytes.data(), length));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (failed) return fail_errno(*failed, "cannot read the passphrase from " + name);
    if (length == 0 || length > kMaxPassphraseBytes) {
        return fail(ErrorCode::kInvalidArgument, "the passphrase from " + name +
                                                     " is empty or longer than 1024 bytes; it is "
                                                     "one line");
    }
    return out;
}

Result<Passphrase> from_file(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    struct stat info{};
    if (::fstat(file.descriptor(), &info) != 0) return fail_errno(errno, path.string());
    if (S_ISREG(info.st_mode) && (info.st_mode & 077) != 0) {
        return fail(
            ErrorCode::kPermission,
            path.string() + ": others can read this passphrase; run: chmod 600 " + path.string());
    }
    return first_line(file.descriptor(), path.string());
}

/// The terminal without echo, as it was before at the end.
class QuietTerminal {
  public:
    static Result<QuietTerminal> open() {
        const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) return fail_errno(errno, "/dev/tty");
        return QuietTerminal(fd);
    }
    QuietTerminal(QuietTerminal&& other) noexcept : fd_(other.fd_), before_(other.before_) {
        other.fd_ = -1;
    }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;
    ~QuietTerminal() {
        if (fd_ < 0) return;
        ::tcsetattr(fd_, TCSAFLUSH, &before_);
        ::close(fd_);
    }
    Result<Passphrase> ask(const std::string& question) {
        say(question + ": ");
        Result<Passphrase> out = first_line(fd_, "the terminal");
        say("\n");
        return out;
    }

  private:
    explicit QuietTerminal(int fd) : fd_(fd) {
        ::tcgetattr(fd_, &before_);
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(fd_, TCSAFLUSH, &quiet);
    }
    void say(const std::string& text) const {
        [[maybe_unused]] const ssize_t n = ::write(fd_, text.data(), text.size());
    }
    int fd_;
    termios before_{};
};

Result<Passphrase> from_terminal(const std::filesystem::path& key_file, bool is_new) {
    Result<QuietTerminal> terminal = QuietTerminal::open();
    if (!terminal) {
        return fail(ErrorCode::kPermission,
                    key_file.string() +
                        " has a passphrase and there is no terminal to ask at: give "
                        "--passphrase-file or --passphrase-fd");
    }
    const std::string what = "assphrase of " + key_file.string();
    HOLDFAST_ASSIGN(first, terminal->ask((is_new ? "New p" : "P") + what));
    if (!is_new) return first;
    HOLDFAST_ASSIGN(second, terminal->ask("The same again"));
    if (first.text() == second.text()) return first;
    return fail(ErrorCode::kInvalidArgument, "the two passphrases differ; nothing was written");
}

Result<Passphrase> read_passphrase(const PassphraseSource& source) {
    if (!source.file.empty()) return from_file(source.file);
    return first_line(*source.descriptor, "descriptor " + std::to_string(*source.descriptor));
}

Result<Passphrase> told_passphrase(const std::filesystem::path& key_file, bool is_new) {
    ToldPassphrases& all = told();
    const std::lock_guard lock(all.mutex);
    if (all.read) return *all.read;
    if (!all.source.file.empty() || all.source.descriptor) {
        HOLDFAST_ASSIGN(read, read_passphrase(all.source));
        all.read.emplace(std::move(read));
        return *all.read;
    }
    if (all.source.terminal) return from_terminal(key_file, is_new);
    return fail(ErrorCode::kPermission, key_file.string() +
                                            " has a passphrase, and this process was not told "
                                            "where passphrases come from");
}

}  // namespace

Passphrase::Passphrase(Passphrase&& other) noexcept : text_(other.text_) { other.wipe(); }
Passphrase& Passphrase::operator=(Passphrase&& other) noexcept {
    if (this == &other) return *this;
    wipe();
    text_ = other.text_;
    other.wipe();
    return *this;
}
Passphrase::~Passphrase() { wipe(); }
void Passphrase::wipe() {
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
}

void use_passphrases(PassphraseSource source) {
    ToldPassphrases& all = told();
    const std::lock_guard lock(all.mutex);
    all.source = std::move(source);
    all.read.reset();
}

Result<Passphrase> passphrase_of(const std::filesystem::path& key_file) {
    return told_passphrase(key_file, false);
}
Result<Passphrase> new_passphrase(const std::filesystem::path& key_file) {
    return told_passphrase(key_file, true);
}
Result<Passphrase> new_passphrase(const std::filesystem::path& key_file,
                                  const PassphraseSource& source) {
    if (!source.file.empty() || source.descriptor) return read_passphrase(source);
    return from_terminal(key_file, true);
}

}  // namespace holdfast
