# Writes OUT, a source that says from which commit SOURCE is built: 40 hexadecimal digits, with
# "-modified" behind them where tracked files differ from it, or "unknown" outside of a git checkout.
# OUT is left alone when it says so already: a build then compiles nothing.
#
#   cmake -DSOURCE=FOLDER -DOUT=FILE [-DGIT=PROGRAM] -P cmake/build_info.cmake
set(commit unknown)
if(GIT)
  # An unpacked tarball may lie within somebody else's checkout.
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-prefix
    OUTPUT_VARIABLE prefix ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed EQUAL 0 AND prefix STREQUAL "")
    execute_process(COMMAND ${GIT} -C ${SOURCE} --no-optional-locks describe --always --abbrev=40
      --exclude=* --dirty=-modified
      OUTPUT_VARIABLE described ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed EQUAL 0 AND described MATCHES "^[0-9a-f]+(-modified)?$")
      set(commit ${described})
    endif()
  endif()
endif()
set(text "extern const char* const kBuildCommit;\nconst char* const kBuildCommit = \"${commit}\";\n")
set(before)
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUT} "${text}")
endif()
