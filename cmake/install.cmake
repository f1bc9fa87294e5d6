# What is installed, by component:
#   runtime   the shared library of the C ABI
#   dev       headers and static libraries of the rooms, for CMake; header, archive, pkg-config file of
#             the C ABI. What belongs to the C ABI is installed by capi/
#   command   `holdfast` and its manual page
#   doc       documents, API reference where scripts/api-reference has made it, examples
#   cmake --install build/release --component command --prefix /usr/local
include(CMakePackageConfigHelpers)
set(installed holdfast holdfast_shared holdfast_static)
# Headers named *_impl and *_lanes are shared by source files of one room and are nobody else's.
foreach(room ${HOLDFAST_ROOMS})
  install(TARGETS holdfast_${room} EXPORT holdfastTargets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
  list(APPEND installed holdfast_${room})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/holdfast/${room}
          COMPONENT dev FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def"
          REGEX "_(impl|lanes)\\.hpp$" EXCLUDE)
endforeach()
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)
install(EXPORT holdfastTargets NAMESPACE holdfast:: DESTINATION ${config_folder} COMPONENT dev)
configure_package_config_file(cmake/holdfastConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/holdfastConfig.cmake
  INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/holdfastConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/holdfastConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/holdfastConfigVersion.cmake
        DESTINATION ${config_folder} COMPONENT dev)

install(TARGETS holdfast RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
# The manual is what the command says of itself; a build that cannot run it has none.
find_package(Python3 QUIET COMPONENTS Interpreter)
if(Python3_FOUND AND NOT CMAKE_CROSSCOMPILING)
  set(manual ${CMAKE_CURRENT_BINARY_DIR}/holdfast.1.gz)
  add_custom_command(OUTPUT ${manual} VERBATIM DEPENDS holdfast ${PROJECT_SOURCE_DIR}/scripts/manual
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/manual $<TARGET_FILE:holdfast> ${manual})
  add_custom_target(manual ALL DEPENDS ${manual})
  list(APPEND installed manual)
  install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command)
endif()

add_custom_target(installed)  # everything that is installed, and nothing else
add_dependencies(installed ${installed})

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})  # of no component: Debian has the text
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/build/api-reference DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT doc OPTIONAL)

include(cmake/packages.cmake)
