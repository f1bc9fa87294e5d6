#include "storage/randomness.hpp"

#include <sys/random.h>
#include <sys/types.h>

#include <cerrno>

namespace holdfast {

Status random_bytes(MutByteView out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got = ::getrandom(out.data() + done, out.size() - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "the system's random source");
        done += static_cast<std::size_t>(got);
    }
    return {};
}

}  // namespace holdfast
