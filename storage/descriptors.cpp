#include "storage/descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast {

void occupy_standard_descriptors() {
    for (int wanted = 0; wanted <= 2; ++wanted) {
        if (::fcntl(wanted, F_GETFD) != -1 || errno != EBADF) continue;
        // Without O_CLOEXEC, like any standard stream: a program that is started inherits it. The
        // lowest free number is the wanted one, unless another thread has just taken it.
        // For reading alone: what is written to a stream that was closed fails, and so is known to
        // be lost.
        const int opened = ::open("/dev/null", O_RDONLY | O_NOCTTY);
        if (opened < 0) return;
        if (!is_standard_descriptor(opened)) ::close(opened);
    }
}

int above_standard_descriptors(int descriptor) {
    if (!is_standard_descriptor(descriptor)) return descriptor;
    const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    const int error_number = errno;
    ::close(descriptor);
    errno = error_number;
    return moved;
}

}  // namespace holdfast
