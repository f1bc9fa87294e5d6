# A room is a folder, a static library holdfast_ROOM and an include path "ROOM/x.hpp".
# The one table of who may include whom; tests/layering checks every #include against it, and that every
# edge is used.
set(HOLDFAST_ROOMS core vdf proofs storage chunking callbacks embedded transport hierarchy clock settlement
  availability deposit keep follow api analysis)
set(HOLDFAST_DEPS_core "")
set(HOLDFAST_DEPS_vdf core)
set(HOLDFAST_DEPS_proofs core vdf)
set(HOLDFAST_DEPS_storage core proofs)
set(HOLDFAST_DEPS_chunking core storage)
set(HOLDFAST_DEPS_callbacks core)
set(HOLDFAST_DEPS_embedded core storage callbacks)
set(HOLDFAST_DEPS_transport core storage callbacks)
set(HOLDFAST_DEPS_hierarchy core vdf proofs storage)
set(HOLDFAST_DEPS_clock core vdf proofs storage callbacks embedded)
set(HOLDFAST_DEPS_settlement core vdf proofs storage callbacks hierarchy clock)
set(HOLDFAST_DEPS_availability core proofs storage chunking callbacks hierarchy)
set(HOLDFAST_DEPS_deposit core storage chunking availability)
set(HOLDFAST_DEPS_keep core storage chunking transport availability deposit)
set(HOLDFAST_DEPS_follow core vdf proofs storage callbacks hierarchy availability)
set(HOLDFAST_DEPS_api core vdf proofs storage chunking callbacks hierarchy clock settlement follow)
set(HOLDFAST_DEPS_analysis core vdf storage)
# Folders above the rooms; no room includes them.
set(HOLDFAST_CLIENTS json capi simulation conformance node cli examples adapters)
set(HOLDFAST_DEPS_json core vdf proofs storage chunking hierarchy settlement api)
set(HOLDFAST_DEPS_capi core vdf proofs storage chunking callbacks clock availability api json)
set(HOLDFAST_DEPS_simulation core proofs storage chunking embedded hierarchy api json)
set(HOLDFAST_DEPS_conformance core vdf proofs storage chunking hierarchy availability api)
set(HOLDFAST_DEPS_node core proofs storage chunking callbacks embedded transport hierarchy clock settlement availability deposit keep follow api json)
set(HOLDFAST_DEPS_cli core vdf proofs storage chunking callbacks embedded transport hierarchy clock settlement
  availability deposit keep api analysis json simulation conformance node)
set(HOLDFAST_DEPS_examples core proofs storage chunking api)
set(HOLDFAST_DEPS_adapters core callbacks)

# The trusted rooms: everything that a third party must trust to accept a proof, and nothing else. Pure
# functions of bytes and parameters: no disk, system, thread, clock, randomness, callback or floating point.
set(HOLDFAST_TRUSTED_ROOMS core vdf proofs)
# The files in them that ask the system for something: memory in huge pages for fills and arenas; the
# last words of a broken check.
set(HOLDFAST_TRUSTED_EXCEPTIONS core/fill_memory core/result)

add_library(holdfast_options INTERFACE)
target_compile_options(holdfast_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-qual -Wundef -Wimplicit-fallthrough
  # g++ 12 at -O3 sees an overlap in "x" + std::string that is not there.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${HOLDFAST_WERROR}>:-Werror>)
if(HOLDFAST_SANITIZE)
  # g++ takes the sanitizers' own branches for ways past an initialisation.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()

# What does the work is in the rooms and is optimised; commands, daemons and tests, files full of other
# libraries' templates, build in two thirds of the time without, under a sanitizer in half.
if(HOLDFAST_SANITIZE)
  set(HOLDFAST_LIGHT $<$<NOT:$<CONFIG:Debug>>:-O0>)
else()
  set(HOLDFAST_LIGHT $<$<NOT:$<CONFIG:Debug>>:-O1>)
endif()

# The quickest linker there is, where it is there: a test program with the sanitizers' tables links in a
# fraction of the time.
find_program(HOLDFAST_MOLD mold)
if(HOLDFAST_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Several sources as one (CMAKE_UNITY_BUILD): g++ 12 then takes a class with members from an anonymous
# namespace for one that other sources see, and what it inlines more of for overflows that are not there
# (of the short text inside a std::string). Without the unity it still looks for both.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(holdfast_options INTERFACE
    -Wno-subobject-linkage -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()

# The suffix of a kernel's file name is the instruction set that it alone is compiled for.
# Kernel files include C headers only: no std:: template may be instantiated under these flags.
# -O3 unrolls their small loops over arrays, which then live in registers: up to 1.6 times faster.
set(HOLDFAST_ISA_avx2 -O3 -mavx2 -mbmi2)
set(HOLDFAST_ISA_avx512 -O3 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mbmi2
  # g++ 12 takes its own header's _mm512_undefined_* for a mistake.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
set(HOLDFAST_ISA_shani -O3 -msha -msse4.1 -mssse3)

set(HOLDFAST_PARSED_ONCE <tl/expected.hpp> <algorithm> <array> <atomic> <chrono> <condition_variable>
  <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span> <string> <thread> <variant> <vector>)

function(holdfast_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
  endif()
  add_library(holdfast_${name} STATIC ${sources})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
    foreach(isa avx2 avx512 shani)
      foreach(file ${sources})
        if(file MATCHES "_${isa}\\.cpp$")
          set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${HOLDFAST_ISA_${isa}}"
            SKIP_PRECOMPILE_HEADERS ON)
        endif()
      endforeach()
    endforeach()
  endif()
  target_include_directories(holdfast_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/holdfast>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(holdfast_${name} PRIVATE $<BUILD_INTERFACE:holdfast_options> PUBLIC tl::expected)
  foreach(dep ${HOLDFAST_DEPS_${name}})
    target_link_libraries(holdfast_${name} PUBLIC holdfast_${dep})
  endforeach()
  # What nearly every source includes is parsed once, with the first room.
  if(name STREQUAL core)
    target_precompile_headers(holdfast_core PRIVATE ${HOLDFAST_PARSED_ONCE})
  else()
    target_precompile_headers(holdfast_${name} REUSE_FROM holdfast_core)
  endif()
  set_target_properties(holdfast_${name} PROPERTIES EXPORT_NAME ${name})
  add_library(holdfast::${name} ALIAS holdfast_${name})
endfunction()
