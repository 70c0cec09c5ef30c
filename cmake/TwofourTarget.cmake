# Headers lie beside their sources; build/include/twofour/<layer> links to <layer>, so that
# #include "twofour/isa/element.h" is the same line before and after an install.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/twofour)
foreach(layer isa emu nas runtime cli)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${layer} ${PROJECT_BINARY_DIR}/include/twofour/${layer} SYMBOLIC)
endforeach()

function(twofour_target_defaults target)
  target_include_directories(${target} PUBLIC ${PROJECT_BINARY_DIR}/include)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
  if(TWOFOUR_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# Precompiled for libraries of many files.
set(TWOFOUR_COMMON_HEADERS <fmt/format.h> <algorithm> <functional> <map> <memory> <span> <string> <vector>)

function(twofour_library target)
  add_library(${target} STATIC ${ARGN})
  twofour_target_defaults(${target})
endfunction()

function(twofour_executable target)
  add_executable(${target} ${ARGN})
  twofour_target_defaults(${target})
endfunction()
