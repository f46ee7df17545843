# gilspy_embed(TARGET FILE...): makes each FILE (a .css, .js, .html kept beside the code) part of TARGET's
# code. For flame.js it generates embedded/flame.js.h with `inline constexpr std::string_view flame_js`
# in namespace gilspy::embedded, again whenever the file changes; flame_js_sha256 is its hash in hex, which a
# page's Content-Security-Policy can name.
#
# The same file, run as a script (cmake -DINPUT=... -DOUTPUT=... -DNAME=... -P embed.cmake), does the work.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${INPUT} hex HEX)
  file(SHA256 ${INPUT} hash)
  # A list of characters has no length limit, unlike a string literal. 16 of them on a line.
  string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," characters "${lines}")
  file(WRITE ${OUTPUT} "#pragma once
#include <string_view>
namespace gilspy::embedded {
inline constexpr char ${NAME}_characters[] = {
${characters}
};
inline constexpr std::string_view ${NAME}{${NAME}_characters, sizeof ${NAME}_characters};
inline constexpr std::string_view ${NAME}_sha256{\"${hash}\"};
}  // namespace gilspy::embedded
")
  return()
endif()

set(GILSPY_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(gilspy_embed target)
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/generated)
  foreach(input ${ARGN})
    cmake_path(ABSOLUTE_PATH input BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    cmake_path(GET input FILENAME file)
    string(MAKE_C_IDENTIFIER ${file} name)
    set(output ${directory}/embedded/${file}.h)
    add_custom_command(
      OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DNAME=${name} -P ${GILSPY_EMBED_SCRIPT}
      DEPENDS ${input} ${GILSPY_EMBED_SCRIPT}
      VERBATIM)
    target_sources(${target} PRIVATE ${output})
  endforeach()
  target_include_directories(${target} PRIVATE ${directory})
endfunction()
