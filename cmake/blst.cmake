# blst (pairings on BLS12-381) for adapters/drand: the target holdfast_blst where it is to be had, and in HOLDFAST_DRAND
# one line that says where from, or why there is none. In this order:
#   1. the system's library and header;
#   2. its sources in the folder HOLDFAST_BLST (a checkout of blst, or the folder of npm's package c-kzg);
#   3. HOLDFAST_BLST=npm: the sources inside npm's package c-kzg, fetched now.
# HOLDFAST_BLST is the option or, where that is empty, the environment variable.
set(HOLDFAST_BLST "" CACHE STRING "Sources of blst for the drand adapter: a folder, or npm")
if(HOLDFAST_BLST STREQUAL "" AND NOT "$ENV{HOLDFAST_BLST}" STREQUAL "")
  set_property(CACHE HOLDFAST_BLST PROPERTY VALUE "$ENV{HOLDFAST_BLST}")
endif()
set(blst_version 4.1.0)  # of c-kzg

find_path(HOLDFAST_BLST_HEADER blst.h)
find_library(HOLDFAST_BLST_LIBRARY blst)
set(blst_sources)
if(HOLDFAST_BLST_HEADER AND HOLDFAST_BLST_LIBRARY)
  add_library(holdfast_blst INTERFACE)
  target_include_directories(holdfast_blst SYSTEM INTERFACE ${HOLDFAST_BLST_HEADER})
  target_link_libraries(holdfast_blst INTERFACE ${HOLDFAST_BLST_LIBRARY})
  set(HOLDFAST_DRAND "with the system's blst")
elseif(HOLDFAST_BLST STREQUAL "")
  set(HOLDFAST_DRAND "absent: no blst on this system, and HOLDFAST_BLST names no sources")
else()
  set(blst_folder ${HOLDFAST_BLST})
  if(HOLDFAST_BLST STREQUAL "npm")
    set(blst_folder ${CMAKE_BINARY_DIR}/c-kzg/node_modules/c-kzg)
    find_program(HOLDFAST_NPM npm)
    if(HOLDFAST_NPM AND NOT EXISTS ${blst_folder}/deps/blst/src/server.c)
      execute_process(COMMAND ${HOLDFAST_NPM} install --prefix ${CMAKE_BINARY_DIR}/c-kzg --ignore-scripts
          --no-audit --no-fund --loglevel=error c-kzg@${blst_version}
        OUTPUT_QUIET TIMEOUT 120)
    endif()
  endif()
  foreach(folder ${blst_folder} ${blst_folder}/deps/blst)
    if(EXISTS ${folder}/src/server.c AND EXISTS ${folder}/build/assembly.S)
      set(blst_sources ${folder})
    endif()
  endforeach()
  if(NOT blst_sources)
    set(HOLDFAST_DRAND "absent: no sources of blst in '${blst_folder}'")
  endif()
endif()
if(blst_sources)
  enable_language(ASM)
  add_library(holdfast_blst STATIC ${blst_sources}/src/server.c ${blst_sources}/build/assembly.S)
  target_include_directories(holdfast_blst SYSTEM PUBLIC ${blst_sources}/bindings)
  # Without the newest multiplications, which not every machine has.
  target_compile_definitions(holdfast_blst PRIVATE __BLST_PORTABLE__)
  # Foreign C beside assembler, which sanitizers cannot follow.
  target_compile_options(holdfast_blst PRIVATE -O2 -w -fno-sanitize=all)
  set_target_properties(holdfast_blst PROPERTIES UNITY_BUILD OFF)
  set(HOLDFAST_DRAND "with blst from its sources")
endif()

if(TARGET holdfast_blst)
  find_package(CURL)
  if(NOT CURL_FOUND)
    set(HOLDFAST_DRAND "absent: no libcurl")
  endif()
endif()
message(STATUS "drand adapter: ${HOLDFAST_DRAND}")
