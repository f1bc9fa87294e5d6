# Lays the npm package out in STAGE; see CMakeLists.txt for the variables.
file(REMOVE_RECURSE ${STAGE})
set(binaries ${STAGE}/prebuilds/${PLATFORM})
file(MAKE_DIRECTORY ${binaries})
file(COPY ${SOURCE}/package.json ${SOURCE}/README.md ${SOURCE}/index.js ${SOURCE}/index.mjs
  ${SOURCE}/index.d.ts ${SOURCE}/lib ${SOURCE}/test ${SOURCE}/bench ${SOURCE}/build-from-source DESTINATION ${STAGE})
file(COPY ${ROOT}/LICENSE DESTINATION ${STAGE})
file(COPY ${ADDON} DESTINATION ${binaries})
file(COPY_FILE ${LIBRARY} ${binaries}/${LIBRARY_NAME})

find_program(DPKG_QUERY dpkg-query)
# What the library needs of the system beside the C and C++ run time, which Node.js needs as well.
file(GET_RUNTIME_DEPENDENCIES LIBRARIES ${LIBRARY} RESOLVED_DEPENDENCIES_VAR needed
  UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES "^lib(c|m|dl|rt|pthread|stdc[+][+]|gcc_s)[.]so" "^ld-linux")
if(missing)
  message(FATAL_ERROR "not found: ${missing}")
endif()
foreach(library ${needed})
  get_filename_component(name ${library} NAME)
  file(REAL_PATH ${library} file)
  file(COPY_FILE ${file} ${binaries}/${name})
  # Their licences ask for their notices beside them; Debian knows where these are.
  if(DPKG_QUERY)
    execute_process(COMMAND ${DPKG_QUERY} -S ${file} OUTPUT_VARIABLE owner OUTPUT_STRIP_TRAILING_WHITESPACE
      ERROR_QUIET)
    string(REGEX REPLACE ":.*" "" owner "${owner}")
    if(owner AND EXISTS /usr/share/doc/${owner}/copyright)
      file(COPY_FILE /usr/share/doc/${owner}/copyright ${binaries}/${name}.copyright)
    endif()
  endif()
endforeach()
if(STRIP)
  execute_process(COMMAND ${STRIP} --strip-unneeded ${binaries}/holdfast.node ${binaries}/${LIBRARY_NAME}
    COMMAND_ERROR_IS_FATAL ANY)
endif()
