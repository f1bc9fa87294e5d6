# Debian packages, one for each component of cmake/install.cmake: scripts/package builds them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR Holdfast)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL runtime dev command doc)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# Whoever hands packages on answers for them; the default names nobody (RFC 2606: no mail arrives there).
set(HOLDFAST_PACKAGE_MAINTAINER "Unofficial Holdfast build <nobody@example.org>" CACHE STRING
    "Maintainer of the Debian packages: Name <address>")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${HOLDFAST_PACKAGE_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY >=)
set(debian_version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")

# holdfast_package(COMPONENT NAME SECTION SUMMARY DESCRIPTION): with the files that Debian wants of
# each. They are installed with their component alone, never by `cmake --install` of everything.
function(holdfast_package component name section summary description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${description}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${description}" PARENT_SCOPE)
  set(folder ${CMAKE_INSTALL_DATAROOTDIR}/doc/${name})
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/copyright DESTINATION ${folder}
          COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${PROJECT_BINARY_DIR}/changelog.Debian.gz DESTINATION ${folder}
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

set(what "Holdfast lets somebody who stores another's data prove, block after block of a
 blockchain, that the data are still there, whole, in a copy of their own;
 anybody can check that in a fraction of a millisecond, without the data.")
get_target_property(soversion holdfast_shared SOVERSION)
holdfast_package(runtime libholdfast${soversion} libs "proof of storage (shared library)"
  "${what}\n\n This package holds the library that programs in C and other languages call.")
holdfast_package(dev libholdfast-dev libdevel "proof of storage (development files)"
  "${what}\n\n This package holds headers, static libraries, CMake and pkg-config files.")
holdfast_package(command holdfast utils "proof of storage (command and daemons)"
  "${what}\n\n This package holds the command `holdfast`: sealing, proving, verifying, the\n daemons of nodes, provers and challengers, and their tools.")
holdfast_package(doc holdfast-doc doc "proof of storage (documents and API reference)"
  "${what}\n\n This package holds the specification, the documents, the reference of the\n libraries, and examples.")
set(CPACK_DEBIAN_DOC_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# Debian wants dpkg's trigger for ldconfig; CPack's own scripts call it, too.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/triggers)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SUGGESTS holdfast-doc)
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "holdfast-doc, cmake, pkg-config")
# What cmake/holdfastConfig.cmake.in looks for.
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libholdfast${soversion} (= ${debian_version}), libboost-dev (>= 1.74), libexpected-dev, libisal-dev, liblmdb-dev, libssl-dev, libtbb-dev, nlohmann-json3-dev")
if(uring_FOUND)
  string(APPEND CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ", liburing-dev")
endif()

string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # SOURCE_DATE_EPOCH where it is set
configure_file(${PROJECT_SOURCE_DIR}/packaging/changelog.in ${PROJECT_BINARY_DIR}/changelog.Debian @ONLY)
execute_process(COMMAND gzip -9nc ${PROJECT_BINARY_DIR}/changelog.Debian
                OUTPUT_FILE ${PROJECT_BINARY_DIR}/changelog.Debian.gz)
include(CPack)
