include(CMakePackageConfigHelpers)
# Headers named *_impl and *_lanes are shared by source files of one room and are nobody else's.
foreach(room ${HOLDFAST_ROOMS})
  install(TARGETS holdfast_${room} EXPORT holdfastTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/holdfast/${room}
          FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def"
          REGEX "_(impl|lanes)\\.hpp$" EXCLUDE)
endforeach()
install(EXPORT holdfastTargets NAMESPACE holdfast:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)
configure_package_config_file(cmake/holdfastConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/holdfastConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/holdfastConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/holdfastConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/holdfastConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)
