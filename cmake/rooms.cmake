# A room is a folder, a static library holdfast_ROOM and an include path "ROOM/x.hpp".
# The one table of who may include whom; tests/layering checks every #include against it.
set(HOLDFAST_ROOMS core vdf chunking callbacks proofs hierarchy api)
set(HOLDFAST_DEPS_core "")
set(HOLDFAST_DEPS_vdf core)
set(HOLDFAST_DEPS_chunking core)
set(HOLDFAST_DEPS_callbacks core)
set(HOLDFAST_DEPS_proofs core vdf chunking callbacks)
set(HOLDFAST_DEPS_hierarchy core vdf chunking callbacks proofs)
set(HOLDFAST_DEPS_api core vdf chunking callbacks proofs hierarchy)

add_library(holdfast_options INTERFACE)
target_compile_options(holdfast_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-qual -Wundef -Wimplicit-fallthrough
  $<$<BOOL:${HOLDFAST_WERROR}>:-Werror>)
if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()

# The suffix of a kernel's file name is the instruction set that it alone is compiled for.
# Kernel files include C headers only: no std:: template may be instantiated under these flags.
set(HOLDFAST_ISA_avx2 -mavx2 -mbmi2)
set(HOLDFAST_ISA_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mbmi2)
set(HOLDFAST_ISA_shani -msha -msse4.1 -mssse3)

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
          set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${HOLDFAST_ISA_${isa}}")
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
  set_target_properties(holdfast_${name} PROPERTIES EXPORT_NAME ${name})
  add_library(holdfast::${name} ALIAS holdfast_${name})
endfunction()
