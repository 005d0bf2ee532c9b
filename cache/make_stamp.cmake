# cmake -DSOURCES=FILE;... -DTEXT=... -DOUTPUT=FILE -P make_stamp.cmake: a C file with a hash of the sources and of the text as key_build (key.h).
set(all "${TEXT}")
foreach(source ${SOURCES})
    file(SHA256 ${source} hash)
    string(APPEND all " ${hash}")
endforeach()
string(SHA256 hash "${all}")
file(WRITE ${OUTPUT} "#include \"cache/key.h\"\nconst char key_build[] = \"${hash}\";\n")
