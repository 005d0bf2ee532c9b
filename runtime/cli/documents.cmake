# Manual page and completions, printed by the program itself from its table of options.
set(DOCUMENTS ${CMAKE_BINARY_DIR}/documents)
file(MAKE_DIRECTORY ${DOCUMENTS})
find_program(GZIP gzip REQUIRED)
foreach(kind man bash zsh fish)
    add_custom_command(OUTPUT ${DOCUMENTS}/ferry.${kind} DEPENDS ferry
        COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:ferry> help --${kind} > ${DOCUMENTS}/ferry.${kind})
    list(APPEND DOCUMENT_FILES ${DOCUMENTS}/ferry.${kind})
endforeach()
add_custom_command(OUTPUT ${DOCUMENTS}/ferry.1.gz DEPENDS ${DOCUMENTS}/ferry.man
    COMMAND ${GZIP} -9n < ${DOCUMENTS}/ferry.man > ${DOCUMENTS}/ferry.1.gz)
# The example for systemd-binfmt is for the path where the package puts the runner.
# For the path where the Debian package puts the runner.
add_custom_command(OUTPUT ${DOCUMENTS}/ferry-riscv64.conf DEPENDS ferry
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:ferry> binfmt install --dry-run --runner=/usr/bin/ferry
            > ${DOCUMENTS}/ferry-riscv64.conf)
add_custom_target(ferry_documents ALL DEPENDS ${DOCUMENT_FILES} ${DOCUMENTS}/ferry.1.gz ${DOCUMENTS}/ferry-riscv64.conf)

install(FILES ${DOCUMENTS}/ferry.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${DOCUMENTS}/ferry.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ferry)
install(FILES ${DOCUMENTS}/ferry.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _ferry)
install(FILES ${DOCUMENTS}/ferry.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${DOCUMENTS}/ferry-riscv64.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/ferry/examples
        COMPONENT debian EXCLUDE_FROM_ALL)
