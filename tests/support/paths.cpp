#include "support/paths.hpp"

namespace holdfast::test {

const char* const kVectorsFolder = HOLDFAST_VECTORS;
const char* const kCommandProgram = HOLDFAST_CLI;

}  // namespace holdfast::test
