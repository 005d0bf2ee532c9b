# The Debian package (cpack in the build folder, or `./dev package`): the runner, its manual page, completions, and
# a binfmt.d example that is not switched on.
set(PACKAGE_FILES ${CMAKE_BINARY_DIR}/package)
file(WRITE ${PACKAGE_FILES}/copyright
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ferry

Files: *
Copyright: 2026 The Ferry authors
License: Apache-2.0
 On Debian systems, the full text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
")
file(WRITE ${PACKAGE_FILES}/changelog
"ferry (${PROJECT_VERSION}) unstable; urgency=medium

  * See the project's history.

 -- The Ferry authors <ferry@example.org>  Thu, 01 Jan 2026 00:00:00 +0000
")
# Static: it must start guest programs inside any root, with no libraries of its own there.
file(WRITE ${PACKAGE_FILES}/overrides "ferry: statically-linked-binary\nferry: shared-library-lacks-prerequisites\nferry: embedded-library\n")
execute_process(COMMAND gzip -9nf ${PACKAGE_FILES}/changelog)
install(FILES ${PACKAGE_FILES}/copyright ${PACKAGE_FILES}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/ferry
        COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${PACKAGE_FILES}/overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ferry COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ferry)
set(CPACK_PACKAGE_VENDOR "The Ferry authors")
set(CPACK_PACKAGE_CONTACT "The Ferry authors <ferry@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "run Linux programs built for another processor")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Ferry runs Linux programs that were built for another processor: it translates
their instructions and passes their system calls on to the kernel. Programs for
riscv64 run as if they were the machine's own, alone or with a system of their
own kind as root.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL Unspecified debian)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION otherosfs)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "systemd")
include(CPack)
