// Where tests find what they read and run. Defined in one small file, compiled once for all test
// programs, so that no other source depends on where the tree lies.
#pragma once

namespace holdfast::test {

extern const char* const kVectorsFolder;   // tests/vectors
extern const char* const kCommandProgram;  // the `holdfast` command

}  // namespace holdfast::test
