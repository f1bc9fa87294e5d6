#include "storage/mapped_file.hpp"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cstring>
#include <limits>

#include "storage/file.hpp"
#include "storage/process_limits.hpp"

namespace holdfast {
namespace {

namespace ipc = boost::interprocess;

/// A range that this thread is touching, and where to go on when a page of it cannot be had.
struct FaultGuard {
    const std::uint8_t* begin;
    const std::uint8_t* end;
    FaultGuard* outer;
    const std::uint8_t* volatile fault_address;
    sigjmp_buf resume;
};

// The only mutable process-wide state of the library: SIGBUS is delivered to one handler per
// process, so there is no smaller place for it. `t_guard` is written before the bytes are touched
// and read by the handler in the same thread. initial-exec: the handler's first access must not
// allocate.
thread_local FaultGuard* volatile t_guard [[gnu::tls_model("initial-exec")]] = nullptr;
struct sigaction g_previous_action;

void pass_on(int signal, siginfo_t* info, void* context) {
    if ((g_previous_action.sa_flags & SA_SIGINFO) != 0) {
        g_previous_action.sa_sigaction(signal, info, context);
        return;
    }
    if (g_previous_action.sa_handler != SIG_DFL && g_previous_action.sa_handler != SIG_IGN) {
        g_previous_action.sa_handler(signal);
        return;
    }
    if (info->si_code <= 0 && g_previous_action.sa_handler == SIG_IGN) return;
    // Nobody else wants it: back to the default, and the fault repeats with its true address.
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    ::sigaction(SIGBUS, &plain, nullptr);
    if (info->si_code <= 0) ::raise(SIGBUS);
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
    if (info->si_code > 0) {  // from the kernel, not from kill(2): si_addr means something
        const auto* address = static_cast<const std::uint8_t*>(info->si_addr);
        for (FaultGuard* guard = t_guard; guard != nullptr; guard = guard->outer) {
            if (address < guard->begin || address >= guard->end) continue;
            guard->fault_address = address;
            // The mask of the interrupted code: saving it in sigsetjmp would cost a system call at
            // every guarded read, this one only at a fault.
            const auto* interrupted = static_cast<const ucontext_t*>(context);
            ::pthread_sigmask(SIG_SETMASK, &interrupted->uc_sigmask, nullptr);
            ::siglongjmp(guard->resume, 1);
        }
    }
    pass_on(signal, info, context);
}

void install_handler_once() {
    static const bool installed = [] {
        struct sigaction action{};
        action.sa_sigaction = on_bus_error;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        ::sigemptyset(&action.sa_mask);
        return ::sigaction(SIGBUS, &action, &g_previous_action) == 0;
    }();
    HOLDFAST_CHECK(installed);
}

using GuardedCall = void (*)(void* context);

/// Runs call(context); false, with the address, when a page in [begin, end) could not be had.
/// The range is widened to whole pages: the kernel may report the start of the page.
[[gnu::noinline]] bool guarded_call(const std::uint8_t* begin, const std::uint8_t* end,
                                    GuardedCall call, void* context,
                                    const std::uint8_t** fault_address) {
    FaultGuard guard{begin, end, t_guard, nullptr, {}};
    if (sigsetjmp(guard.resume, 0) != 0) {
        t_guard = guard.outer;
        *fault_address = guard.fault_address;
        return false;
    }
    t_guard = &guard;
    call(context);
    t_guard = guard.outer;
    return true;
}

struct Copy {
    void* to;
    const void* from;
    std::size_t bytes;
};

void run_copy(void* context) {
    const auto* copy = static_cast<const Copy*>(context);
    std::memcpy(copy->to, copy->from, copy->bytes);
}

ipc::mapped_region::advice_types to_ipc(MappedFile::Advice advice) {
    switch (advice) {
        case MappedFile::Advice::kNormal:
            return ipc::mapped_region::advice_normal;
        case MappedFile::Advice::kSequential:
            return ipc::mapped_region::advice_sequential;
        case MappedFile::Advice::kRandom:
            return ipc::mapped_region::advice_random;
        case MappedFile::Advice::kWillNeed:
            return ipc::mapped_region::advice_willneed;
        case MappedFile::Advice::kDontNeed:
            return ipc::mapped_region::advice_dontneed;
    }
    return ipc::mapped_region::advice_normal;
}

}  // namespace

struct MappedFile::Impl {
    ipc::mapped_region region;
    std::filesystem::path path;
    Access access = Access::kRead;

    [[nodiscard]] std::uint8_t* data() const {
        return static_cast<std::uint8_t*>(region.get_address());
    }
    [[nodiscard]] Status check_range(std::uint64_t offset, std::uint64_t bytes) const {
        const std::uint64_t size = region.get_size();
        if (offset <= size && bytes <= size - offset) return {};
        return fail(ErrorCode::kInvalidArgument,
                    "bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                        " lie beyond the mapping of '" + path.string() + "' (" +
                        std::to_string(size) + " bytes)");
    }
    /// Runs `call` with faults in [offset, offset + bytes) turned into an error.
    [[nodiscard]] Status guarded(std::uint64_t offset, std::uint64_t bytes, GuardedCall call,
                                 void* context) const {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        const std::uint8_t* from = data() + offset;
        const std::size_t into_page = reinterpret_cast<std::uintptr_t>(from) % page;
        const std::uint8_t* fault = nullptr;
        if (guarded_call(from - into_page, from + bytes, call, context, &fault)) return {};
        const auto at = static_cast<std::uint64_t>(std::max(fault, from) - data());
        return fail(ErrorCode::kIo, "'" + path.string() +
                                        "' is unreadable or truncated under the map at byte " +
                                        std::to_string(at));
    }
};

MappedFile::MappedFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

Result<MappedFile> MappedFile::open(const std::filesystem::path& path, Access access) {
    install_handler_once();
    const bool writable = access == Access::kReadWrite;
    HOLDFAST_ASSIGN(file, File::open(path, writable ? File::Mode::kReadWrite : File::Mode::kRead));
    HOLDFAST_ASSIGN(size, file.size());
    if (size == 0) return fail(ErrorCode::kCorrupt, "'" + path.string() + "' is empty");
    if (size > std::numeric_limits<std::size_t>::max() / 2) {
        return fail(ErrorCode::kOutOfMemory, "'" + path.string() + "' is too large to map");
    }
    try {
        auto impl = std::make_unique<Impl>();
        impl->path = path;
        impl->access = access;
        const ipc::mode_t mode = writable ? ipc::read_write : ipc::read_only;
        // No descriptor of it is a standard one: File::open has occupied those.
        // The mapping object, and with it the descriptor, goes away here: the region stands alone.
        const ipc::file_mapping mapping(path.c_str(), mode);
        ipc::mapped_region region(mapping, mode, 0, static_cast<std::size_t>(size));
        impl->region.swap(region);
        return MappedFile(std::move(impl));
    } catch (const ipc::interprocess_exception& e) {
        const std::string what = "cannot map '" + path.string() + "'";
        if (e.get_native_error() == ENOMEM) return fail_map(what, size, "");
        return fail_errno(e.get_native_error(), what);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kOutOfMemory, "no memory to map '" + path.string() + "'");
    }
}

std::uint64_t MappedFile::size() const { return impl_ ? impl_->region.get_size() : 0; }

const std::filesystem::path& MappedFile::path() const {
    HOLDFAST_CHECK(impl_ != nullptr);
    return impl_->path;
}

Status MappedFile::read(std::uint64_t offset, MutByteView out) const {
    HOLDFAST_CHECK(impl_ != nullptr);
    HOLDFAST_TRY(impl_->check_range(offset, out.size()));
    if (out.empty()) return {};
    Copy copy{out.data(), impl_->data() + offset, out.size()};
    return impl_->guarded(offset, out.size(), run_copy, &copy);
}

Status MappedFile::write(std::uint64_t offset, ByteView bytes) {
    HOLDFAST_CHECK(impl_ != nullptr);
    if (impl_->access != Access::kReadWrite) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + impl_->path.string() + "' is mapped for reading only");
    }
    HOLDFAST_TRY(impl_->check_range(offset, bytes.size()));
    if (bytes.empty()) return {};
    Copy copy{impl_->data() + offset, bytes.data(), bytes.size()};
    return impl_->guarded(offset, bytes.size(), run_copy, &copy);
}

Status MappedFile::with_bytes(std::uint64_t offset, std::uint64_t length,
                              const std::function<void(ByteView)>& body) const {
    HOLDFAST_CHECK(impl_ != nullptr);
    HOLDFAST_TRY(impl_->check_range(offset, length));
    struct Visit {
        const std::function<void(ByteView)>* body;
        ByteView bytes;
    } visit{&body, {impl_->data() + offset, static_cast<std::size_t>(length)}};
    const auto run_visit = [](void* context) {
        const auto* v = static_cast<const Visit*>(context);
        (*v->body)(v->bytes);
    };
    return impl_->guarded(offset, length, run_visit, &visit);
}

Status MappedFile::flush() {
    HOLDFAST_CHECK(impl_ != nullptr);
    if (impl_->region.get_size() == 0) return {};
    if (!impl_->region.flush(0, 0, false)) {
        return fail(ErrorCode::kIo, "cannot write '" + impl_->path.string() + "' back");
    }
    return {};
}

Status MappedFile::advise(Advice advice) {
    HOLDFAST_CHECK(impl_ != nullptr);
    if (impl_->region.get_size() == 0) return {};
    if (!impl_->region.advise(to_ipc(advice))) {
        return fail(ErrorCode::kIo, "the system takes no advice on '" + impl_->path.string() + "'");
    }
    return {};
}

void MappedFile::prefetch(std::uint64_t offset, std::uint64_t length) const {
    if (offset >= size()) return;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t from = offset / page * page;  // the map itself begins on a page
    const std::uint64_t to = offset + std::min(length, size() - offset);
    ::madvise(impl_->data() + from, static_cast<std::size_t>(to - from), MADV_WILLNEED);
}

void MappedFile::unmap() {
    if (!impl_) return;
    ipc::mapped_region none;
    impl_->region.swap(none);
}

}  // namespace holdfast
